"""What goes out over SNS: all failed backups, in parts that fit, and one digest."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus, judge
from search_coverage.report.alert import NotifyOn, is_due, messages
from search_coverage.report.digest import digest, subject
from search_coverage.report.messages import FailedRows, Message
from search_coverage.report.row import row
from search_coverage.report.summary import Findings
from search_coverage.report.tally import Tally
from tests.examples import JOB_ID, backup, search_job

SNS_LIMIT = 256 * 1024


def findings_of(job: SearchJob, exclusions: list[Exclusion], searched: int = 0) -> Findings:
    tally = Tally(listed=len(exclusions) + searched, searched=searched)
    for exclusion in exclusions:
        tally.count(exclusion)
    inventory = Inventory(InventoryStatus.OFF)
    return Findings(job, tally, inventory, judge(job, tally.backups, inventory), datetime(2026, 11, 20, tzinfo=UTC))


def failed(number: int, message: str | None = "Access denied") -> Exclusion:
    arn = f"arn:aws:ec2:us-east-1::snapshot/snap-{number:08d}"
    return Exclusion(backup(status="FAILED", status_message=message, backup_arn=arn), Reason.PERMISSION_DENIED)


def published(job: SearchJob, exclusions: list[Exclusion]) -> list[Message]:
    rows = [row(job, exclusion) for exclusion in exclusions]
    spooled = FailedRows(BytesIO())
    for one in rows:
        spooled.add(one)
    return list(messages(findings_of(job, exclusions), spooled, rows[:10], "reports-bucket"))


def test_every_failed_backup_is_in_exactly_one_part_and_every_part_fits() -> None:
    parts = published(search_job(), [failed(number) for number in range(5000)])

    bodies = [json.loads(json.loads(part.body)["default"]) for part in parts]
    assert [body["part"] for body in bodies] == list(range(1, len(parts) + 1))
    assert {body["parts"] for body in bodies} == {len(parts)}
    arns = [backup["backup_arn"] for body in bodies for backup in body["failedBackups"]]
    assert arns == [failed(number).backup.backup_arn for number in range(5000)]
    assert len(parts) > 1
    assert all(part.size < SNS_LIMIT for part in parts)


def test_only_the_first_part_is_the_digest_and_carries_the_mail() -> None:
    first, *others = published(search_job(), [failed(number) for number in range(2000)])

    assert first.attributes["kind"].value == "digest"
    assert "email" in json.loads(first.body)
    assert others
    assert {part.attributes["kind"].value for part in others} == {"entries"}
    assert not any("email" in json.loads(part.body) for part in others)


def test_the_machines_message_is_the_one_of_the_contract() -> None:
    (message,) = published(search_job(), [failed(1)])

    body = json.loads(json.loads(message.body)["default"])
    assert list(body) == [
        "version", "type", "searchJob", "verdict", "backups", "report", "part", "parts", "failedBackups",
    ]  # fmt: skip
    assert body["type"] == "FailedSearchJobBackups"
    assert body["searchJob"]["identifier"] == JOB_ID
    assert body["report"]["prefix"] == f"reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/"
    assert body["report"]["consoleUrl"].startswith(
        "https://us-east-1.console.aws.amazon.com/s3/buckets/reports-bucket?"
    )
    assert {name: attribute.value for name, attribute in message.attributes.items()} == {
        "kind": "digest",
        "searchJobIdentifier": JOB_ID,
        "verdict": "NONE",
        "account": "000000000000",
        "region": "us-east-1",
        "failedCount": "1",
        "excludedCount": "1",
        "resourceTypes": '["EBS"]',
    }


def test_a_search_that_failed_without_a_failed_backup_still_gives_a_digest() -> None:
    (message,) = published(search_job(status="FAILED"), [])

    assert json.loads(json.loads(message.body)["default"])["failedBackups"] == []


@settings(max_examples=40, deadline=None)
@given(
    name=st.none() | st.text(max_size=600),
    texts=st.lists(st.text(min_size=1, max_size=50).map(lambda text: text * 3000), min_size=1, max_size=4),
)
def test_a_message_fits_however_long_and_strange_the_texts_from_aws(name: str | None, texts: list[str]) -> None:
    job = search_job(name=(name or "") * 50, status_message=texts[0], encryption_key_arn=texts[-1])
    parts = published(job, [failed(number, text) for number, text in enumerate(texts)])

    assert all(part.size < SNS_LIMIT for part in parts)
    rows = [row for part in parts for row in json.loads(json.loads(part.body)["default"])["failedBackups"]]
    assert len(rows) == len(texts)


@given(name=st.text(max_size=500) | st.none())
def test_the_subject_is_valid_whatever_the_name(name: str | None) -> None:
    line = subject(findings_of(search_job(name=name), [failed(1)], searched=3))

    assert len(line.encode("utf-16-le")) // 2 < 100  # however SNS counts an emoji
    assert line.isprintable()
    assert line.startswith("PARTIAL: 1 of 4 backups not searched - ")


def test_the_mail_says_what_counts_and_where_the_rest_is() -> None:
    (message,) = published(search_job(name="find\ninvoice"), [failed(1)])

    mail = json.loads(message.body)["email"]
    assert mail.startswith("NONE. NOTHING was searched")
    assert "Search job: find invoice" in mail
    assert "1 x PERMISSION_DENIED" in mail
    assert "snap-00000001" in mail
    assert f"s3://reports-bucket/reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/" in mail


def test_a_mail_that_is_cut_still_says_where_the_report_is() -> None:
    (message,) = published(search_job(), [failed(number, "拒否" * 900) for number in range(10)])

    mail = json.loads(message.body)["email"]
    assert "cut to fit the message" in mail
    assert f"s3://reports-bucket/reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/" in mail


def test_without_an_inventory_a_complete_search_claims_no_more_than_aws_listed() -> None:
    text = digest(findings_of(search_job(), [], searched=3), [], "bucket", "prefix/", "https://console")

    assert text.startswith("COMPLETE. Every backup that AWS lists for this search was searched.")
    assert "Backups without an index may be missing from the list" in text


STOPPED = Exclusion(backup(status="STOPPED"), Reason.NOT_FINISHED)


@pytest.mark.parametrize(
    ("notify_on", "findings", "due"),
    [
        (NotifyOn.FAILED, findings_of(search_job(), [failed(1)], searched=1), True),
        (NotifyOn.FAILED, findings_of(search_job(status="FAILED"), []), True),
        (NotifyOn.FAILED, findings_of(search_job(), [STOPPED], searched=1), False),
        (NotifyOn.FAILED, findings_of(search_job(), [], searched=1), False),
        (NotifyOn.EXCLUDED, findings_of(search_job(), [STOPPED], searched=1), True),
        (NotifyOn.EXCLUDED, findings_of(search_job(recovery_points_to_scan=9), [], searched=1), True),
        (NotifyOn.EXCLUDED, findings_of(search_job(status="FAILED"), []), True),
        (NotifyOn.EXCLUDED, findings_of(search_job(), [], searched=1), False),
        (NotifyOn.ALWAYS, findings_of(search_job(), [], searched=1), True),
    ],
)
def test_a_report_is_told_when_the_setting_asks_for_it(notify_on: NotifyOn, findings: Findings, *, due: bool) -> None:
    assert is_due(notify_on, findings) is due


def test_the_rows_are_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "failed").open("w+b") as file:
        spooled = FailedRows(file)
        for number in range(1000):
            spooled.add(row(search_job(), failed(number)))
        file.flush()

        assert (tmp_path / "failed").stat().st_size > 100_000
        assert sum(len(rows) for rows in spooled.rows_of_parts()) == 1000
