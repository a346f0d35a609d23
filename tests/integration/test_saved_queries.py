"""The saved queries of Athena, asked over files that the report function wrote."""

import json
import re
from datetime import date

import duckdb
import pytest

from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.handlers.failures import UnexpectedError
from simulators.backup_search import BackupGroup, Scope
from tests.integration.athena import (
    DENIED,
    TABLES,
    Reports,
    Table,
    assert_fits,
    backup,
    left_out,
    reports,
    searched,
    simulator,
    source,
)
from tests.invocation import ACCOUNT, REGION

__all__ = ["reports", "simulator"]  # fixtures


# The tables and the files


@pytest.mark.parametrize("name", TABLES)
def test_each_column_of_a_table_is_in_the_files_and_nothing_else_is(reports: Reports, name: str) -> None:
    # Given reports with everything that a report can have
    reports.of_search(5, searched(), left_out("invoices"), left_out("invoices", 2, "STOPPED"))
    reports.of_search(5, searched())
    reports.with_inventory()
    table = Table.named(name)

    # When the files are read line by line
    found = list(table.lines(reports.deployment))

    # Then each line has the members that the table describes, of its types, and no other
    assert found
    for key, line in found:
        assert_fits(table.columns, line, name)
        place = re.match(table.keys, key)
        assert place is not None
        assert place.groupdict() == {"account": ACCOUNT, "region": REGION, "date": "2026-10-05"}


def test_the_line_of_a_search_job_is_its_summary(reports: Reports) -> None:
    search_job = reports.of_search(5, left_out("invoices"), name="two\nlines\u2028and\rmore")

    key = f"summaries/account={ACCOUNT}/region={REGION}/date=2026-10-05/{search_job}.json"
    text = reports.deployment.read(key)
    summary = reports.deployment.summary(search_job)
    assert summary
    del summary["searchJob"]["itemFilters"]  # no table shows what a search looked for
    assert json.loads(text) == summary
    assert text.endswith(b"}\n")
    assert (text.count(b"\n"), text.count(b"\r")) == (1, 0)


