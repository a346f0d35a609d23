"""CSV, JSON Lines, summary and page: the same backups, to the row."""

import csv
import gzip
import hashlib
import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.verdict import Inventory, InventoryStatus, judge
from search_coverage.report.files import csv_table
from search_coverage.report.files.spool import DiskFull, Spool, spool_folder
from search_coverage.report.files.summary import Notified, StoredFile, summary
from search_coverage.report.findings import Findings
from search_coverage.report.page import html
from search_coverage.report.page.html import page
from tests.examples import JOB_ID, backup, search_job

COLUMNS = (
    "search_job_id,search_job_name,backup_arn,resource_type,source_resource_arn,backup_created,index_created,status,"
    "status_message,reason,remedy,backup_vault,index_status,index_status_message"
)
OFF = Inventory(InventoryStatus.OFF)


def failed(**changes: object) -> Exclusion:
    return Exclusion(backup(status="FAILED", **changes), Reason.FAILED_OTHER)


def findings(spool: Spool) -> Findings:
    judgement = judge(search_job(), spool.tally.backups, OFF)
    return Findings(search_job(), spool.tally, OFF, judgement, datetime(2026, 11, 20, 9, 6, tzinfo=UTC), spool.examples)


def test_an_excluded_backup_is_one_row_in_csv_and_in_json_lines(tmp_path: Path) -> None:
    with Spool(tmp_path, search_job()) as spool:
        spool.add(failed(status_message="Access denied, sorry"))
        table, lines = spool.finish_tables()

    header, row = table.path.read_bytes().decode().split("\r\n")[:2]
    assert header == COLUMNS
    assert row.startswith(f"{JOB_ID},find-invoice,arn:aws:ec2:us-east-1::snapshot/snap-0001,EBS,")
    assert ',2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,FAILED,"Access denied, sorry",FAILED_OTHER,' in row
    decoded = json.loads(gzip.decompress(lines.path.read_bytes()))
    assert ",".join(decoded) == COLUMNS
    assert decoded["backup_vault"] is None


def test_a_member_that_aws_did_not_send_is_empty_in_csv_and_null_in_json(tmp_path: Path) -> None:
    with Spool(tmp_path, search_job(name=None)) as spool:
        spool.add(Exclusion(backup(status=None, backup_arn=None, created=None), Reason.UNKNOWN_STATUS))
        table, lines = spool.finish_tables()

    (row,) = csv.DictReader(table.path.read_text(encoding="utf-8").splitlines())
    decoded = json.loads(gzip.decompress(lines.path.read_bytes()))
    for column in ("search_job_name", "backup_arn", "backup_created", "status"):
        assert row[column] == ""
        assert decoded[column] is None


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
def test_a_cell_that_a_spreadsheet_would_run_is_defused_in_csv_and_verbatim_in_json(
    tmp_path: Path, name: str, cell: str
) -> None:
    with Spool(tmp_path, search_job(name=name)) as spool:
        spool.add(failed())
        table, lines = spool.finish_tables()

    with table.path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["search_job_name"] == cell
    assert json.loads(gzip.decompress(lines.path.read_bytes()))["search_job_name"] == name


@given(message=st.text(alphabet=st.sampled_from('=+-@;|,"\t\r\n\0\x0b \ufeffa1'), max_size=30))
def test_no_importer_finds_a_formula_whatever_it_splits_at(message: str) -> None:
    with spool_folder() as folder, Spool(folder, search_job(name=message)) as spool:
        spool.add(failed(status_message=message))
        table, _ = spool.finish_tables()
        text = table.path.read_bytes().decode()
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


@given(message=st.text(alphabet=st.characters(), max_size=200))
def test_any_text_comes_back_from_csv_and_json_lines_as_it_was(message: str) -> None:
    with spool_folder() as folder, Spool(folder, search_job()) as spool:
        spool.add(failed(status_message=message))
        table, lines = spool.finish_tables()
        with table.path.open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        decoded = json.loads(gzip.decompress(lines.path.read_bytes()))

    readable = message.encode("utf-8", "backslashreplace").decode()
    assert row["status_message"].replace("'", "") == readable.replace("'", "")
    assert decoded["status_message"] == message


def test_the_same_exclusions_give_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for attempt in ("first", "second"):
        (tmp_path / attempt).mkdir()
        with Spool(tmp_path / attempt, search_job()) as spool:
            spool.add(failed())
            digests.add(tuple(file.sha256 for file in spool.finish_tables()))

    assert len(digests) == 1


def test_the_summary_carries_the_counts_and_how_to_check_the_files(tmp_path: Path) -> None:
    with Spool(tmp_path, search_job()) as spool:
        spool.tally.listed = 3
        spool.tally.searched = 1
        spool.add(failed())
        spool.add(Exclusion(backup(status="STOPPED", resource_type=None), Reason.NOT_FINISHED))
        table, _ = spool.finish_tables()
        written = summary(findings(spool), {"csv": StoredFile("key/of.csv", "v1", table)}, Notified(("message-1",)))

    assert written["version"] == 1
    assert written["verdict"] == "PARTIAL"
    assert written["backups"] == {"listed": 3, "searched": 1, "excluded": 2, "failed": 1}
    assert written["excludedByReason"] == {"FAILED_OTHER": 1, "NOT_FINISHED": 1}
    assert written["excludedByResourceType"] == {"EBS": 1, "UNKNOWN": 1}
    assert written["notification"] == {"failedBackups": 1, "messageIds": ["message-1"], "pending": None}
    file = table.path.read_bytes()
    sha256 = hashlib.sha256(file).hexdigest()
    assert written["files"]["csv"] == {
        "key": "key/of.csv",
        "sha256": sha256,
        "bytes": len(file),
        "rows": 2,
        "versionId": "v1",
    }
    assert written["inventory"]["status"] == "OFF"
    assert written["generatedAt"] == "2026-11-20T09:06:00Z"


def test_the_page_says_first_how_much_was_not_searched(tmp_path: Path) -> None:
    with Spool(tmp_path, search_job()) as spool:
        spool.tally.listed, spool.tally.searched = 412, 411
        spool.add(failed())
        text = page(findings(spool), "key/of.csv")

    assert "This search did NOT look at 1 of 412 backups" in text
    assert "snap-0001" in text


def test_the_page_does_not_claim_completeness_when_only_the_job_is_in_doubt(tmp_path: Path) -> None:
    with Spool(tmp_path, search_job()) as spool:
        spool.tally.listed = spool.tally.searched = 2
        doubtful = judge(search_job(status="STOPPED"), spool.tally.backups, OFF)
        found = Findings(search_job(status="STOPPED"), spool.tally, OFF, doubtful, datetime(2026, 11, 20, tzinfo=UTC))
        text = page(found, "key/of.csv")

    assert "its result is in doubt" in text
    assert "looked at all" not in text


def test_markup_from_aws_is_text_on_the_page(tmp_path: Path) -> None:
    job = search_job(name="</title><script>alert(1)</script>", status_message='"><img src=x onerror=alert(1)>')
    with Spool(tmp_path, job) as spool:
        spool.tally.listed = 1
        spool.add(failed(status_message="<script>alert(2)</script>", backup_arn="<i>"))
        found = Findings(
            job,
            spool.tally,
            OFF,
            judge(job, spool.tally.backups, OFF),
            datetime(2026, 11, 20, tzinfo=UTC),
            spool.examples,
        )
        text = page(found, "key/of.csv")

    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<i>" not in text


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
