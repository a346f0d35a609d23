"""The saved queries of Athena, asked over files that the report function wrote.

DuckDB reads the bucket as Athena would: where the tables of the template say, with their columns and types. sqlglot
turns Athena's dialect into DuckDB's. What neither can show is Athena's own reader of JSON and its partition projection.
"""

import gc
import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import duckdb
import pytest
import sqlglot
from sqlglot import exp

from infra.athena_queries import QUERIES
from infra.settings import Settings
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.coverage.errors import AwsCallFailed
from simulators.backup_search import BackupGroup, BackupSimulator, RecoveryPointGroup, Scenario, Vault
from tests.infra.conftest import synthesised
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

if TYPE_CHECKING:
    from mypy_boto3_backupsearch.type_defs import SearchScopeTypeDef

MONDAY = date(2026, 10, 5)
DENIED = "Access denied. You do not have permission to search the recovery point."
REASONS = {"FAILED": "PERMISSION_DENIED", "STOPPED": "NOT_FINISHED", "TIMED_OUT": "UNKNOWN_STATUS"}

Row = dict[str, Any]


@pytest.fixture
def simulator() -> Iterator[BackupSimulator]:
    """AWS Backup search on a Monday, so that the dates of the reports are known."""
    noon = datetime.combine(MONDAY, time(12), UTC)
    with BackupSimulator(account=ACCOUNT, region=REGION, clock=lambda: noon, enforce_quotas=False) as simulator:
        yield simulator


@dataclass(frozen=True)
class Table:
    """A table of the template.

    Attributes:
        folder: Where its files lie in the bucket.
        columns: Its columns and their types, as Glue writes them.
        keys: What a key of its files looks like.
    """

    folder: str
    columns: dict[str, str]
    keys: str

    @classmethod
    def named(cls, name: str) -> "Table":
        """Find a table in the synthesised template."""
        (found,) = (
            properties["TableInput"]
            for properties in synthesised(Settings()).resources("AWS::Glue::Table").values()
            if properties["TableInput"]["Name"] == name
        )
        bucket = "s3://<ReportStoreBucket>/"
        template = found["Parameters"]["storage.location.template"].removeprefix(bucket)
        return cls(
            found["StorageDescriptor"]["Location"].removeprefix(bucket),
            {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]},
            re.sub(r"\$\{(\w+)\}", r"(?P<\1>[^/]+)", template),
        )


class Tables:
    """What Athena has before it: the files as they lie in the bucket now, and the tables over them."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self._database = duckdb.connect()
        for name in ("excluded_backups", "search_jobs"):
            table = Table.named(name)
            for key, content in files(deployment, table):
                file = folder / key
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            # Athena's reader finds a member whatever its case, DuckDB's does not: it is told the case of the files.
            case = {word.lower(): word for _, line in lines(deployment, table) for word in _words(line)}
            columns = ", ".join(f"'{case.get(n, n)}': '{_duckdb(_hive(t), case)}'" for n, t in table.columns.items())
            self._database.execute(
                f"CREATE VIEW {name} AS SELECT * FROM read_json('{folder}/{table.folder}**', "  # noqa: S608
                "format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false, "
                f"columns = {{{columns}}})"
            )

    def answer(self, query: str, *parameters: str) -> list[Row]:
        """Ask a saved query, by the name of its file."""
        (sql,) = sqlglot.transpile((QUERIES / f"{query}.sql").read_text(), read="athena", write="duckdb")
        answer = self._database.execute(sql, parameters)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def files(deployment: Deployment, table: Table) -> Iterator[tuple[str, bytes]]:
    """Give the files of a table, with their keys."""
    for page in deployment.s3.get_paginator("list_objects_v2").paginate(Bucket=deployment.bucket, Prefix=table.folder):
        for entry in page.get("Contents", []):
            yield entry["Key"], deployment.read(entry["Key"])


def lines(deployment: Deployment, table: Table) -> Iterator[tuple[str, Row]]:
    """Give each line of a table's files, with the key of its file."""
    for key, content in files(deployment, table):
        text = gzip.decompress(content) if key.endswith(".gz") else content
        yield from ((key, json.loads(line)) for line in text.split(b"\n")[:-1])


