"""The saved queries of Athena about postures, asked over files that the posture function wrote."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from tests.integration.athena import OF_POSTURES, Athena, Row, Table, assert_fits, simulator, source
from tests.integration.conftest import Deployment
from tests.invocation import Context

__all__ = ["simulator"]  # a fixture

PLAN = "11111111-2222-3333-4444-555555555555"


@dataclass
class Days:
    """An account on some days of October 2026, and what a query answers about its postures."""

    deployment: Deployment
    simulator: BackupSimulator
    folder: Path

    def posture(self, day: int) -> None:
        """Take the posture at noon of a day."""
        at = noon(day)
        self.simulator.move_clock(at - self.simulator.account.clock())
        module = self.deployment.function("posture")
        take = replace(module.take_posture, now=lambda: at, mail=replace(module.take_posture.mail, now=lambda: at))
        vars(module)["take_posture"] = take
        module.handler({"posture": {}}, Context(function_name="posture"))

    def backup(self, of: str, day: int, index: str | None, **given: Any) -> None:
        """Make a backup of a source on a day, an hour before noon."""
        made = RecoveryPointGroup(source=source(of), created=noon(day) - timedelta(hours=1), index=index, **given)
        self.simulator.add_vault(Vault("nightly", (made,)))

    def answer(self, query: str, *parameters: str) -> list[Row]:
        return Athena(self.deployment, self.folder, OF_POSTURES).answer(f"posture/{query}", *parameters)


def noon(day: int) -> datetime:
    return datetime.combine(date(2026, 10, day), time(12), UTC)


@pytest.fixture
def days(deployment: Deployment, simulator: BackupSimulator, tmp_path: Path) -> Iterator[Days]:
    """An account on three days: one source gets worse, one never had an index, and one had an index once."""
    days = Days(deployment, simulator, tmp_path)
    days.backup("had-one", 1, "ACTIVE")
    days.backup("had-one", 2, None)
    days.backup("never", 5, None, plan=PLAN, rule="every-night")
    days.backup("worse", 5, "ACTIVE")
    days.backup("fine", 5, "ACTIVE")
    days.posture(5)
    days.backup("worse", 6, "FAILED", index_message="Access denied.", plan=PLAN, rule="every-night")
    days.posture(6)
    fault = simulator.faults.add(
        "error",
        operation="ListRecoveryPointsByBackupVault",
        error_code="AccessDeniedException",
        where={"ByResourceType": "EBS"},
    )
    days.backup("fine", 7, None)
    days.posture(7)  # PARTIAL, although what it says of S3 is right
    simulator.faults.remove(fault)
    yield days
    gc.unfreeze()  # the function freezes what it imports; frozen, DuckDB calls itself leaked when the tests end


@pytest.mark.parametrize("name", OF_POSTURES)
def test_each_column_of_a_table_is_in_the_files_and_nothing_else_is(days: Days, name: str) -> None:
    table = Table.named(name)

    found = list(table.lines(days.deployment))

    assert found
    for key, line in found:
        of_the_file = {member: value for member, value in line.items() if member not in {"account", "region"}}
        assert_fits(table.columns, of_the_file, key)


def test_a_source_could_never_be_searched_only_if_no_backup_of_it_ever_could(days: Days) -> None:
    (row,) = days.answer("sources-never-searchable")

    assert row == {
        "resource_type": "S3",
        "source_resource_arn": source("never"),
        "known_since": "2026-10-05",
        "last_seen": "2026-10-06",
        "why": "INDEX_MISSING",
        "backup_plan_id": PLAN,
        "backup_rule": "every-night",
    }


def test_sources_got_worse_by_postures_that_saw_every_vault(days: Days) -> None:
    (row,) = days.answer("sources-that-got-worse", "2026-10-05")

    assert row["source_resource_arn"] == source("worse")
    assert (row["why"], row["message"], row["backup_rule"]) == ("INDEX_FAILED", "Access denied.", "every-night")
    assert days.answer("sources-that-got-worse", "2026-10-06") == []


def test_a_text_that_is_no_day_fails_instead_of_finding_nothing(days: Days) -> None:
    with pytest.raises(duckdb.ConversionException):
        days.answer("sources-that-got-worse", "1995")


def test_the_trend_has_the_last_whole_posture_of_a_week(days: Days) -> None:
    (week,) = days.answer("searchable-by-week")

    assert (week["week"], week["date"]) == (date(2026, 10, 5), "2026-10-06")
    assert (week["sources"], week["sources_searchable"], week["sources_percent"]) == (4, 1, 25.0)
    assert (week["backups"], week["backups_searchable"], week["backups_percent"]) == (6, 3, 50.0)
