"""Time runs out, under Amazon's Runtime Interface Emulator: the function stops itself before Lambda does."""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lambda_emulator import EMULATOR, function, invoke
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import state_change

ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_SECONDS = 5
# Pages come often enough for the function to look at the clock within the last fifteenth of its time.
_PAGES, _SECONDS_A_PAGE = 60, 0.15
LONG = Scenario("long", (BackupGroup(count=1000 * _PAGES - 1), BackupGroup(status="FAILED")))

pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and EMULATOR.exists()),
    reason=f"Amazon's Runtime Interface Emulator runs on Linux (x86_64, arm64); looked for {EMULATOR.name}",
)


@contextmanager
def report_function(deployment: Deployment, log: Path, timeout_seconds: int = _TIMEOUT_SECONDS) -> Iterator[str]:
    variables = {
        **os.environ,
        **deployment.environment,
        "AWS_LAMBDA_FUNCTION_NAME": "report",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
    }
    with function(ROOT / "lambda", "search_coverage.handlers.report.handler", variables, log) as url:
        yield url


def test_a_function_whose_time_runs_out_says_so_leaves_nothing_half_and_begins_anew(
    deployment: Deployment, tmp_path: Path
) -> None:
    search_job = deployment.simulator.finish_job(LONG)
    slow = deployment.simulator.faults.add("delay", operation="ListSearchJobBackups", delay_seconds=_SECONDS_A_PAGE)

    with report_function(deployment, tmp_path / "log") as url:
        # When there is not enough time
        started = time.monotonic()
        answer = invoke(url, event_of(search_job))
        seconds = time.monotonic() - started

        # Then the function says so itself, before Lambda ends it
        assert answer["errorType"] == "TimeRunningOut", (tmp_path / "log").read_text()
        assert "the report was not finished and counts as not written" in answer["errorMessage"]
        assert seconds < _TIMEOUT_SECONDS + 3  # with its start
        assert "Task timed out" not in (tmp_path / "log").read_text()
        # And it leaves nothing half: no object, no message, no claim
        assert deployment.stored() == []
        assert deployment.messages(deployment.machines) == []
        assert deployment.dynamodb.scan(TableName=deployment.table)["Items"] == []

        # When it is tried again, and AWS is quicker
        deployment.simulator.faults.remove(slow)
        again = invoke(url, event_of(search_job))

    # Then the report is whole, and told once
    assert (again["created"], again["backups"]["listed"]) == (True, 1000 * _PAGES)
    assert deployment.summary(search_job) is not None
    assert len(deployment.messages(deployment.people)) == 1


def test_a_function_that_lambda_ends_without_a_word_leaves_no_mark_and_its_retry_makes_the_report(
    deployment: Deployment, tmp_path: Path
) -> None:
    search_job = deployment.simulator.finish_job(
        Scenario("stuck", (BackupGroup(count=2), BackupGroup(status="FAILED")))
    )
    stuck = deployment.simulator.faults.add("delay", operation="ListSearchJobBackups", delay_seconds=15)

    with report_function(deployment, tmp_path / "first") as url:
        ended = invoke_raw(url, event_of(search_job))
    assert "timed out" in ended.lower(), ended
    assert deployment.stored() == []
    deployment.simulator.faults.remove(stuck)

    # Its lease shows no sign of life, which takes 45 seconds to see
    with report_function(deployment, tmp_path / "second", timeout_seconds=120) as url:
        assert invoke(url, event_of(search_job))["created"] is True
    assert len(deployment.messages(deployment.people)) == 1


def event_of(search_job: str) -> dict[str, Any]:
    """Give an event that does not say where it is from: the emulator's function is of an account of its own."""
    return {name: value for name, value in state_change(search_job).items() if name not in {"account", "region"}}


def invoke_raw(url: str, event: object) -> str:
    """Give what the emulator answers, which is no JSON when it has ended the function."""
    request = urllib.request.Request(url, json.dumps(event).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        text: str = answer.read().decode()
    return text
