"""What holds for whatever AWS sends, in whatever order."""

import csv
import gzip
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.aws.backup_search import _backup
from search_coverage.coverage.exclusion import Exclusion, Reason, exclusion_reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import BackupCounts, Inventory, InventoryStatus, Verdict, judge
from search_coverage.report.files.keys import ReportKeys
from search_coverage.report.files.row import COLUMNS
from search_coverage.report.files.spool import Spool, spool_folder
from tests.examples import search_job
from tests.unit.test_fast_pages import MEMBERS
from tests.unit.test_messages import SNS_LIMIT, published

_TRUST = [Verdict.NONE, Verdict.PARTIAL, Verdict.COMPLETE]
_MESSAGES = st.none() | st.text(max_size=60) | st.sampled_from(["Access denied", "Index status is PENDING", " "])
_STATUSES = st.none() | st.text(max_size=12) | st.sampled_from(["COMPLETED", "FAILED", "RUNNING", "STOPPED", "PENDING"])
_TEXTS = {"Status": _STATUSES, "StatusMessage": _MESSAGES}


def _datetime(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC).replace(tzinfo=None)  # as hypothesis wants its limits


_SECONDS = (
    st.none() | st.floats(0, 4_000_000_000) | st.datetimes(timezones=st.just(UTC), min_value=_datetime(1970, 1, 2))
)
# Every member that the model has, each of them there or not.
ROWS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        name: _SECONDS if member.type_name == "timestamp" else _TEXTS.get(name, st.none() | st.text(max_size=20))
        for name, member in MEMBERS.items()
    },
)
_COUNTS = st.none() | st.integers(0, 30)
JOBS = st.builds(
    search_job,
    status=st.sampled_from(["COMPLETED", "FAILED", "STOPPED", "TIMED_OUT", ""]),
    status_message=st.none() | st.text(max_size=10),
    recovery_points_to_scan=_COUNTS,
    recovery_points_scanned=_COUNTS,
)
INVENTORIES = st.builds(Inventory, status=st.sampled_from(InventoryStatus))


@given(row=ROWS)
def test_every_row_of_the_models_shape_is_searched_or_has_a_reason(row: dict[str, Any]) -> None:
    reason = exclusion_reason(_backup(row))

    is_clean = row.get("Status") == "COMPLETED" and not row.get("StatusMessage")
    assert (reason is None) == is_clean
    assert reason is None or reason in Reason


@given(job=JOBS, searched=st.integers(0, 20), excluded=st.integers(0, 20), inventory=INVENTORIES)
def test_an_exclusion_more_never_makes_a_verdict_better(
    job: SearchJob, searched: int, excluded: int, inventory: Inventory
) -> None:
    def verdict(searched: int, excluded: int) -> int:
        counts = BackupCounts(searched + excluded, searched, excluded, 0)
        return _TRUST.index(judge(job, counts, inventory).verdict)

    assert verdict(searched, excluded + 1) <= verdict(searched, excluded)
    if searched:  # one that was searched, and now is not
        assert verdict(searched - 1, excluded + 1) <= verdict(searched, excluded)


@given(job=JOBS, searched=st.integers(0, 20), excluded=st.integers(1, 20), inventory=INVENTORIES)
def test_nothing_that_was_excluded_leaves_a_search_complete(
    job: SearchJob, searched: int, excluded: int, inventory: Inventory
) -> None:
    judgement = judge(job, BackupCounts(searched + excluded, searched, excluded, 0), inventory)

    assert judgement.verdict is not Verdict.COMPLETE
    assert judgement.reasons


def written(rows: list[dict[str, Any]], job: SearchJob) -> tuple[list[dict[str, str]], list[dict[str, Any]], Any]:
    """Put rows through the spool as a report does; give what CSV and JSON Lines read back as, and the counts."""
    with spool_folder() as folder, Spool(folder, job) as spool:
        for row in rows:
            reason = exclusion_reason(backup := _backup(row))
            if reason is not None:
                spool.add(Exclusion(backup, reason))
        table, lines = spool.finish_tables()
        with table.path.open(encoding="utf-8", newline="") as file:
            cells = list(csv.DictReader(file))
        records = [json.loads(line) for line in gzip.decompress(lines.path.read_bytes()).splitlines()]
        return cells, records, spool.tally


@given(rows=st.lists(ROWS, max_size=12), name=st.none() | st.text(max_size=30))
def test_csv_and_json_lines_read_back_as_the_same_rows(rows: list[dict[str, Any]], name: str | None) -> None:
    cells, records, tally = written(rows, search_job(name=name))

    assert len(cells) == len(records) == tally.excluded
    for cell, record in zip(cells, records, strict=True):
        assert tuple(cell) == tuple(record) == COLUMNS
        for column in COLUMNS:
            text = "" if record[column] is None else str(record[column])
            assert cell[column].replace("'", "") == text.replace("'", "")
            assert not cell[column].startswith(("=", "+", "-", "@", "\t", "\r"))


@given(pages=st.lists(st.lists(ROWS, max_size=5), max_size=5), data=st.data())
def test_any_order_of_pages_gives_the_same_report(pages: list[list[dict[str, Any]]], data: st.DataObject) -> None:
    other = data.draw(st.permutations(pages))

    _, records, tally = written([row for page in pages for row in page], search_job())
    _, other_records, other_tally = written([row for page in other for row in page], search_job())

    assert tally.backups == other_tally.backups
    assert tally.by_reason == other_tally.by_reason
    assert tally.by_resource_type == other_tally.by_resource_type
    assert Counter(map(json.dumps, records)) == Counter(map(json.dumps, other_records))


@settings(max_examples=30)
@given(messages=st.lists(st.integers(0, 40_000), max_size=25), character=st.sampled_from('a"\\\n\x01é拒😀'))
def test_parts_hold_every_failed_backup_once_in_order_and_fit(messages: list[int], character: str) -> None:
    exclusions = [
        Exclusion(
            _backup({"Status": "FAILED", "StatusMessage": character * length, "BackupResourceArn": str(number)}),
            Reason.FAILED_OTHER,
        )
        for number, length in enumerate(messages)
    ]

    parts = published(search_job(), exclusions)

    bodies = [json.loads(json.loads(part.body)["default"]) for part in parts]
    assert [row["backup_arn"] for body in bodies for row in body["failedBackups"]] == [
        str(number) for number in range(len(messages))
    ]
    assert [body["part"] for body in bodies] == list(range(1, len(parts) + 1))
    assert {body["parts"] for body in bodies} == {len(parts)}
    assert all(part.size < SNS_LIMIT for part in parts)
    assert [part.attributes["kind"].value for part in parts] == ["digest", *["entries"] * (len(parts) - 1)]


@given(job=JOBS, name=st.none() | st.text(), ended=st.datetimes(_datetime(2020, 1, 1), _datetime(2100, 1, 1)))
def test_the_keys_depend_on_which_job_it_is_and_when_it_ended_and_on_nothing_else(
    job: SearchJob, name: str | None, ended: datetime
) -> None:
    ended = ended.replace(tzinfo=UTC)
    keys = ReportKeys.of(search_job(completion_time=ended))

    assert ReportKeys.of(replace(job, name=name, completion_time=ended)) == keys
    assert ReportKeys.of(replace(job, creation_time=ended - timedelta(days=3), completion_time=ended)) == keys
