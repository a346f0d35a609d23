"""Which modules a function loads at init: each costs every cold start, so a new one has to be allowed by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.python_bundle import build
from search_coverage.names import Variable
from tests.infra.conftest import ROOT

ALLOWED = Path(__file__).with_name("imports_at_init.txt")
TOO_HEAVY = frozenset(
    {
        *("argparse", "asyncio", "concurrent.futures.process", "ctypes", "doctest", "ensurepip", "optparse", "pdb"),
        *("pydoc", "sqlite3", "unittest", "wsgiref", "xmlrpc"),
    }
)
"""Modules of the standard library that nothing at init is worth."""

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    Variable.REPORT_BUCKET: "bucket",
    Variable.ALERTS_TOPIC_ARN: "arn:aws:sns:eu-central-1:123456789012:topic",
    Variable.EVENT_BUS_NAME: "default",
    Variable.IDEMPOTENCY_TABLE: "table",
    Variable.NOTIFY_ON: "EXCLUDED",
    Variable.SEARCH_JOB_STATUSES: "COMPLETED",
    Variable.INVENTORY: "ON",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, as it is deployed."""
    folder = tmp_path_factory.mktemp("bundle")
    build(ROOT / "lambda", folder)
    return folder


@pytest.fixture(scope="module", params=["report", "watch"])
def function(request: pytest.FixtureRequest) -> str:
    """The name of a function."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def loaded(bundle: Path, function: str) -> frozenset[str]:
    """All modules that a function has loaded when its init is over, in a Python that has nothing but the bundle."""
    program = f"import sys, search_coverage.handlers.{function}\nprint(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-c", program],
        env={**ENVIRONMENT, "PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return frozenset(finished.stdout.split())


@pytest.fixture(scope="module")
def allowed(function: str) -> frozenset[str]:
    """All modules outside the standard library that a function may load."""
    lines = [line.split() for line in ALLOWED.read_text().splitlines() if line and not line.startswith("#")]
    return frozenset(module for module, *functions in lines if function in functions)


def test_no_function_loads_a_module_at_init_that_is_not_allowed(
    loaded: frozenset[str], allowed: frozenset[str], function: str
) -> None:
    new = sorted(third_party(loaded) - allowed)

    assert not new, (
        f"The {function} function loads {', '.join(new)} at init. Import it where it is used, or a narrower module; "
        f"if init does need it, write its name and '{function}' on a line of {ALLOWED.relative_to(ROOT)}."
    )


def test_no_module_stays_allowed_that_is_not_loaded_any_more(
    loaded: frozenset[str], allowed: frozenset[str], function: str
) -> None:
    gone = sorted(allowed - third_party(loaded))

    assert not gone, (
        f"The {function} function does not load {', '.join(gone)} at init any more: take '{function}' from these "
        f"lines of {ALLOWED.relative_to(ROOT)}, so that they cannot come back unseen."
    )


def test_no_function_loads_the_heavy_ones_of_the_standard_library(loaded: frozenset[str]) -> None:
    assert not loaded & TOO_HEAVY


def third_party(modules: frozenset[str]) -> frozenset[str]:
    """Give the modules that are not the standard library's: ours, and those of the packages."""
    return frozenset(name for name in modules if name.split(".")[0] not in sys.stdlib_module_names | {"__main__"})


def test_the_garbage_collector_that_pauses_during_init_works_after_it(bundle: Path, function: str) -> None:
    program = f"import gc, search_coverage.handlers.{function}\nprint(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    finished = subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-c", program],
        env={**ENVIRONMENT, "PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.split() == ["True", "True"]
