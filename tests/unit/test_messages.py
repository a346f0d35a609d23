"""What goes out over SNS: all failed backups, in parts that fit, and one digest."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus, judge
from search_coverage.report.files.json_text import compact_json
from search_coverage.report.files.row import row
from search_coverage.report.findings import Examples, Findings
from search_coverage.report.mail.alert import NotifyOn, is_due, messages
from search_coverage.report.mail.digest import digest, subject
from search_coverage.report.mail.messages import FailedRows, Message, _size_in_message, _size_of_json_in_message
from search_coverage.report.tally import Tally
from tests.examples import JOB_ID, backup, search_job

SNS_LIMIT = 256 * 1024


def findings_of(job: SearchJob, exclusions: list[Exclusion], searched: int = 0) -> Findings:
    tally = Tally(listed=len(exclusions) + searched, searched=searched)
    for exclusion in exclusions:
        tally.count(exclusion)
    inventory = Inventory(InventoryStatus.OFF)
    judgement = judge(job, tally.backups, inventory)
    failed = {one.reason: one for one in reversed(exclusions) if one.is_failed}
    return Findings(job, tally, inventory, judgement, datetime(2026, 11, 20, tzinfo=UTC), Examples(failed=failed))


def failed(number: int, message: str | None = "Access denied") -> Exclusion:
    arn = f"arn:aws:ec2:us-east-1::snapshot/snap-{number:08d}"
    return Exclusion(backup(status="FAILED", status_message=message, backup_arn=arn), Reason.PERMISSION_DENIED)


def published(job: SearchJob, exclusions: list[Exclusion]) -> list[Message]:
    rows = [row(job, exclusion) for exclusion in exclusions]
    spooled = FailedRows(BytesIO())
    for one in rows:
        spooled.add(one, compact_json(one))
    return list(messages(findings_of(job, exclusions), spooled, "reports-bucket"))


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


@settings(max_examples=40)
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
    assert mail.startswith("Nothing searched. Not looked at: 1 of vol-0001")
    assert "Name: find invoice" in mail
    assert "1. 1 x Permission denied: " in mail
    assert f"--search-job-identifier {JOB_ID}" in mail
    assert "snap-00000001" in mail
    assert f"s3://reports-bucket/reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/" in mail


def test_a_mail_that_is_cut_still_says_where_the_report_is() -> None:
    everything = [Exclusion(backup(status="FAILED", status_message="拒否" * 900), reason) for reason in Reason]
    (message,) = published(search_job(name="拒否" * 900, status_message="拒否" * 900), everything)

    mail = json.loads(message.body)["email"]
    assert "cut to fit the message" in mail
    assert f"s3://reports-bucket/reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/" in mail


def unwrapped(text: str) -> str:
    """Take the line breaks out."""
    return " ".join(text.split())


def test_without_an_inventory_a_complete_search_claims_no_more_than_aws_listed() -> None:
    text = unwrapped(digest(findings_of(search_job(), [], searched=3), "bucket", "prefix/", "https://console"))

    assert text.startswith("COMPLETE. No backup that AWS lists for it was left out.")
    assert "Backups without an index may be missing from the list" in text


def test_a_complete_search_is_not_said_to_prove_what_a_search_of_metadata_cannot() -> None:
    for status in (InventoryStatus.OFF, InventoryStatus.COMPLETE):
        findings = replace(findings_of(search_job(), [], searched=3), inventory=Inventory(status))

        text = unwrapped(digest(findings, "bucket", "prefix/", "https://console"))

        assert "It never reads what is inside a file or an object." in text
        assert "this does not prove that a text, or a person's data, is in no backup." in text
        assert "WHAT EVEN A COMPLETE SEARCH DOES NOT SEE - what is inside a file or an object" in text


def test_what_is_missing_stands_first_by_source_and_the_failed_are_grouped_by_source_and_reason() -> None:
    payroll = [
        backup(status="FAILED", source_resource_arn="arn:aws:s3:::payroll-archive", status_message="Denied")
    ] * 22
    records = [backup(status="FAILED", source_resource_arn=f"arn:aws:s3:::hr-records-{n}") for n in range(408, 413)]
    exclusions = [
        *(Exclusion(one, Reason.PERMISSION_DENIED) for one in payroll),
        *(Exclusion(one, Reason.INDEX_FAILED) for one in records),
    ]

    (message,) = published(search_job(), exclusions)

    mail = unwrapped(json.loads(message.body)["email"])
    assert mail.startswith(
        "Nothing searched. Not looked at: 22 of payroll-archive (20 Nov), 1 each of hr-records-408 … 412 (20 Nov). "
    )
    _, _, of_failed = mail.partition("FAILED BACKUPS (27) ")
    assert "- Permission denied: 22 of payroll-archive (20 Nov) for example arn:" in of_failed
    assert "- Index failed: 1 each of hr-records-408 … 412 (20 Nov) for example arn:" in of_failed
    assert of_failed.count("arn:") == 2
    assert "_" not in of_failed


def test_the_mail_calls_the_verdict_none_nothing_searched_and_machines_get_the_code() -> None:
    (message,) = published(search_job(status="FAILED"), [])

    assert message.subject == "Nothing searched: no backup listed - find-invoice"
    assert unwrapped(json.loads(message.body)["email"]).startswith(
        "Nothing searched. The result of this search says nothing"
    )
    assert json.loads(json.loads(message.body)["default"])["verdict"] == "NONE"
    assert message.attributes["verdict"].value == "NONE"


def test_with_an_inventory_the_mail_counts_what_the_search_did_not_even_list() -> None:
    not_listed = [
        Exclusion(Backup(backup_arn=f"arn:{number}"), Reason.INDEX_MISSING, BackupIndex(vault="v"), listed=False)
        for number in range(3)
    ]
    tally = Tally(listed=7, searched=7)
    for exclusion in not_listed:
        tally.count(exclusion)
    inventory = Inventory(InventoryStatus.COMPLETE, vaults=1, in_scope=10, not_listed=3)
    job = search_job(name="audit")
    findings = Findings(job, tally, inventory, judge(job, tally.backups, inventory), datetime(2026, 11, 20, tzinfo=UTC))

    assert subject(findings) == "PARTIAL: 3 of 10 backups not searched - audit"
    text = unwrapped(digest(findings, "bucket", "prefix/", "https://console"))
    assert "Backups: 10 in scope, 7 listed, 7 searched, 3 NOT searched" in text
    assert "- 3 of 10 backups in the scope of the search are not in its list, so it did not look at them." in text
    assert "it was not compared with the vaults" not in text


@given(value=st.dictionaries(st.text(), st.text() | st.none()))
def test_the_size_of_json_in_a_message_is_counted_without_quoting_it(value: dict[str, str | None]) -> None:
    text = compact_json(value)

    assert _size_of_json_in_message(text) == _size_in_message(text) + len(",")


@given(name=st.text(max_size=500) | st.none(), message=st.text(max_size=800) | st.none())
def test_no_line_of_the_mail_is_longer_than_78_characters_unless_it_is_one_link_or_arn(
    name: str | None, message: str | None
) -> None:
    exclusions = [failed(number, message) for number in range(3)]
    findings = findings_of(search_job(name=name, status_message=message), exclusions, searched=2)

    text = digest(findings, "reports-" + "b" * 50, "reports/1/2/3/", "https://console.example/" + "x" * 100)

    for line in text.splitlines():
        assert len(line) <= 78 or len(line.removeprefix("-").split()) == 1 or max(map(len, line.split())) > 60, line


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
            one = row(search_job(), failed(number))
            spooled.add(one, compact_json(one))
        file.flush()

        assert (tmp_path / "failed").stat().st_size > 100_000
        assert sum(len(rows) for rows in spooled.rows_of_parts()) == 1000
