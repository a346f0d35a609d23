"""What the functions write to their logs: what happened to which search job, and nothing that is nobody's business."""

import io
import json
import logging
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from search_coverage.names import SERVICE
from search_coverage.use_cases.report_search_job import NotificationPending
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT

NAME_OF_THE_SEARCH = "salary-of-jane-doe"
MESSAGE = "Access denied for the file jane-doe-contract.pdf"
SENSITIVE = Scenario(
    NAME_OF_THE_SEARCH, (BackupGroup(count=2), BackupGroup(count=2, status="FAILED", status_message=MESSAGE))
)

PHASES = ["backups read", "files written", "failed backups published", "report marked as whole"]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to the log from now on, but for the metrics, which are printed."""
    log = io.StringIO()
    Logger(service=SERVICE)  # makes the handler that all loggers of the service share, if nobody did before
    for handler in logging.getLogger(SERVICE).handlers:
        if isinstance(handler, logging.StreamHandler) and handler.name != "LogCaptureHandler":
            monkeypatch.setattr(handler, "stream", log)
    return log


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    """Give the lines that the functions logged."""
    return [json.loads(line) for line in log.getvalue().splitlines()]


def all_goes_well(deployment: Deployment) -> str:
    """Let a search job be noticed and reported, twice."""
    search_job = deployment.simulator.finish_job(SENSITIVE)
    deployment.sweep()
    (event,) = deployment.put_events()
    deployment.report(event)
    deployment.report({"searchJobIdentifier": search_job, "replay": True})
    return search_job


def test_a_run_names_no_account_no_arn_no_secret_no_backup_and_no_search(
    deployment: Deployment, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    search_job = all_goes_well(deployment)

    logged = log.getvalue() + capsys.readouterr().out
    assert "CloudWatchMetrics" in logged
    assert search_job in logged
    for what in (ACCOUNT, "arn:aws", "recovery-point", "testing", "AKIA", NAME_OF_THE_SEARCH, "jane-doe"):
        assert what not in logged, what


def test_every_line_says_what_happened(deployment: Deployment, log: io.StringIO) -> None:
    all_goes_well(deployment)

    lines = lines_of(log)
    assert len(lines) >= 6
    assert all(line["message"] and line["level"] and line["function_name"] for line in lines)


def test_a_report_is_told_phase_by_phase_with_its_search_job_counts_and_durations(
    deployment: Deployment, log: io.StringIO
) -> None:
    search_job = all_goes_well(deployment)

    phases = [line for line in lines_of(log) if line["function_name"] == "report" and "seconds" in line]
    assert [line["message"] for line in phases] == [*PHASES, *PHASES]  # the report, and its replay
    assert all(line["search_job_id"] == search_job and line["seconds"] >= 0 for line in phases)
    by_phase = {line["message"]: line for line in phases}
    assert (by_phase["backups read"]["listed"], by_phase["backups read"]["excluded"]) == (4, 2)
    assert by_phase["files written"]["bytes"] > 1000


def test_a_failure_names_the_call_and_the_key_and_still_no_backup_and_no_search(
    deployment: Deployment, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(SENSITIVE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:9")

    with pytest.raises(NotificationPending):
        deployment.report({"searchJobIdentifier": search_job})

    (failure,) = [line for line in lines_of(log) if line.get("level") == "ERROR"]
    assert failure["error"] == "NotificationPending"
    assert "Publishing to arn:aws:sns:" in failure["message"]  # here a person has to know which topic
    for what in ("recovery-point", "testing", NAME_OF_THE_SEARCH, "jane-doe"):
        assert what not in json.dumps(failure), what


def test_one_id_leads_from_the_announcement_to_the_report(deployment: Deployment, log: io.StringIO) -> None:
    search_job = all_goes_well(deployment)

    lines = lines_of(log)
    (announced,) = [line for line in lines if line["message"] == "search job announced"]
    done = [line for line in lines if line["message"] == "report done"]
    assert announced["search_job_id"] == search_job
    assert announced["correlation_id"] == done[0]["correlation_id"]
