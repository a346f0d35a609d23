"""Athena over the bucket of the reports, as far as DuckDB can represent it.

DuckDB reads the files where the tables of the template say, with their columns and types; sqlglot translates Athena's
dialect. What neither can show is Athena's own reader of JSON and its partition projection.
"""

import gc
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
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
from simulators.backup_search import BackupGroup, BackupSimulator, RecoveryPointGroup, Scenario, Scope, Vault
from tests.infra.conftest import synthesized
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

if TYPE_CHECKING:
    from mypy_boto3_backupsearch.type_defs import SearchScopeTypeDef

Row = dict[str, Any]
TABLES = ("excluded_backups", "search_jobs")
OF_POSTURES = ("postures", "posture_sources")
MONDAY = date(2026, 10, 5)
DENIED = "Access denied. You do not have permission to search the recovery point."


@dataclass(frozen=True)
class Table:
    """A table of the template.

    Attributes:
        folder: Where its files are in the bucket.
        columns: Its columns and their types.
        keys: A pattern of the keys of its files, with a group per partition.
    """

    folder: str
    columns: dict[str, exp.DataType]
    keys: str

    @classmethod
    def named(cls, name: str) -> "Table":
        """Find a table in the synthesized template."""
        tables = [each["TableInput"] for each in synthesized(Settings()).resources("AWS::Glue::Table").values()]
        (found,) = [each for each in tables if each["Name"] == name]
        bucket = "s3://<ReportStoreBucket>/"
        template = found["Parameters"]["storage.location.template"].removeprefix(bucket)
        columns = found["StorageDescriptor"]["Columns"]
        return cls(
            found["StorageDescriptor"]["Location"].removeprefix(bucket),
            {column["Name"]: exp.DataType.build(column["Type"], dialect="hive") for column in columns},
            re.sub(r"\$\{(\w+)\}", r"(?P<\1>[^/]+)", template),
        )

    def files(self, deployment: Deployment) -> Iterator[tuple[str, bytes]]:
        """Yield the files of the table, with their keys."""
        pages = deployment.s3.get_paginator("list_objects_v2").paginate(Bucket=deployment.bucket, Prefix=self.folder)
        for entry in (entry for page in pages for entry in page.get("Contents", [])):
            yield entry["Key"], deployment.read(entry["Key"])

    def lines(self, deployment: Deployment) -> Iterator[tuple[str, Row]]:
        """Yield each line of the files, with the key of its file."""
        for key, content in self.files(deployment):
            yield from ((key, line) for line in _lines(key, content))


class Athena:
    """The files that are in the bucket now, and the tables over them."""

    def __init__(self, deployment: Deployment, folder: Path, tables: tuple[str, ...] = TABLES) -> None:
        self._database = duckdb.connect()
        for name in tables:
            table = Table.named(name)
            case: dict[str, str] = {}
            for key, content in table.files(deployment):
                (folder / key).parent.mkdir(parents=True, exist_ok=True)
                (folder / key).write_bytes(content)
                # Athena's reader finds a member whatever its case; DuckDB's must know the case of the files.
                case |= {word.lower(): word for line in _lines(key, content) for word in _members(line)}
            columns = ", ".join(f"'{case.get(n, n)}': '{_duckdb(type_, case)}'" for n, type_ in table.columns.items())
            self._database.execute(
                f"CREATE TABLE {name} AS SELECT * FROM read_json('{folder}/{table.folder}**', "  # noqa: S608
                "format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false, "
                f"columns = {{{columns}}})"
            )

    def answer(self, query: str, *parameters: str) -> list[Row]:
        """Run a saved query, by the name of its file."""
        (sql,) = sqlglot.transpile((QUERIES / f"{query}.sql").read_text(), read="athena", write="duckdb")
        answer = self._database.execute(sql, parameters)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _lines(key: str, content: bytes) -> Iterator[Row]:
    text = gzip.decompress(content) if key.endswith(".gz") else content
    yield from (json.loads(line) for line in text.split(b"\n")[:-1])


def assert_fits(columns: dict[str, exp.DataType], value: Row, place: str) -> None:
    """Assert that an object has exactly these members, whatever their case, of these types or null."""
    names = {name.lower() for name in value}
    assert names in ({*columns}, set()), place  # an object without members is a structure of nulls
    for name, member in value.items():
        type_, inside = columns[name.lower()], f"{place}.{name}"
        if member is None:
            continue
        if type_.this is exp.DType.STRUCT:
            assert_fits({each.name: each.kind for each in type_.expressions}, member, inside)
        elif type_.this is exp.DType.MAP:
            assert_fit(type_.expressions[1], member.values(), inside)
        elif type_.this is exp.DType.ARRAY:
            assert_fit(type_.expressions[0], member, inside)
        else:
            assert_fit(type_, [member], inside)


