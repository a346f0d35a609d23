"""CSV, JSON Lines and summary: the same backups, to the row, whatever AWS sends and in whatever order."""

import csv
import hashlib
import json
import re
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.aws.backup_search import _backup
from search_coverage.coverage.exclusion import Exclusion, Reason, exclusion_reason
from search_coverage.report.files import csv_table
from search_coverage.report.files.row import COLUMNS
from search_coverage.report.files.spool import DiskFull, Spool, spool_folder
from search_coverage.report.page import html
from tests.examples import JOB_ID, search_job
from tests.reports import CSV_KEY, Report, excluded, failed, report
from tests.unit.strategies import ROWS

HEADER = (
    "search_job_id,search_job_name,backup_arn,resource_type,source_resource_arn,backup_created,index_created,status,"
    "status_message,reason,remedy,backup_vault,index_status,index_status_message,"
    "excluded_since"
)


def test_an_excluded_backup_is_one_row_in_csv_and_in_json_lines() -> None:
    made = report([failed(status_message="Access denied, sorry")])

    header, row = made.csv.decode().split("\r\n")[:2]
    assert header == HEADER
    assert row.startswith(f"{JOB_ID},find-invoice,arn:aws:ec2:us-east-1::snapshot/snap-0001,EBS,")
    assert ',2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,FAILED,"Access denied, sorry",FAILED_OTHER,' in row
    (record,) = made.lines
    assert ",".join(record) == HEADER
    assert record["backup_vault"] is None


def test_a_member_that_aws_did_not_send_is_empty_in_csv_and_null_in_json() -> None:
    nameless = excluded(Reason.UNKNOWN_STATUS, status=None, backup_arn=None, created=None)

    made = report([nameless], job=search_job(name=None))

    for column in ("search_job_name", "backup_arn", "backup_created", "status"):
        assert made.rows[0][column] == ""
        assert made.lines[0][column] is None


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *((f"{start}cmd|' /C calc'!A0", f"'{start}cmd|' /C calc'!A0") for start in "=+-@＝"),
        ("\tcmd", "'\tcmd"),
        ("\rcmd", "'\rcmd"),
        ("\0=1+1", "'\0'=1+1"),
        ("\x1b=1+1", "'\x1b'=1+1"),
        ("\n=1+1", "'\n'=1+1"),
        ("\ufeff =1+1", "\ufeff '=1+1"),
        ("two\r\n=1+1", "two\r\n'=1+1"),
        ("x;=1+1", "x;'=1+1"),
        ('x; "=1+1"', 'x; "\'=1+1"'),
        ("x\t@SUM(1)", "x\t'@SUM(1)"),
        ("x|-1", "x|'-1"),
        ("a=b; c - d, -e", "a=b; c - d, -e"),
        ("", ""),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_defused_in_csv_and_verbatim_in_json(name: str, cell: str) -> None:
    made = report([failed()], job=search_job(name=name))

    assert made.rows[0]["search_job_name"] == cell
    assert made.lines[0]["search_job_name"] == name


@given(message=st.text(alphabet=st.sampled_from('=+-@;|,"\t\r\n\0\x0b \ufeffa1'), max_size=30))
def test_no_importer_finds_a_formula_whatever_it_splits_at(message: str) -> None:
    text = report([failed(status_message=message)], job=search_job(name=message)).csv.decode()
    with_quotes = [cell for row in csv.reader(StringIO(text, newline="")) for cell in row]
    without_quotes = re.split("[;\t|\v\r\n]", text)

    for cell in (*with_quotes, *without_quotes):
        seen = re.sub('^[\\s\0\ufeff"]+', "", cell)
        assert not seen.startswith(("=", "+", "-", "@")), cell


def test_the_pages_own_download_defuses_with_the_same_patterns() -> None:
    script = (Path(html.__file__).parent / "templates" / "report.js").read_text(encoding="utf-8")

    for name in ("CONTROL_START", "CELL_START"):
        (pattern,) = re.findall(rf"const {name} = /(.*)/g?;", script)
        assert pattern == getattr(csv_table, f"_{name}").pattern


def report_on(rows: list[dict[str, Any]], name: str | None = None) -> Report:
    """Make a report on rows of ListSearchJobBackups."""
    backups = map(_backup, rows)
    found = [Exclusion(backup, reason) for backup in backups if (reason := exclusion_reason(backup))]
    return report(found, job=search_job(name=name))


