"""The bundle under Amazon's Lambda Runtime Interface Emulator: as Lambda runs it, alone in its folder."""

import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lambda_emulator import EMULATOR, function, invoke
from infra.python_bundle import build
from search_coverage.names import REPORT_DONE, Variable
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.e2e.conftest import ROOT, Stack
from tests.planted import refuse_planted
from tests.planted_simulator import PlantedSimulator

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux" or not EMULATOR.exists(),
    reason=f"Amazon's Runtime Interface Emulator runs on Linux (x86_64, arm64); looked for {EMULATOR.name}",
)
REPORT, WATCH = "search_coverage.handlers.report.handler", "search_coverage.handlers.watch.handler"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    build(ROOT / "lambda", folder)
    return folder


@pytest.fixture
def environment(stack: Stack) -> dict[str, str]:
    function = stack.aws.client("lambda").get_function_configuration(FunctionName=stack.outputs["ReportFunctionName"])
    variables: dict[str, str] = function["Environment"]["Variables"]
    return {**stack.aws.environment(), **variables, "AWS_LAMBDA_FUNCTION_NAME": "report"}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    log = tmp_path / "log"
    yield log
    refuse_planted(log.read_text(), "the log of the report function")


Start = Callable[[str, Mapping[str, str]], Callable[[object], Any]]


@pytest.fixture
def start(bundle: Path, log: Path) -> Iterator[Start]:
    """Yield a function that starts a handler, and returns another one that invokes it."""
    with ExitStack() as functions:

        def start(handler: str, environment: Mapping[str, str]) -> Callable[[object], Any]:
            url = functions.enter_context(function(bundle, handler, environment, log))
            return lambda event: invoke(url, event)

        yield start


def log_lines(log: Path) -> list[dict[str, Any]]:
    """Return the structured lines that a function logged so far, without its metrics."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if "level" in line]


def test_the_bundle_makes_a_report_as_lambda_would_run_it(
    start: Start, environment: dict[str, str], stack: Stack, simulator: BackupSimulator, log: Path
) -> None:
    search_job = simulator.finish_job(Scenario("rie", (BackupGroup(count=3), BackupGroup(status="FAILED"))))

    answer = start(REPORT, environment)({"searchJobIdentifier": search_job})

    assert answer["verdict"] == "PARTIAL", log.read_text()
    assert stack.summary(search_job) is not None
    assert "Init Duration" in log.read_text()


def test_a_missing_variable_is_one_clear_error_at_init(start: Start, environment: dict[str, str]) -> None:
    without_bucket = {name: value for name, value in environment.items() if name != Variable.REPORT_BUCKET}

    answer = start(REPORT, without_bucket)({"searchJobIdentifier": "x"})

    assert "The environment variable REPORT_BUCKET of this function is not set" in answer["errorMessage"]


def test_a_foreign_event_is_answered_with_a_sentence(start: Start, environment: dict[str, str]) -> None:
    event = {"source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {}}

    answer = start(REPORT, environment)(event)

    assert answer["errorType"] == "InvalidRequest"
    assert answer["errorMessage"].startswith("The event has source 'aws.backup'")


def test_the_watch_function_sweeps_as_lambda_would_run_it(start: Start, environment: dict[str, str], log: Path) -> None:
    answer = start(WATCH, {**environment, Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED"})({})

    assert set(answer) == {"known", "ended", "unreported", "announced"}, log.read_text()


PAGES = 60


@contextmanager
def slow_search() -> Iterator[tuple[BackupSimulator, str]]:
    """Run another AWS Backup, which the schedule does not know, and whose list takes nine seconds."""
    with PlantedSimulator(account=EmbeddedAws.account_id, region=EmbeddedAws.region, enforce_quotas=False) as slow:
        rows = (BackupGroup(count=1000 * PAGES - 1), BackupGroup(status="FAILED"))
        search_job = slow.finish_job(Scenario("rie-slow", rows))
        slow.faults.add("delay", operation="ListSearchJobBackups", delay_seconds=0.15)
        yield slow, search_job


def test_a_function_whose_time_runs_out_ends_by_itself_and_leaves_no_mark(
    start: Start, environment: dict[str, str], stack: Stack, log: Path
) -> None:
    # Given a search job whose list takes longer than the function may run
    with slow_search() as (slow, search_job):
        url = slow.endpoint_url
        settings = {"AWS_ENDPOINT_URL_BACKUPSEARCH": url, "AWS_ENDPOINT_URL_BACKUP": url}
        report = start(REPORT, {**environment, **settings, "AWS_LAMBDA_FUNCTION_TIMEOUT": "6"})

        # When
        answer = report({"searchJobIdentifier": search_job})

        # Then it says so in a sentence, and in one line of its log, in the middle of the list
        assert answer["errorType"] == "TimeRunningOut", log.read_text()
        assert f"while reading the list of backups of search job {search_job}" in answer["errorMessage"]
        (error,) = [line for line in log_lines(log) if line["level"] == "ERROR"]
        assert (error["error"], error["search_job_id"]) == ("TimeRunningOut", search_job)
        assert error["message"] == answer["errorMessage"]
        assert 1 < sum(request.operation == "ListSearchJobBackups" for request in slow.requests) < PAGES
        # And nothing of it is in the bucket, and no notification was sent
        assert [key for key in stack.stored_keys() if search_job in key] == []
        assert (stack.received(search_job), stack.mails(search_job)) == ([], [])

        # When AWS is quick again
        slow.faults.clear()
        again = report({"searchJobIdentifier": search_job})

    # Then the report is whole, and there is one mail
    assert (again["created"], again["backups"]["listed"]) == (True, 1000 * PAGES)
    assert stack.summary(search_job) is not None
    assert len(stack.mails(search_job)) == 1
    # And it is still the first process that made it: nothing ended that for taking too long
    assert "timed out" not in log.read_text().lower()
    (done,) = [line for line in log_lines(log) if line["message"] == REPORT_DONE]
    assert done["cold_start"] is False