def assert_fit(type_: exp.DataType, values: Iterable[Any], place: str) -> None:
    """Assert that values are of a type."""
    for value in values:
        if type_.this is exp.DType.STRUCT:
            assert_fits({each.name: each.kind for each in type_.expressions}, value, place)
        elif type_.this in {exp.DType.MAP, exp.DType.ARRAY}:
            assert_fits({"value": type_}, {"value": value}, place)
        else:
            assert type(value) is _PYTHON[type_.this.value], place


_PYTHON = {"TEXT": str, "BIGINT": int, "BOOLEAN": bool, "DOUBLE": float}


def _duckdb(type_: exp.DataType, case: dict[str, str]) -> str:
    """Write a type for DuckDB, its members in the case of the files."""
    if type_.this is exp.DType.STRUCT:
        members = (f'"{case.get(each.name, each.name)}" {_duckdb(each.kind, case)}' for each in type_.expressions)
        return f"STRUCT({', '.join(members)})"
    if type_.this is exp.DType.ARRAY:
        return f"{_duckdb(type_.expressions[0], case)}[]"
    if type_.this is exp.DType.MAP:
        key, value = type_.expressions
        return f"MAP({key.sql('duckdb')}, {_duckdb(value, case)})"
    return type_.sql("duckdb")


def _members(value: object) -> Iterator[str]:
    """Yield the names of all members, at any depth."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _members(member)


@pytest.fixture
def simulator() -> Iterator[BackupSimulator]:
    """AWS Backup search on a Monday, so that the dates of the reports are known."""
    noon = datetime.combine(MONDAY, time(12), UTC)
    with BackupSimulator(account=ACCOUNT, region=REGION, clock=lambda: noon, enforce_quotas=False) as simulator:
        yield simulator


def source(name: str) -> str:
    """Return the ARN of a bucket, or of a volume."""
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{name}" if name.startswith("vol-") else f"arn:aws:s3:::{name}"


def backup(of: str, number: int = 1) -> str:
    """Return the ARN of a backup."""
    return f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:{of}-{number}"


def searched(of: str = "fine", count: int = 1) -> BackupGroup:
    """Return backups of a source that are searched."""
    return BackupGroup(count=count, source=source(of))


def left_out(of: str, number: int = 1, status: str = "FAILED") -> BackupGroup:
    """Return one backup of a source that is not."""
    message = DENIED if status == "FAILED" else None
    return BackupGroup(status=status, status_message=message, source=source(of), backup_arn=backup(of, number))


class Reports:
    """Search jobs that end and are reported, and what a query answers about them."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        self._handler = deployment.function("report").handler
        self._folder = folder
        self._today = MONDAY

    def of_search(self, day: date | int, *groups: BackupGroup, **given: Any) -> str:
        """End a search job on a day (of October 2026), report it, and return its identifier."""
        search_job = self.ended(day, *groups, **given)
        self._handler({"searchJobIdentifier": search_job}, Context())
        return search_job

    def ended(
        self,
        day: date | int,
        *groups: BackupGroup,
        name: str = "search",
        resource_type: str = "S3",
        scope: Scope | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """End a search job on a day, and return its identifier; its scope, if not given, covers its backups."""
        day = MONDAY.replace(day=day) if isinstance(day, int) else day
        self.deployment.simulator.move_clock(day - self._today)
        self._today = day
        scenario = Scenario(name, groups, resource_type=resource_type, scope=scope)
        return self.deployment.simulator.finish_job(scenario, tags=tags)

    def with_inventory(self) -> None:
        """Report a search of a bucket with seven backups that have an index and three that have none."""
        groups = (
            RecoveryPointGroup(count=7, source=source("invoices")),
            RecoveryPointGroup(count=3, source=source("invoices"), index=None),
        )
        self.deployment.simulator.add_vault(Vault("Default", groups))
        scope: SearchScopeTypeDef = {"BackupResourceTypes": ["S3"], "SourceResourceArns": [source("invoices")]}
        search_job = boto3.client("backupsearch").start_search_job(Name="audit", SearchScope=scope)
        self.deployment.simulator.move_clock(timedelta(minutes=10))
        self.deployment.report({"searchJobIdentifier": search_job["SearchJobIdentifier"]}, INVENTORY="ON")

    def athena(self) -> Athena:
        """Open the tables over all reports that there are now."""
        return Athena(self.deployment, self._folder)

    def answer(self, query: str, columns: str = "", *, about: str | None = None) -> list[tuple[Any, ...]]:
        """Return some columns of what a saved query answers, by their names, or all of them."""
        rows = self.athena().answer(query, *([about] if about else []))
        return of_columns(rows, columns) if columns else [tuple(row.values()) for row in rows]


def of_columns(rows: list[Row], columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns.split()) for row in rows]


@pytest.fixture
def reports(deployment: Deployment, tmp_path: Path) -> Iterator[Reports]:
    """An account without a report."""
    yield Reports(deployment, tmp_path)
    gc.unfreeze()  # the functions freeze what they import; frozen, DuckDB calls itself leaked when the tests end
