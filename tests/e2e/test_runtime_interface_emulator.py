"""The bundle under Amazon's Lambda Runtime Interface Emulator: as Lambda runs it, alone in its folder."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.python_bundle import build
from search_coverage.names import REPORT_DONE, Variable
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.e2e.conftest import ROOT, Stack

RAPID = ROOT / ".venv" / "rie" / "samcli" / "local" / "rapid"
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
EMULATOR = RAPID / f"aws-lambda-rie-{ARCHITECTURES.get(platform.machine(), platform.machine())}"

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux" or not EMULATOR.exists(),
    reason=f"Amazon's Runtime Interface Emulator runs on Linux (x86_64, arm64); looked for {EMULATOR.name}",
)


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


@contextmanager
def function(bundle: Path, handler: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    """Run a handler under the emulator, and give the address to invoke it at."""
    EMULATOR.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, api_port = one.getsockname()[1], other.getsockname()[1]
    addresses = [
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
    ]
    command = [str(EMULATOR), *addresses, sys.executable, "-m", "awslambdaric", handler]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=bundle,
            env={**environment, "PYTHONPATH": str(bundle), "LAMBDA_TASK_ROOT": str(bundle)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def invoke(url: str, event: object) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(event).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            result: dict[str, Any] = json.loads(answer.read())
    except urllib.error.HTTPError as error:  # the emulator's way to say that the function did not start
        with error:
            result = json.loads(error.read())
    return result


def test_the_bundle_makes_a_report_as_lambda_would_run_it(
    bundle: Path, environment: dict[str, str], stack: Stack, simulator: BackupSimulator, tmp_path: Path
) -> None:
    search_job = simulator.finish_job(Scenario("rie", (BackupGroup(count=3), BackupGroup(status="FAILED"))))

    log = tmp_path / "log"
    with function(bundle, "search_coverage.handlers.report.handler", environment, log) as url:
        answer = invoke(url, {"searchJobIdentifier": search_job})

    assert answer["verdict"] == "PARTIAL", log.read_text()
    assert stack.summary(search_job) is not None
    assert "Init Duration" in log.read_text()


def test_a_missing_variable_is_one_clear_error_at_init(
    bundle: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    without_bucket = {name: value for name, value in environment.items() if name != Variable.REPORT_BUCKET}

    with function(bundle, "search_coverage.handlers.report.handler", without_bucket, log) as url:
        answer = invoke(url, {"searchJobIdentifier": "x"})

    assert "The environment variable REPORT_BUCKET of this function is not set" in answer["errorMessage"]


def test_an_event_that_is_not_ours_is_answered_with_a_sentence(
    bundle: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with function(bundle, "search_coverage.handlers.report.handler", environment, log) as url:
        answer = invoke(url, {"source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {}})

    assert answer["errorType"] == "InvalidRequest"
    assert answer["errorMessage"].startswith("The event has source 'aws.backup'")


def test_the_watch_function_sweeps_as_lambda_would_run_it(
    bundle: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    watch = {**environment, Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED"}

    with function(bundle, "search_coverage.handlers.watch.handler", watch, log) as url:
        answer = invoke(url, {})

    assert set(answer) == {"known", "ended", "unreported", "announced"}, log.read_text()


def test_a_function_whose_time_runs_out_ends_by_itself_and_leaves_no_mark(
    bundle: Path, environment: dict[str, str], stack: Stack, tmp_path: Path
) -> None:
    # Given a search job whose list takes longer than the function may run; no schedule knows of it
    log, pages = tmp_path / "log", 60
    with BackupSimulator(account=EmbeddedAws.account_id, region=EmbeddedAws.region, enforce_quotas=False) as slow:
        rows = (BackupGroup(count=1000 * pages - 1), BackupGroup(status="FAILED"))
        search_job = slow.finish_job(Scenario("rie-slow", rows))
        fault = slow.faults.add("delay", operation="ListSearchJobBackups", delay_seconds=0.15)
        settings = {
            **environment,
            "AWS_ENDPOINT_URL_BACKUPSEARCH": slow.endpoint_url,
            "AWS_ENDPOINT_URL_BACKUP": slow.endpoint_url,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "6",
        }
        with function(bundle, "search_coverage.handlers.report.handler", settings, log) as url:
            # When
            answer = invoke(url, {"searchJobIdentifier": search_job})

            # Then it says so in a sentence, and in one line of its log, in the middle of the list
            assert answer["errorType"] == "TimeRunningOut", log.read_text()
            assert f"while reading the list of backups of search job {search_job}" in answer["errorMessage"]
            (error,) = [line for line in log_lines(log) if line["level"] == "ERROR"]
            assert (error["error"], error["search_job_id"]) == ("TimeRunningOut", search_job)
            assert error["message"] == answer["errorMessage"]
            assert 1 < sum(request.operation == "ListSearchJobBackups" for request in slow.requests) < pages
            # And nothing of it is in the bucket, and nobody was told
            assert [key for key in stack.stored_keys() if search_job in key] == []
            assert stack.received(search_job) == []
            assert stack.mails(search_job) == []

            # When AWS is quick again
            slow.faults.remove(fault)
            again = invoke(url, {"searchJobIdentifier": search_job})

    # Then the report is whole, and told once
    assert (again["created"], again["backups"]["listed"]) == (True, 1000 * pages)
    assert stack.summary(search_job) is not None
    assert len(stack.mails(search_job)) == 1
    # And it is still the first process that made it: nobody ended that for taking too long
    assert "timed out" not in log.read_text().lower()
    (done,) = [line for line in log_lines(log) if line["message"] == REPORT_DONE]
    assert done["cold_start"] is False


def log_lines(log: Path) -> list[dict[str, Any]]:
    """Give the structured lines that a function logged so far, without its metrics."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if "level" in line]
