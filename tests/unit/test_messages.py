"""What goes out over SNS: all failed backups, in parts that fit, and one digest."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.report.files.json_text import compact_json
from search_coverage.report.files.row import row
from search_coverage.report.mail.alert import NotifyOn, is_due
from search_coverage.report.mail.digest import digest, subject
from search_coverage.report.mail.messages import FailedRows, _size_in_message, _size_of_json_in_message
from tests.examples import JOB_ID, search_job
from tests.reports import PREFIX, Report, excluded, failed, report

SNS_LIMIT = 256 * 1024


def denied(number: int, message: str | None = "Access denied") -> Exclusion:
    arn = f"arn:aws:ec2:us-east-1::snapshot/snap-{number:08d}"
    return failed(Reason.PERMISSION_DENIED, status_message=message, backup_arn=arn)


def nothing_searched(exclusions: list[Exclusion], **job: Any) -> Report:
    return report(exclusions, searched=0, job=search_job(**job))


def assert_the_parts_are_whole_and_fit(parts: Report, arns: list[str]) -> None:
    bodies = parts.bodies
    assert [body["part"] for body in bodies] == list(range(1, len(bodies) + 1))
    assert {body["parts"] for body in bodies} == {len(bodies)}
    assert [backup["backup_arn"] for body in bodies for backup in body["failedBackups"]] == arns
    assert all(message.size < SNS_LIMIT for message in parts.messages)
    kinds = [message.attributes["kind"].value for message in parts.messages]
    assert kinds == ["digest", *["entries"] * (len(kinds) - 1)]
    assert ["email" in json.loads(message.body) for message in parts.messages] == [True, *[False] * (len(kinds) - 1)]


def test_every_failed_backup_is_in_exactly_one_part_every_part_fits_and_only_the_first_carries_the_mail() -> None:
    exclusions = [denied(number) for number in range(5000)]

    parts = nothing_searched(exclusions)

    assert_the_parts_are_whole_and_fit(parts, [str(one.backup.backup_arn) for one in exclusions])
    assert len(parts.messages) > 1


@settings(max_examples=30)
@given(messages=st.lists(st.integers(0, 40_000), max_size=25), character=st.sampled_from('a"\\\n\x01é拒😀'))
def test_parts_hold_every_failed_backup_once_in_order_and_fit(messages: list[int], character: str) -> None:
    exclusions = [failed(status_message=character * n, backup_arn=str(arn)) for arn, n in enumerate(messages)]

    assert_the_parts_are_whole_and_fit(nothing_searched(exclusions), [str(arn) for arn in range(len(messages))])


def test_the_machines_message_is_the_one_of_the_contract() -> None:
    made = nothing_searched([denied(1)])

    (body,) = made.bodies
    assert list(body) == [
        "version", "type", "searchJob", "verdict", "backups", "previous", "results", "report",
        "part", "parts", "failedBackups",
    ]  # fmt: skip
    assert body["type"] == "FailedSearchJobBackups"
    assert body["searchJob"]["identifier"] == JOB_ID
    assert body["report"]["prefix"] == PREFIX
    assert body["report"]["consoleUrl"].startswith(
        "https://us-east-1.console.aws.amazon.com/s3/buckets/reports-bucket?"
    )
    assert {name: attribute.value for name, attribute in made.messages[0].attributes.items()} == {
        "kind": "digest",
        "searchJobIdentifier": JOB_ID,
        "verdict": "NONE",
        "account": "000000000000",
        "region": "us-east-1",
        "failedCount": "1",
        "excludedCount": "1",
        "resourceTypes": '["EBS"]',
    }


@settings(max_examples=40)
@given(
    name=st.none() | st.text(max_size=600),
    texts=st.lists(st.text(min_size=1, max_size=50).map(lambda text: text * 3000), min_size=1, max_size=4),
)
def test_a_message_fits_however_long_and_strange_the_texts_from_aws(name: str | None, texts: list[str]) -> None:
    parts = nothing_searched(
        [denied(number, text) for number, text in enumerate(texts)],
        name=(name or "") * 50,
        status_message=texts[0],
        encryption_key_arn=texts[-1],
    )

    assert all(message.size < SNS_LIMIT for message in parts.messages)
    assert sum(len(body["failedBackups"]) for body in parts.bodies) == len(texts)


@given(name=st.text(max_size=500) | st.none())
def test_the_subject_is_valid_whatever_the_name(name: str | None) -> None:
    line = subject(report([denied(1)], searched=3, job=search_job(name=name)).findings)

    assert len(line.encode("utf-16-le")) // 2 < 100  # however SNS counts an emoji
    assert line.isprintable()
    assert line.startswith("PARTIAL: 1 of 4 backups not searched - ")


def test_the_mail_says_what_counts_and_where_the_rest_is() -> None:
    mail = nothing_searched([denied(1)], name="find\ninvoice").mail

    assert mail.startswith("Nothing searched. Not looked at: 1 of vol-0001")
    for text in (
        "Name: find invoice",
        "1. 1 x Permission denied: ",
        f"--search-job-identifier {JOB_ID}",
        "snap-00000001",
        f"s3://reports-bucket/{PREFIX}",
    ):
        assert text in mail


def test_a_mail_that_is_cut_still_says_where_the_report_is() -> None:
    everything = [failed(reason, status_message="拒否" * 900) for reason in Reason]

    mail = nothing_searched(everything, name="拒否" * 900, status_message="拒否" * 900).mail

    assert "cut to fit the message" in mail
    assert f"s3://reports-bucket/{PREFIX}" in mail


def test_without_an_inventory_a_complete_search_claims_no_more_than_aws_listed() -> None:
    mail = report(searched=3).unwrapped_mail

    assert mail.startswith("COMPLETE. No backup that AWS lists for it was left out.")
    assert "Backups without an index may be missing from the list" in mail


def test_what_is_missing_is_first_by_source_and_the_failed_are_grouped_by_source_and_reason() -> None:
    payroll = failed(Reason.PERMISSION_DENIED, source_resource_arn="arn:aws:s3:::payroll-archive")
    records = [failed(Reason.INDEX_FAILED, source_resource_arn=f"arn:aws:s3:::hr-records-{n}") for n in range(408, 413)]

    mail = nothing_searched([*[payroll] * 22, *records]).unwrapped_mail

    assert mail.startswith(
        "Nothing searched. Not looked at: 22 of payroll-archive (20 Nov), 1 each of hr-records-408 … 412 (20 Nov). "
    )
    _, _, of_failed = mail.partition("FAILED BACKUPS (27) ")
    assert "- Permission denied: 22 of payroll-archive (20 Nov) for example arn:" in of_failed
    assert "- Index failed: 1 each of hr-records-408 … 412 (20 Nov) for example arn:" in of_failed
    assert of_failed.count("arn:") == 2
    assert "_" not in of_failed


def test_a_search_that_failed_without_a_failed_backup_is_nothing_searched_in_the_mail_and_none_for_machines() -> None:
    made = nothing_searched([], status="FAILED")

    assert made.messages[0].subject == "Nothing searched: no backup listed - find-invoice"
    assert made.unwrapped_mail.startswith("Nothing searched. The result of this search says nothing")
    (body,) = made.bodies
    assert (body["failedBackups"], body["verdict"]) == ([], "NONE")
    assert made.messages[0].attributes["verdict"].value == "NONE"


def test_with_an_inventory_the_mail_counts_what_the_search_did_not_list_and_writes_numbers_with_commas() -> None:
    not_listed = [
        Exclusion(Backup(backup_arn=f"arn:{number}"), Reason.INDEX_MISSING, BackupIndex(vault="v"))
        for number in range(3)
    ]
    inventory = Inventory(InventoryStatus.COMPLETE, vaults=1, in_scope=7003, not_listed=3)

    made = report(not_listed, searched=7000, job=search_job(name="audit"), inventory=inventory)

    assert made.messages[0].subject == "PARTIAL: 3 of 7,003 backups not searched - audit"
    mail = made.unwrapped_mail
    assert "Backups: 7,003 in scope, 7,000 listed, 7,000 searched, 3 NOT searched" in mail
    assert "- 3 of 7,003 backups in the scope of the search are not in its list, so it did not look at them." in mail
    assert "it was not compared with the vaults" not in mail


@given(value=st.dictionaries(st.text(), st.text() | st.none()))
def test_the_size_of_json_in_a_message_is_counted_without_quoting_it(value: dict[str, str | None]) -> None:
    text = compact_json(value)

    assert _size_of_json_in_message(text) == _size_in_message(text) + len(",")


@given(name=st.text(max_size=500) | st.none(), message=st.text(max_size=800) | st.none())
def test_no_line_of_the_mail_is_longer_than_78_characters_unless_it_is_one_link_or_arn(
    name: str | None, message: str | None
) -> None:
    exclusions = [denied(number, message) for number in range(3)]
    findings = report(exclusions, searched=2, job=search_job(name=name, status_message=message)).findings

    text = digest(findings, "reports-" + "b" * 50, "reports/1/2/3/", "https://console.example/" + "x" * 100)

    for line in text.splitlines():
        assert len(line) <= 78 or len(line.removeprefix("-").split()) == 1 or max(map(len, line.split())) > 60, line


STOPPED = excluded(Reason.NOT_FINISHED, status="STOPPED")


@pytest.mark.parametrize(
    ("notify_on", "exclusions", "job", "due"),
    [
        (NotifyOn.FAILED, [denied(1)], {}, True),
        (NotifyOn.FAILED, [], {"status": "FAILED"}, True),
        (NotifyOn.FAILED, [STOPPED], {}, False),
        (NotifyOn.FAILED, [], {}, False),
        (NotifyOn.EXCLUDED, [STOPPED], {}, True),
        (NotifyOn.EXCLUDED, [], {"recovery_points_to_scan": 9}, True),
        (NotifyOn.EXCLUDED, [], {"status": "FAILED"}, True),
        (NotifyOn.EXCLUDED, [], {}, False),
        (NotifyOn.ALWAYS, [], {}, True),
    ],
)
def test_a_report_is_published_when_the_setting_asks_for_it(
    notify_on: NotifyOn, exclusions: list[Exclusion], job: dict[str, Any], *, due: bool
) -> None:
    assert is_due(notify_on, report(exclusions, searched=1, job=search_job(**job)).findings) is due


def test_the_rows_are_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "failed").open("w+b") as file:
        spooled = FailedRows(file)
        for number in range(1000):
            one = row(search_job(), denied(number))
            spooled.add(one, compact_json(one))
        file.flush()

        assert (tmp_path / "failed").stat().st_size > 100_000
        assert sum(len(rows) for rows in spooled.rows_of_parts()) == 1000
