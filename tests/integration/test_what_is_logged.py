"""What the functions write to their logs: what happened to which search job, and nothing private."""

import json

import pytest

from search_coverage.use_cases.report_search_job import NotificationPending
from simulators.backup_search import BackupGroup, Scenario
from tests.conftest import Log
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT

NAME_OF_THE_SEARCH = "salary-of-jane-doe"
MESSAGE = "Access denied for the file jane-doe-contract.pdf"
SENSITIVE = Scenario(
    NAME_OF_THE_SEARCH, (BackupGroup(count=2), BackupGroup(count=2, status="FAILED", status_message=MESSAGE))
)
PRIVATE = ("recovery-point", "testing", "AKIA", NAME_OF_THE_SEARCH, "jane-doe")
PHASES = ["backups read", "files written", "failed backups published", "report marked as whole"]


@pytest.fixture
def search_job(deployment: Deployment, log: Log, capsys: pytest.CaptureFixture[str]) -> str:
    """A search job that was noticed and reported, twice."""
    search_job = deployment.simulator.finish_job(SENSITIVE)
    deployment.sweep()
    (event,) = deployment.put_events()
    deployment.report(event)
    deployment.report({"searchJobIdentifier": search_job, "replay": True})
    return search_job


def test_a_run_names_no_account_no_arn_no_secret_no_backup_and_no_search(
    search_job: str, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = log.getvalue() + capsys.readouterr().out
    assert "CloudWatchMetrics" in logged
    assert search_job in logged
    for what in (ACCOUNT, "arn:aws", *PRIVATE):
        assert what not in logged, what


def test_every_line_says_what_happened(search_job: str, log: Log) -> None:
    assert len(log.lines) >= 6
    assert all(line["message"] and line["level"] and line["function_name"] for line in log.lines)


def test_a_report_is_logged_phase_by_phase_with_its_search_job_counts_and_durations(search_job: str, log: Log) -> None:
    phases = [line for line in log.lines if line["function_name"] == "report" and "seconds" in line]
    assert [line["message"] for line in phases] == [*PHASES, *PHASES]  # the report, and its replay
    assert all(line["search_job_id"] == search_job and line["seconds"] >= 0 for line in phases)
    by_phase = {line["message"]: line for line in phases}
    assert (by_phase["backups read"]["listed"], by_phase["backups read"]["excluded"]) == (4, 2)
    assert by_phase["files written"]["bytes"] > 1000


def test_one_id_leads_from_the_announcement_to_the_report(search_job: str, log: Log) -> None:
    (announced,) = [line for line in log.lines if line["message"] == "search job announced"]
    done = [line for line in log.lines if line["message"] == "report done"]
    assert announced["search_job_id"] == search_job
    assert announced["correlation_id"] == done[0]["correlation_id"]


def test_a_failure_names_the_call_and_the_key_and_still_no_backup_and_no_search(
    deployment: Deployment, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(SENSITIVE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:9")

    with pytest.raises(NotificationPending):
        deployment.report({"searchJobIdentifier": search_job})

    (failure,) = [line for line in log.lines if line["level"] == "ERROR"]
    assert failure["error"] == "NotificationPending"
    assert "Publishing to arn:aws:sns:" in failure["message"]  # here a person has to know which topic
    for what in PRIVATE:
        assert what not in json.dumps(failure), what
