"""Search jobs: identifiers, ends, days, keys."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from search_coverage.coverage.arn import Arn, MalformedArn
from search_coverage.coverage.search_job import InvalidIdentifier, is_terminal, search_job_identifier
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.files.keys import NoReportDate, ReportKeys, search_job_and_name
from tests.examples import JOB_ID, search_job


@pytest.mark.parametrize(
    "status", ["COMPLETED", "FAILED", "STOPPED", "TIMED_OUT", "EXPIRED", "ERRORED", "", "RUNNING", "STOPPING"]
)
def test_a_job_has_ended_unless_it_is_running_or_stopping(status: str) -> None:
    assert is_terminal(status) == (status not in {"RUNNING", "STOPPING"})


@pytest.mark.parametrize("text", [None, 7, "", "latest", f"{JOB_ID}\n", f"../{JOB_ID}", JOB_ID[:-1]])
def test_an_identifier_that_is_no_uuid_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(InvalidIdentifier, match="expected the UUID of a search job"):
        search_job_identifier(text)


def test_an_identifier_is_the_same_in_capitals() -> None:
    assert search_job_identifier(JOB_ID.upper()) == JOB_ID


def test_the_keys_are_those_of_the_contract() -> None:
    keys = ReportKeys.of(search_job())

    folder = f"reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/"
    partition = "account=000000000000/region=us-east-1/date=2026-11-20"
    assert keys.prefix == folder
    assert keys.html == f"{folder}report.html"
    assert keys.csv == f"{folder}excluded-backups.csv"
    assert keys.summary == f"{folder}summary.json"
    assert keys.jsonl == f"excluded_backups/{partition}/{JOB_ID}.jsonl.gz"
    assert keys.summary_line == f"summaries/{partition}/{JOB_ID}.json"


def test_the_day_of_a_report_is_the_utc_day_of_the_end_or_else_of_the_creation() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

    assert "/2026/11/21/" in ReportKeys.of(search_job(completion_time=late)).prefix
    assert "/2026/11/20/" in ReportKeys.of(search_job(completion_time=None)).prefix
    with pytest.raises(NoReportDate):
        ReportKeys.of(search_job(completion_time=None, creation_time=None))


def test_only_a_summary_marks_a_whole_report() -> None:
    keys = ReportKeys.of(search_job())

    assert search_job_and_name(keys.summary) == (JOB_ID, "summary.json")
    assert search_job_and_name(keys.notification_pending) == (JOB_ID, "notification-pending.json")
    assert search_job_and_name(keys.csv) == (JOB_ID, "excluded-backups.csv")
    assert search_job_and_name("summary.json") == ("", "summary.json")


def test_an_arn_gives_its_parts_also_with_an_empty_account() -> None:
    snapshot = Arn.parse("arn:aws-us-gov:ec2:us-gov-west-1::snapshot/snap-1")

    assert (snapshot.partition, snapshot.account, snapshot.resource) == ("aws-us-gov", "", "snapshot/snap-1")
    with pytest.raises(MalformedArn, match="is not an ARN"):
        Arn.parse("snapshot/snap-1")


def test_moments_are_written_in_utc_with_z() -> None:
    assert utc_text(1795168800.0) == "2026-11-20T10:00:00Z"
    assert utc_text(1795168800.25) == "2026-11-20T10:00:00.250Z"
    assert utc_text(datetime(2026, 11, 20, 11, tzinfo=timezone(timedelta(hours=1)))) == "2026-11-20T10:00:00Z"
    assert utc_text(datetime(2026, 11, 20, 10, tzinfo=UTC)) == "2026-11-20T10:00:00Z"
    assert utc_text(None) is None
