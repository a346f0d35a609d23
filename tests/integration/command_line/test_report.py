"""`search-coverage report`: where it finds a report, and what it says of it."""

import json
from typing import Any

import pytest

from tests.integration.command_line.operator_aws import ARN, BUCKET, FOLDER, JOB, OTHER_JOB, SUMMARY, OperatorAws
from tests.invocation import ACCOUNT, REGION

FILES = {
    "html": f"s3://{BUCKET}/{FOLDER}report.html",
    "csv": f"s3://{BUCKET}/{FOLDER}excluded-backups.csv",
    "jsonl": f"s3://{BUCKET}/excluded_backups/account={ACCOUNT}/region={REGION}/date=2026-11-20/{JOB}.jsonl.gz",
    "summary": f"s3://{BUCKET}/{FOLDER}summary.json",
}


@pytest.mark.parametrize("identifier", [JOB, JOB.upper(), ARN])
def test_a_report_is_found_without_a_listing_while_aws_knows_the_search_job(aws: OperatorAws, identifier: str) -> None:
    aws.store()
    aws.search_jobs[JOB] = "COMPLETED"

    result = aws.run("report", identifier)

    assert result.exit_code == 1
    assert result.stderr == ""
    assert "s3:ListObjectsV2" not in aws.calls
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert ["Verdict", "PARTIAL"] in lines
    assert ["Reasons", "4 backups were not searched."] in lines
    assert ["Search", f"job    {JOB} (audit), COMPLETED"] in lines
    assert ["Backups", "9 listed, 5 searched, 4 excluded, 3 failed"] in lines
    assert ["Excluded", "1 NOT_FINISHED"] in lines
    assert "3 PERMISSION_DENIED" in result.stdout
    assert ["Notification", "sent, in 1 message"] in lines
    assert all(uri in result.stdout for uri in FILES.values())
    assert (
        f"https://{REGION}.console.aws.amazon.com/s3/buckets/{BUCKET}?region={REGION}&prefix={FOLDER}" in result.stdout
    )


def test_a_report_is_found_by_a_listing_when_aws_has_forgotten_the_search_job(aws: OperatorAws) -> None:
    aws.store(verdict="COMPLETE")

    result = aws.run("report", JOB, "--json")

    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["files"] == FILES
    assert document["verdict"] == "COMPLETE"
    for member in ("searchJob", "verdictReasons", "backups", "excludedByReason", "notification", "generatedAt"):
        assert document[member] == SUMMARY[member]


@pytest.mark.parametrize(
    ("notification", "said"),
    [
        ({"messageIds": ["1", "2"], "pending": None}, "sent, in 2 messages"),
        ({"messageIds": []}, "none; the setting notifyOn wants none"),
        ({"messageIds": [], "pending": "SNS refused it."}, "pending: SNS refused it."),
    ],
)
def test_the_state_of_the_notification_is_shown(aws: OperatorAws, notification: dict[str, Any], said: str) -> None:
    aws.store(notification=notification)

    assert f"Notification  {said}\n" in aws.run("report", JOB).stdout


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("RUNNING", "The search job is RUNNING; its report follows when it has ended."),
        ("COMPLETED", f"Create it: search-coverage replay {OTHER_JOB}"),
        (None, "AWS Backup does not know the search job; it deletes one 7 days after its end."),
    ],
)
def test_a_search_job_without_a_report_is_named_with_the_reason(
    aws: OperatorAws, status: str | None, hint: str
) -> None:
    # Given a report that was cut short: its line is there, and its summary is not
    aws.store()
    aws.search_jobs |= {OTHER_JOB: status} if status else {}

    result = aws.run("report", OTHER_JOB, "--json")

    assert result.exit_code == 3
    sentence = f"There is no report of search job {OTHER_JOB} in account {ACCOUNT}, Region {REGION}. {hint}"
    assert result.stderr == f"Error: {sentence}\n"
    assert json.loads(result.stdout) == {"error": sentence}


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("GetObject", "You do not have permission to call GetObject (Not you)."),
        ("ListObjectsV2", "You do not have permission to call ListObjectsV2 (Not you)."),
        ("DescribeStacks", "You do not have permission to call DescribeStacks (Not you)."),
    ],
)
def test_a_missing_permission_is_named(aws: OperatorAws, operation: str, said: str) -> None:
    aws.store()
    aws.errors[operation] = "AccessDenied"

    result = aws.run("report", JOB)

    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {said}\n")


def test_without_the_permission_to_read_search_jobs_the_listing_finds_the_report(aws: OperatorAws) -> None:
    aws.store()
    aws.errors["GetSearchJob"] = "AccessDeniedException"

    assert "PARTIAL" in aws.run("report", JOB).stdout


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b"\xff"])
def test_a_damaged_summary_is_named(aws: OperatorAws, content: bytes) -> None:
    aws.store()
    aws.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}summary.json", Body=content)

    result = aws.run("report", JOB)

    assert result.exit_code == 2
    assert f"{FOLDER}summary.json is damaged" in result.stderr


@pytest.mark.parametrize("browser", [True, False])
def test_the_page_opens_by_a_link_that_is_valid_for_minutes(
    aws: OperatorAws, monkeypatch: pytest.MonkeyPatch, *, browser: bool
) -> None:
    opened: list[str] = []

    def launch(url: str) -> int:
        opened.append(url)
        return int(not browser)

    monkeypatch.setattr("click.launch", launch)
    aws.store()

    result = aws.run("report", JOB, "--open")

    (url,) = opened
    assert f"{FOLDER}report.html?" in url
    assert "X-Amz-Expires=300" in url
    assert "X-Amz-Signature=" in url
    assert (url in result.stderr) is not browser
    assert url not in result.stdout