class Reports:
    """Search jobs that end and are reported, and what a query answers about them."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        self._handler = deployment.function("report").handler
        self._folder = folder
        self._today = MONDAY

    def of_search(self, day: date, *groups: BackupGroup, name: str = "search", resource_type: str = "S3") -> str:
        """Let a search job end on a day, report it, and give its identifier."""
        search_job = self.ended(day, *groups, name=name, resource_type=resource_type)
        self._handler({"searchJobIdentifier": search_job}, Context())
        return search_job

    def ended(self, day: date, *groups: BackupGroup, name: str = "search", resource_type: str = "S3") -> str:
        """Let a search job end on a day, and give its identifier."""
        self.deployment.simulator.move_clock(day - self._today)
        self._today = day
        return self.deployment.simulator.finish_job(Scenario(name, groups, resource_type=resource_type))

    def tables(self) -> Tables:
        """Open the tables over all reports that there are now."""
        return Tables(self.deployment, self._folder)

    def answer(self, query: str, *parameters: str) -> list[Row]:
        """Ask a saved query, by the name of its file."""
        return self.tables().answer(query, *parameters)


@pytest.fixture
def reports(deployment: Deployment, tmp_path: Path) -> Iterator[Reports]:
    """An account without a report."""
    yield Reports(deployment, tmp_path)
    gc.unfreeze()  # the functions freeze what they import; frozen, DuckDB calls itself leaked when the tests end


def source(name: str) -> str:
    """Give the ARN of a bucket, or of a volume."""
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{name}" if name.startswith("vol-") else f"arn:aws:s3:::{name}"


def backup(of: str, number: int = 1) -> str:
    """Give the ARN of a backup."""
    return f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:{of}-{number}"


def searched(of: str = "fine", count: int = 1) -> BackupGroup:
    """Backups of a source that are searched."""
    return BackupGroup(count=count, source=source(of))


def left_out(of: str, number: int = 1, status: str = "FAILED") -> BackupGroup:
    """One backup of a source that is not."""
    message = DENIED if status == "FAILED" else None
    return BackupGroup(status=status, status_message=message, source=source(of), backup_arn=backup(of, number))


def of_columns(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    """Give some columns of an answer."""
    return [tuple(row[column] for column in columns) for row in rows]


# --- The tables and the files


@pytest.mark.parametrize("name", ["excluded_backups", "search_jobs"])
def test_each_column_of_a_table_is_in_the_files_and_nothing_else_is(reports: Reports, name: str) -> None:
    # Given reports with everything that a report can have
    reports.of_search(MONDAY, searched(), left_out("invoices"), left_out("invoices", 2, "STOPPED"))
    reports.of_search(MONDAY, searched())
    _with_inventory(reports)
    table = Table.named(name)

    # When the files are read line by line
    found = list(lines(reports.deployment, table))

    # Then each line has the members that the table describes, of its types, and no other
    assert found
    for key, line in found:
        _assert_fits({column: _hive(type_) for column, type_ in table.columns.items()}, line, name)
        place = re.match(table.keys, key)
        assert place is not None
        assert place.groupdict() == {"account": ACCOUNT, "region": REGION, "date": "2026-10-05"}


def test_the_line_of_a_search_job_is_its_summary(reports: Reports) -> None:
    search_job = reports.of_search(MONDAY, left_out("invoices"), name="two\nlines\u2028and\rmore")

    key = f"summaries/account={ACCOUNT}/region={REGION}/date=2026-10-05/{search_job}.json"
    text = reports.deployment.read(key)
    assert json.loads(text) == reports.deployment.summary(search_job)
    assert text.endswith(b"}\n")
    assert (text.count(b"\n"), text.count(b"\r")) == (1, 0)


def test_a_run_that_dies_between_the_line_and_the_mark_is_made_good_under_the_same_keys(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run that dies right before summary.json
    search_job = reports.ended(MONDAY, left_out("invoices"))
    with monkeypatch.context() as patch:
        patch.setattr(ReportBucket, "put_summary", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            reports.deployment.report({"searchJobIdentifier": search_job})
    assert reports.deployment.summary(search_job) is None
    before = reports.deployment.stored()

    # When the next sweep comes, and the report is made
    assert reports.deployment.sweep()["announced"] == 1
    reports.deployment.forget_idempotency()
    reports.deployment.report({"searchJobIdentifier": search_job})

    # Then it has its mark, and nothing lies there twice
    assert set(reports.deployment.stored()) - set(before) == {_summary_key(reports, search_job)}
    assert len(reports.answer("coverage-by-week")) == 1


# --- The queries, each by hand


def test_what_is_excluded_again_and_again_is_told_by_source(reports: Reports) -> None:
    # Given a bucket of which three searches left out something, one of which two did, one of which only one did
    reports.of_search(date(2026, 10, 5), searched(), left_out("invoices"), left_out("invoices", 2), left_out("mail"))
    reports.of_search(date(2026, 10, 6), searched(), left_out("invoices", status="STOPPED"), left_out("once"))
    reports.of_search(date(2026, 10, 9), searched(), left_out("invoices"), left_out("mail", status="TIMED_OUT"))

    # Then the first two are told, the one with more searches first
    assert of_columns(
        reports.answer("excluded-again-and-again"),
        *("source_resource_arn", "searches", "backups", "first_excluded", "last_excluded", "reasons"),
    ) == [
        (source("invoices"), 3, 2, "2026-10-05", "2026-10-09", "NOT_FINISHED, PERMISSION_DENIED"),
        (source("mail"), 2, 1, "2026-10-05", "2026-10-09", "PERMISSION_DENIED, UNKNOWN_STATUS"),
    ]


def test_what_is_excluded_again_and_again_is_told_by_backup_with_the_latest_remedy(reports: Reports) -> None:
    # Given a backup that two searches left out, for two reasons, one that one did, and two that AWS did not name
    nameless = BackupGroup(status="STOPPED", omit=("BackupResourceArn",))
    reports.of_search(date(2026, 10, 5), left_out("invoices"), left_out("invoices", 2), nameless)
    latest = reports.of_search(date(2026, 10, 6), left_out("invoices", status="STOPPED"), nameless)

    (row,) = reports.answer("excluded-again-and-again-backups")

    (remedy, *_) = {r["remedy"] for r in reports.deployment.json_rows(latest) if r["backup_arn"] == row["backup_arn"]}
    assert tuple(row.values()) == (
        *(backup("invoices"), source("invoices"), 2, "2026-10-05", "2026-10-06"),
        *("NOT_FINISHED, PERMISSION_DENIED", remedy),
    )


def test_a_source_was_never_searched_whole_only_if_no_search_can_have_done_it(reports: Reports) -> None:
    # Given a bucket of which every search that looked at something left out a backup, one of which a search did not
    reports.of_search(date(2026, 10, 5), searched(), left_out("always"), left_out("sometimes"))
    reports.of_search(date(2026, 10, 6), searched(), left_out("always", 2))
    # And a search that looked at nothing, one for volumes, and a volume
    reports.of_search(date(2026, 10, 7), left_out("elsewhere"))
    reports.of_search(date(2026, 10, 8), left_out("vol-1"), searched("vol-2"), resource_type="EBS")

    # Then only what no search can have searched whole is said to be so
    assert of_columns(
        reports.answer("never-searched-whole"),
        *("searched_whole", "source_resource_arn", "resource_type", "searches_that_left_out"),
        *("first_left_out", "last_left_out", "searches_to_check", "latest_to_check"),
    ) == [
        ("NEVER", source("always"), "S3", 2, "2026-10-05", "2026-10-06", 0, None),
        ("NEVER", source("vol-1"), "EBS", 1, "2026-10-08", "2026-10-08", 0, None),
        ("NOT KNOWN", source("elsewhere"), "S3", 1, "2026-10-07", "2026-10-07", 2, "2026-10-06"),
        ("NOT KNOWN", source("sometimes"), "S3", 1, "2026-10-05", "2026-10-05", 1, "2026-10-06"),
    ]


def test_a_search_with_nothing_excluded_counts_in_the_trend(reports: Reports) -> None:
    # Given a week with a whole search on Sunday, and one with a whole, a partial, an empty and a vain search
    reports.of_search(date(2026, 10, 11), searched(count=4))
    reports.of_search(date(2026, 10, 12), searched(count=10))
    reports.of_search(date(2026, 10, 13), searched(count=2), left_out("invoices"), left_out("mail", status="STOPPED"))
    reports.of_search(date(2026, 10, 14))
    reports.of_search(date(2026, 10, 18), left_out("invoices"))

    answer = reports.answer("coverage-by-week")

    assert [tuple(row.values()) for row in answer] == [
        (date(2026, 10, 5), 1, 1, 0, 0, 4, 0, 4, 0, 0, 100.0),
        (date(2026, 10, 12), 4, 1, 1, 2, 15, 0, 12, 3, 2, 80.0),
    ]


def test_backups_that_only_the_vaults_know_count_as_excluded(reports: Reports) -> None:
    # Given a bucket with backups that have no index, which AWS does not list
    _with_inventory(reports)

    # Then they are in the trend, and the bucket was never searched whole
    assert of_columns(
        reports.answer("coverage-by-week"), "listed", "not_listed", "searched", "excluded", "searched_percent"
    ) == [(7, 3, 7, 3, 70.0)]
    assert of_columns(reports.answer("never-searched-whole"), "searched_whole", "source_resource_arn") == [
        ("NEVER", source("invoices"))
    ]


def test_the_trend_adds_up_whether_or_not_the_vaults_were_asked(reports: Reports) -> None:
    # Given a week in which one search was compared with the vaults, and two were not
    _with_inventory(reports)
    reports.of_search(date(2026, 10, 6), searched(count=5), left_out("mail"), left_out("mail", 2, "STOPPED"))
    reports.of_search(date(2026, 10, 7), left_out("mail"))

    (week,) = reports.answer("coverage-by-week")

    # Then the backups that were listed and those that were not are those that were searched and those that were not
    rows = [row for _, row in lines(reports.deployment, Table.named("excluded_backups"))]
    never_listed = [row for row in rows if row["status"] is None]
    assert (week["listed"], week["not_listed"]) == (7 + 7 + 1, len(never_listed)) == (15, 3)
    assert (week["searched"], week["excluded"]) == (7 + 5, len(rows)) == (12, 6)
    assert week["listed"] + week["not_listed"] == week["searched"] + week["excluded"]


def test_the_trend_never_rounds_up_to_100_percent(reports: Reports) -> None:
    reports.of_search(date(2026, 10, 5), searched(count=2999), left_out("invoices"))
    reports.of_search(date(2026, 10, 12))

    assert of_columns(reports.answer("coverage-by-week"), "searched_percent") == [(99.9,), (None,)]


@pytest.mark.parametrize("asked", ["invoices", "arn:aws:s3:::invoices", "vol-1"])
def test_everything_about_one_bucket_or_volume_is_found_by_its_name_or_arn(reports: Reports, asked: str) -> None:
    # Given sources with names alike
    others = ("invoices-2", "my-invoices", "invoice")
    first = reports.of_search(date(2026, 10, 5), left_out("invoices"), left_out("vol-1"), *map(left_out, others))
    last = reports.of_search(
        date(2026, 10, 6), searched(), left_out("invoices", 2, "STOPPED"), left_out("vol-1", 2, "STOPPED"), name="again"
    )

    name = asked.rpartition(":")[2]
    assert of_columns(
        reports.answer("one-bucket-or-volume", asked),
        *("date", "search_job_id", "search_job_name", "verdict", "backup_arn", "status", "reason", "status_message"),
    ) == [
        ("2026-10-06", last, "again", "PARTIAL", backup(name, 2), "STOPPED", "NOT_FINISHED", None),
        ("2026-10-05", first, "search", "NONE", backup(name), "FAILED", "PERMISSION_DENIED", DENIED),
    ]


def test_what_was_excluded_on_a_day_is_told_with_since_when(reports: Reports) -> None:
    # Given two searches on a day, one before, one after, and a backup that AWS did not name
    nameless = BackupGroup(status="STOPPED", source=source("mail"), omit=("BackupResourceArn",))
    reports.of_search(date(2026, 10, 5), left_out("invoices"), left_out("gone"), nameless)
    morning = reports.of_search(date(2026, 10, 8), left_out("invoices"), left_out("new"), nameless, name="morning")
    evening = reports.of_search(date(2026, 10, 8), searched(), left_out("invoices", status="STOPPED"), name="evening")
    reports.of_search(date(2026, 10, 9), left_out("invoices"), left_out("new"))

    answer = of_columns(
        reports.answer("excluded-on-a-day", "2026-10-08"),
        *("search_job_id", "search_job_name", "backup_arn", "reason", "excluded_since", "searches_so_far"),
    )

    nth = {search_job: 2 + place for place, search_job in enumerate(sorted([morning, evening]))}
    assert sorted(answer, key=str) == sorted(
        [
            (morning, "morning", backup("invoices"), "PERMISSION_DENIED", "2026-10-05", nth[morning]),
            (evening, "evening", backup("invoices"), "NOT_FINISHED", "2026-10-05", nth[evening]),
            (morning, "morning", backup("new"), "PERMISSION_DENIED", "2026-10-08", 1),
            (morning, "morning", None, "NOT_FINISHED", None, None),
        ],
        key=str,
    )


def test_a_day_that_is_none_fails_instead_of_finding_nothing(reports: Reports) -> None:
    # Given a day without its quotes, which SQL takes for a subtraction
    reports.of_search(date(2026, 10, 8), left_out("invoices"))

    with pytest.raises(duckdb.ConversionException, match="1998"):
        reports.answer("excluded-on-a-day", str(2026 - 20 - 8))


def test_the_rest_of_a_report_that_was_cut_short_is_in_no_answer(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one report, and the files of another one that was not finished
    reports.of_search(MONDAY, left_out("invoices"))
    cut_short = reports.ended(MONDAY, left_out("invoices"))

    def refuse(*_: object) -> None:
        raise AwsCallFailed("S3 takes no summary")

    with monkeypatch.context() as patch:
        patch.setattr(ReportBucket, "put_summary_line", refuse)
        with pytest.raises(AwsCallFailed):
            reports.deployment.report({"searchJobIdentifier": cut_short})
    assert reports.deployment.json_rows(cut_short)

    # Then nobody hears of it
    assert reports.answer("excluded-again-and-again") == []
    assert reports.answer("excluded-again-and-again-backups") == []
    assert of_columns(reports.answer("coverage-by-week"), "searches") == [(1,)]
    assert of_columns(reports.answer("never-searched-whole"), "searches_that_left_out") == [(1,)]
    assert len(reports.answer("one-bucket-or-volume", "invoices")) == 1
    assert len(reports.answer("excluded-on-a-day", "2026-10-05")) == 1


def _with_inventory(reports: Reports) -> None:
    """Report a search of a bucket with seven backups that have an index and three that have none."""
    groups = (
        RecoveryPointGroup(count=7, source=source("invoices")),
        RecoveryPointGroup(count=3, source=source("invoices"), index=None),
    )
    reports.deployment.simulator.add_vault(Vault("Default", groups))
    scope: SearchScopeTypeDef = {"BackupResourceTypes": ["S3"], "SourceResourceArns": [source("invoices")]}
    search_job = boto3.client("backupsearch").start_search_job(Name="audit", SearchScope=scope)["SearchJobIdentifier"]
    reports.deployment.simulator.move_clock(timedelta(minutes=10))
    reports.deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")


# --- The queries over many reports, against the same questions answered in Python


@dataclass(frozen=True)
class Search:
    """A search job as it was made up.

    Attributes:
        left_out: The source, the number and the status of each backup that was left out.
    """

    identifier: str
    day: str
    resource_type: str
    searched: int
    left_out: tuple[tuple[str, int, str], ...]


def test_all_queries_answer_rightly_over_200_reports(reports: Reports) -> None:
    # Given 200 reports over ten weeks
    made_up = random.Random(20261005)  # noqa: S311  not for secrets
    searches = [_made_up_search(reports, made_up, MONDAY + timedelta(days=number // 3)) for number in range(200)]

    tables = reports.tables()

    # Then each query says what counting by hand says
    found: dict[str, list[tuple[Search, int, str]]] = defaultdict(list)
    for search in searches:
        for name, number, status in search.left_out:
            found[name].append((search, number, status))
    assert {tuple(row.values()) for row in tables.answer("excluded-again-and-again")} == {
        (source(name), jobs, len({number for _, number, _ in each}), min(days), max(days), reasons)
        for name, each in found.items()
        if (jobs := len({search.identifier for search, _, _ in each})) > 1
        and (days := [search.day for search, _, _ in each])
        and (reasons := ", ".join(sorted({REASONS[status] for _, _, status in each})))
    }
    by_backup = Counter(backup(name, number) for name, each in found.items() for _, number, _ in each)
    assert dict(of_columns(tables.answer("excluded-again-and-again-backups"), "backup_arn", "searches")) == {
        arn: count for arn, count in by_backup.items() if count > 1
    }
    assert set(
        of_columns(tables.answer("never-searched-whole"), "searched_whole", "source_resource_arn", "searches_to_check")
    ) == {
        ("NOT KNOWN" if to_check else "NEVER", source(name), to_check)
        for name, each in found.items()
        for to_check in [
            sum(
                search.searched > 0
                and search.resource_type == _type_of(name)
                and search not in [other for other, _, _ in each]
                for search in searches
            )
        ]
    }
    assert [tuple(row.values()) for row in tables.answer("coverage-by-week")] == _trend(searches)
    day = searches[100].day
    assert Counter(of_columns(tables.answer("excluded-on-a-day", day), "backup_arn", "excluded_since")) == Counter(
        (backup(name, number), min(search.day for search, other, _ in found[name] if other == number))
        for search in searches
        if search.day == day
        for name, number, _ in search.left_out
    )
    for name, each in found.items():
        assert Counter(of_columns(tables.answer("one-bucket-or-volume", name), "search_job_id", "backup_arn")) == (
            Counter((search.identifier, backup(name, number)) for search, number, _ in each)
        )


def _made_up_search(reports: Reports, made_up: random.Random, day: date) -> Search:
    """Make up a search: some leave out nothing, some search nothing, and one source is left out by all of its type."""
    resource_type = made_up.choice(["S3", "S3", "EBS"])
    names = [f"vol-{number}" if resource_type == "EBS" else f"bucket-{number}" for number in range(12)]
    chosen = [] if made_up.random() < 0.2 else made_up.sample(names[1:], made_up.randrange(0, 5))
    if resource_type == "EBS":
        chosen.append(names[0])
    rows = tuple((name, made_up.randrange(3), made_up.choice(list(REASONS))) for name in chosen)
    count = made_up.choice([0, 1, 7, 90])
    groups = [searched(count=count), *(left_out(*row) for row in rows)]
    identifier = reports.of_search(day, *groups, resource_type=resource_type)
    return Search(identifier, f"{day:%Y-%m-%d}", resource_type, count, rows)


def _type_of(name: str) -> str:
    return "EBS" if name.startswith("vol-") else "S3"


def _trend(searches: list[Search]) -> list[tuple[Any, ...]]:
    weeks: dict[date, list[Search]] = defaultdict(list)
    for search in searches:
        day = date.fromisoformat(search.day)
        weeks[day - timedelta(days=day.weekday())].append(search)
    trend = []
    for week, each in sorted(weeks.items()):
        looked_at = sum(search.searched for search in each)
        excluded = sum(len(search.left_out) for search in each)
        failed = sum(status == "FAILED" for search in each for _, _, status in search.left_out)
        verdicts = Counter(
            "NONE" if not search.searched else "PARTIAL" if search.left_out else "COMPLETE" for search in each
        )
        percent = (1000 * looked_at // (looked_at + excluded)) / 10 if looked_at + excluded else None
        trend.append(
            (
                *(week, len(each), verdicts["COMPLETE"], verdicts["PARTIAL"], verdicts["NONE"]),
                *(looked_at + excluded, 0, looked_at, excluded, failed, percent),
            )
        )
    return trend


# --- Types


def _hive(text: str) -> exp.DataType:
    """Read a type as Glue writes it."""
    return exp.DataType.build(text, dialect="hive")


def _duckdb(type_: exp.DataType, case: dict[str, str]) -> str:
    """Write a type for DuckDB, the members in the case of the files."""
    if type_.this is exp.DType.STRUCT:
        members = (f'"{case.get(each.name, each.name)}" {_duckdb(each.kind, case)}' for each in type_.expressions)
        return f"STRUCT({', '.join(members)})"
    return type_.sql("duckdb")


def _words(value: object) -> Iterator[str]:
    """Give all names of members, at any depth."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _words(member)


def _assert_fits(members: dict[str, exp.DataType], value: Row, place: str) -> None:
    """Assert that an object has exactly these members, whatever their case, of these types or null."""
    assert sorted(members) == sorted(name.lower() for name in value), place
    for name, member in value.items():
        type_ = members[name.lower()]
        inside = f"{place}.{name}"
        if member is None:
            continue
        if type_.this is exp.DType.STRUCT:
            _assert_fits({each.name: each.kind for each in type_.expressions}, member, inside)
        elif type_.this is exp.DType.MAP:
            assert all(type(each) is int for each in member.values()), inside
        elif type_.this is exp.DType.ARRAY:
            assert all(type(each) is str for each in member), inside
        else:
            assert type(member) is {"TEXT": str, "BIGINT": int}[type_.this.value], inside


def _summary_key(reports: Reports, search_job: str) -> str:
    (key,) = [key for key in reports.deployment.stored() if key.endswith(f"{search_job}/summary.json")]
    return key