@given(rows=st.lists(ROWS, max_size=12), name=st.none() | st.text(max_size=30))
def test_csv_and_json_lines_read_back_as_the_same_rows_with_every_text_as_it_was(
    rows: list[dict[str, Any]], name: str | None
) -> None:
    made = report_on(rows, name)

    excluded_messages = [row.get("StatusMessage") for row in rows if exclusion_reason(_backup(row))]
    assert [record["status_message"] for record in made.lines] == excluded_messages
    for cells, record in zip(made.rows, made.lines, strict=True):
        assert tuple(cells) == tuple(record) == COLUMNS
        for column in COLUMNS:
            text = "" if record[column] is None else record[column].encode("utf-8", "backslashreplace").decode()
            assert cells[column].replace("'", "") == text.replace("'", "")
            assert not cells[column].startswith(("=", "+", "-", "@", "\t", "\r"))


@given(pages=st.lists(st.lists(ROWS, max_size=5), max_size=5), data=st.data())
def test_any_order_of_pages_gives_the_same_report(pages: list[list[dict[str, Any]]], data: st.DataObject) -> None:
    orders = pages, data.draw(st.permutations(pages))
    one, other = (report_on([row for page in order for row in page]) for order in orders)

    for member in ("backups", "excludedByReason", "excludedByResourceType"):
        assert one.summary[member] == other.summary[member]
    assert Counter(map(json.dumps, one.lines)) == Counter(map(json.dumps, other.lines))


def test_the_same_exclusions_give_the_same_bytes() -> None:
    one, other = report([failed()]), report([failed()])

    assert (one.csv, one.jsonl) == (other.csv, other.jsonl)


def test_the_summary_carries_the_counts_and_how_to_check_the_files() -> None:
    made = report([failed(), excluded(Reason.NOT_FINISHED, status="STOPPED", resource_type=None)], searched=1)

    written = made.summary
    assert written["version"] == 1
    assert written["verdict"] == "PARTIAL"
    assert written["backups"] == {"listed": 3, "searched": 1, "excluded": 2, "failed": 1}
    assert written["excludedByReason"] == {"FAILED_OTHER": 1, "NOT_FINISHED": 1}
    assert written["excludedByResourceType"] == {"EBS": 1, "UNKNOWN": 1}
    assert written["notification"] == {"failedBackups": 1, "messageIds": ["message-1"], "pending": None}
    sha256 = hashlib.sha256(made.csv).hexdigest()
    assert written["files"]["csv"] == {
        "key": CSV_KEY,
        "sha256": sha256,
        "bytes": len(made.csv),
        "rows": 2,
        "versionId": "v1",
    }
    assert written["inventory"]["status"] == "OFF"
    assert written["generatedAt"] == "2026-11-20T09:06:00Z"


def test_a_page_with_half_a_character_is_written_with_its_escape(tmp_path: Path) -> None:
    with Spool(tmp_path, search_job()) as spool:
        file = spool.write_page("\ud800")

    assert file.path.read_bytes() == b"\\ud800"


def test_a_folder_that_a_killed_run_left_behind_is_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left_behind = tmp_path / "search-coverage-dead"
    left_behind.mkdir()
    monkeypatch.setattr("time.time", lambda: left_behind.stat().st_mtime + 7200)

    with spool_folder() as folder:
        assert not left_behind.exists()
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence_that_says_how_large_it_is_and_what_to_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def spool_onto_a_full_disk() -> None:
        with spool_folder() as folder:
            (folder / "excluded-backups.csv").symlink_to("/dev/full")
            with Spool(folder, search_job()) as spool:
                for _ in range(1000):
                    spool.add(failed())

    with pytest.raises(DiskFull) as raised:
        spool_onto_a_full_disk()

    sentence = str(raised.value)
    assert f"{tmp_path} is full: all of it is " in sentence
    assert " MB, " in sentence
    assert "TEMPORARY_STORAGE" in sentence
    assert sentence.isprintable()
    assert list(tmp_path.iterdir()) == []


def test_another_error_of_the_disk_stays_what_it_is() -> None:
    with pytest.raises(FileNotFoundError), spool_folder() as folder:
        (folder / "missing").read_text()