def test_a_run_that_dies_between_the_line_and_the_mark_is_completed_under_the_same_keys(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run that dies right before summary.json
    search_job = reports.ended(5, left_out("invoices"))
    with monkeypatch.context() as patch:
        patch.setattr(ReportBucket, "put_summary", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(UnexpectedError, match="OSError"):
            reports.deployment.report({"searchJobIdentifier": search_job})
    assert reports.deployment.summary(search_job) is None
    before = reports.deployment.stored()

    # When the next sweep comes, and the report is written
    assert reports.deployment.sweep()["announced"] == 1
    reports.deployment.forget_idempotency()
    reports.deployment.report({"searchJobIdentifier": search_job})

    # Then it has its mark, and nothing is there twice
    (mark,) = set(reports.deployment.stored()) - set(before)
    assert mark.endswith(f"{search_job}/summary.json")
    assert len(reports.answer("coverage-by-week")) == 1


def test_the_rest_of_a_report_that_was_cut_short_is_in_no_answer(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one report, and the files of another one that was not finished
    reports.of_search(5, left_out("invoices"))
    cut_short = reports.ended(5, left_out("invoices"))

    def refuse(*_: object) -> None:
        raise AwsCallFailed("S3 takes no summary")

    with monkeypatch.context() as patch:
        patch.setattr(ReportBucket, "put_summary_line", refuse)
        with pytest.raises(AwsCallFailed):
            reports.deployment.report({"searchJobIdentifier": cut_short})
    assert reports.deployment.json_rows(cut_short)

    # Then no query counts them
    assert reports.answer("excluded-again-and-again") == []
    assert reports.answer("excluded-again-and-again-backups") == []
    assert reports.answer("coverage-by-week", "searches") == [(1,)]
    assert reports.answer("never-searched-whole", "searches_that_left_out") == [(1,)]
    assert len(reports.answer("one-bucket-or-volume", about="invoices")) == 1
    assert len(reports.answer("excluded-on-a-day", about="2026-10-05")) == 1


# The queries, each over a few reports


def test_sources_that_are_excluded_again_and_again_come_with_their_searches_and_reasons(reports: Reports) -> None:
    # Given a bucket of which three searches left out something, one of which two did, one of which only one did
    reports.of_search(5, searched(), left_out("invoices"), left_out("invoices", 2), left_out("mail"))
    reports.of_search(6, searched(), left_out("invoices", status="STOPPED"), left_out("once"))
    reports.of_search(9, searched(), left_out("invoices"), left_out("mail", status="TIMED_OUT"))

    columns = "source_resource_arn searches backups first_excluded last_excluded reasons"
    assert reports.answer("excluded-again-and-again", columns) == [
        (source("invoices"), 3, 2, "2026-10-05", "2026-10-09", "NOT_FINISHED, PERMISSION_DENIED"),
        (source("mail"), 2, 1, "2026-10-05", "2026-10-09", "PERMISSION_DENIED, UNKNOWN_STATUS"),
    ]


def test_backups_that_are_excluded_again_and_again_come_with_the_latest_remedy(reports: Reports) -> None:
    # Given a backup that two searches left out, for two reasons, one that one did, and two that AWS did not name
    nameless = BackupGroup(status="STOPPED", omit=("BackupResourceArn",))
    reports.of_search(5, left_out("invoices"), left_out("invoices", 2), nameless)
    latest = reports.of_search(6, left_out("invoices", status="STOPPED"), nameless)

    (row,) = reports.answer("excluded-again-and-again-backups")

    arn, reasons = backup("invoices"), "NOT_FINISHED, PERMISSION_DENIED"
    (remedy,) = {each["remedy"] for each in reports.deployment.json_rows(latest) if each["backup_arn"] == arn}
    assert row == (arn, source("invoices"), 2, "2026-10-05", "2026-10-06", reasons, remedy)


def test_a_source_was_never_searched_whole_only_if_no_search_can_have_done_it(reports: Reports) -> None:
    # Given a bucket of which every search that looked at something left out a backup, one of which a search did not
    reports.of_search(5, searched(), left_out("always"), left_out("sometimes"), scope=Scope())
    reports.of_search(6, searched(), left_out("always", 2), scope=Scope())
    # And a search that looked at nothing, one for volumes, and a volume
    reports.of_search(7, left_out("elsewhere"), scope=Scope())
    reports.of_search(8, left_out("vol-1"), searched("vol-2"), resource_type="EBS")

    # Then the answer is NEVER only for what no search can have searched whole; it gives the searches that left out a
    # backup, the first and the last of their days, and the searches to check
    assert reports.answer(
        "never-searched-whole",
        "searched_whole source_resource_arn resource_type searches_that_left_out first_left_out last_left_out "
        "searches_to_check latest_to_check",
    ) == [
        ("NEVER", source("always"), "S3", 2, "2026-10-05", "2026-10-06", 0, None),
        ("NEVER", source("vol-1"), "EBS", 1, "2026-10-08", "2026-10-08", 0, None),
        ("NOT KNOWN", source("elsewhere"), "S3", 1, "2026-10-07", "2026-10-07", 2, "2026-10-06"),
        ("NOT KNOWN", source("sometimes"), "S3", 1, "2026-10-05", "2026-10-05", 1, "2026-10-06"),
    ]


def test_a_search_with_nothing_excluded_counts_in_the_trend(reports: Reports) -> None:
    # Given a week with a whole search on Sunday, and one with a whole, a partial, an empty and a vain search
    reports.of_search(11, searched(count=4))
    reports.of_search(12, searched(count=10))
    reports.of_search(13, searched(count=2), left_out("invoices"), left_out("mail", status="STOPPED"))
    reports.of_search(14)
    reports.of_search(18, left_out("invoices"))

    assert reports.answer("coverage-by-week") == [
        (date(2026, 10, 5), 1, 1, 0, 0, 4, 0, 4, 0, 0, 100.0),
        (date(2026, 10, 12), 4, 1, 1, 2, 15, 0, 12, 3, 2, 80.0),
    ]


TREND = "listed not_listed searched excluded"


def test_backups_that_only_the_vaults_know_count_as_excluded(reports: Reports) -> None:
    # Given a bucket with backups that have no index, which AWS does not list
    reports.with_inventory()

    # Then they are in the trend, and the bucket was never searched whole
    assert reports.answer("coverage-by-week", f"{TREND} searched_percent") == [(7, 3, 7, 3, 70.0)]
    whole = reports.answer("never-searched-whole", "searched_whole source_resource_arn")
    assert whole == [("NEVER", source("invoices"))]


def test_the_trend_adds_up_whether_or_not_the_vaults_were_asked(reports: Reports) -> None:
    # Given a week in which one search was compared with the vaults, and two were not
    reports.with_inventory()
    reports.of_search(6, searched(count=5), left_out("mail"), left_out("mail", 2, "STOPPED"))
    reports.of_search(7, left_out("mail"))

    # Then the backups that were listed and those that were not are those that were searched and those that were not
    rows = [row for _, row in Table.named("excluded_backups").lines(reports.deployment)]
    assert len([row for row in rows if row["status"] is None]) == 3
    assert len(rows) == 6
    assert reports.answer("coverage-by-week", TREND) == [(7 + 7 + 1, 3, 7 + 5, 6)]


def test_the_trend_never_rounds_up_to_100_percent(reports: Reports) -> None:
    reports.of_search(5, searched(count=2999), left_out("invoices"))
    reports.of_search(12)

    assert reports.answer("coverage-by-week", "searched_percent") == [(99.9,), (None,)]


@pytest.mark.parametrize("asked", ["invoices", "arn:aws:s3:::invoices", "vol-1"])
def test_everything_about_one_bucket_or_volume_is_found_by_its_name_or_arn(reports: Reports, asked: str) -> None:
    # Given sources with similar names
    others = ("invoices-2", "my-invoices", "invoice")
    first = reports.of_search(5, left_out("invoices"), left_out("vol-1"), *map(left_out, others))
    again = (left_out("invoices", 2, "STOPPED"), left_out("vol-1", 2, "STOPPED"))
    last = reports.of_search(6, searched(), *again, name="again")

    name = asked.rpartition(":")[2]
    assert reports.answer(
        "one-bucket-or-volume",
        "date search_job_id search_job_name verdict backup_arn status reason status_message",
        about=asked,
    ) == [
        ("2026-10-06", last, "again", "PARTIAL", backup(name, 2), "STOPPED", "NOT_FINISHED", None),
        ("2026-10-05", first, "search", "NONE", backup(name), "FAILED", "PERMISSION_DENIED", DENIED),
    ]


def test_the_backups_excluded_on_a_day_come_with_their_first_day(reports: Reports) -> None:
    # Given two searches on a day, one before, one after, and a backup that AWS did not name
    nameless = BackupGroup(status="STOPPED", source=source("mail"), omit=("BackupResourceArn",))
    reports.of_search(5, left_out("invoices"), left_out("gone"), nameless)
    morning = reports.of_search(8, left_out("invoices"), left_out("new"), nameless, name="morning")
    evening = reports.of_search(8, searched(), left_out("invoices", status="STOPPED"), name="evening")
    reports.of_search(9, left_out("invoices"), left_out("new"))

    columns = "search_job_id search_job_name backup_arn reason left_out_since searches_so_far"
    answer = reports.answer("excluded-on-a-day", columns, about="2026-10-08")

    nth = {search_job: 2 + place for place, search_job in enumerate(sorted([morning, evening]))}
    assert set(answer) == {
        (morning, "morning", backup("invoices"), "PERMISSION_DENIED", "2026-10-05", nth[morning]),
        (evening, "evening", backup("invoices"), "NOT_FINISHED", "2026-10-05", nth[evening]),
        (morning, "morning", backup("new"), "PERMISSION_DENIED", "2026-10-08", 1),
        (morning, "morning", None, "NOT_FINISHED", None, None),
    }
    assert len(answer) == 4


def test_a_text_that_is_no_day_fails_instead_of_finding_nothing(reports: Reports) -> None:
    # Given a day without its quotes, which SQL takes for a subtraction
    reports.of_search(8, left_out("invoices"))

    with pytest.raises(duckdb.ConversionException, match="1998"):
        reports.answer("excluded-on-a-day", about=str(2026 - 20 - 8))
