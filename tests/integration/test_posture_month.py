"""A simulated month: indexing is turned on for a plan, old backups expire; share, mails, metric and trend are right."""

import gc
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from tests.functions import metrics_in
from tests.integration.athena import OF_POSTURES, Athena, Table, assert_fits
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

PLAN_ID = "33333333-4444-5555-6666-777777777777"
SOURCES = 4
KEPT_DAYS = 35
INDEXED_FROM, UNREADABLE_ON, LAST = 10, 20, 45
TARGET = 95
FIRST = datetime(2026, 10, 5, 3, tzinfo=UTC)


@dataclass
class Day:
    """What the posture of a day said, and what it sent."""

    number: int
    summary: dict[str, Any]
    mails: list[str]
    metrics: dict[str, float]

    @property
    def at(self) -> datetime:
        return FIRST + timedelta(days=self.number)


@dataclass
class Month:
    """An account in which a plan makes a backup of each source each day, and one source is backed up by hand."""

    deployment: Deployment
    simulator: BackupSimulator
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    days: list[Day] = field(default_factory=list)

    def pass_a_day(self) -> None:
        number = len(self.days)
        at = FIRST + timedelta(days=number)
        index = "ACTIVE" if number >= INDEXED_FROM else None
        made = tuple(
            RecoveryPointGroup(
                source=f"arn:aws:s3:::source-{each}",
                created=at - timedelta(hours=1),
                expires=at + timedelta(days=KEPT_DAYS),
                index=index,
                plan=PLAN_ID,
                rule="every-night",
            )
            for each in range(SOURCES)
        )
        self.simulator.add_vault(Vault("nightly", made))
        if number == 0:
            by_hand = RecoveryPointGroup(source="arn:aws:s3:::by-hand", created=at, index="ACTIVE")
            self.simulator.add_vault(Vault("by-hand", (by_hand,)))
        fault = None
        if number == UNREADABLE_ON:
            fault = self.simulator.faults.add(
                "error", operation="ListRecoveryPointsByBackupVault", error_code="AccessDeniedException"
            )
        self._take(number, at)
        if fault:
            self.simulator.faults.remove(fault)

    def _take(self, number: int, at: datetime) -> None:
        module = self.deployment.function("posture", SEARCHABLE_TARGET=str(TARGET))
        clock: Any = lambda: at  # noqa: E731
        for holder in (module.take_posture, module.take_posture.mail):
            object.__setattr__(holder, "now", clock)
        self.simulator.move_clock(at - self.simulator.account.clock())
        self.capsys.readouterr()
        module.handler({"posture": {}}, Context(function_name="posture"))
        values = {
            name: blob[name][0] if isinstance(blob[name], list) else blob[name]
            for blob in metrics_in(self.capsys.readouterr().out)
            if "resourceType" not in blob
            for name in (metric["Name"] for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"])
        }
        mails = [mail["Subject"] for mail in self.deployment.messages(self.deployment.people)]
        key = f"posture/123456789012/us-east-1/{at:%Y/%m/%d}/summary.json"
        summary = json.loads(self.deployment.read(key))
        self.days.append(Day(number, summary, mails, values))


@pytest.fixture
def simulator() -> Iterator[BackupSimulator]:
    """AWS Backup, whose clock begins with the month."""
    with BackupSimulator(account=ACCOUNT, region=REGION, clock=lambda: FIRST - timedelta(days=1)) as simulator:
        yield simulator


@pytest.fixture
def month(
    deployment: Deployment,
    simulator: BackupSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Month]:
    month = Month(deployment, simulator, monkeypatch, capsys)
    rule = {"RuleName": "every-night", "TargetBackupVaultName": "nightly"}
    simulator.add_plan(PLAN_ID, {"BackupPlanName": "p", "Rules": [rule]})
    for _ in range(LAST + 1):
        month.pass_a_day()
    yield month
    gc.unfreeze()  # the function freezes what it imports; frozen, DuckDB calls itself leaked when the tests end


def test_a_month_of_postures(month: Month, tmp_path: Path) -> None:
    days = month.days
    whole = [day for day in days if day.number != UNREADABLE_ON]

    # The share: first the backup by hand alone, then all newest backups
    for day in whole:
        newest = day.summary["sources"]
        assert newest["total"] == SOURCES + 1
        assert newest["newestSearchable"] == (SOURCES + 1 if day.number >= INDEXED_FROM else 1)
    # Old backups expire: 35 days later only indexed ones are left
    held = {day.number: day.summary["backups"] for day in whole}
    assert held[KEPT_DAYS - 1]["total"] == KEPT_DAYS * SOURCES + 1
    assert held[LAST]["total"] == KEPT_DAYS * SOURCES + 1
    assert held[INDEXED_FROM + KEPT_DAYS - 1]["notSearchable"] == 0
    assert held[INDEXED_FROM + KEPT_DAYS - 2]["notSearchable"] == SOURCES
    # The alarm: below the target until indexing is on; a day without shares keeps its state
    for day in whole:
        assert (day.metrics["NewestSearchableShare"] < TARGET) == (day.number < INDEXED_FROM)
    unreadable = days[UNREADABLE_ON]
    assert unreadable.summary["status"] == "PARTIAL"
    assert unreadable.metrics == {"Postures": 0}
    # The mails: never two in a week, one at the beginning, one when it got better, and none without a change
    mailed = [day.number for day in days if day.mails]
    assert all(later - earlier >= 7 for earlier, later in pairwise(mailed))
    assert mailed[0] == 0
    assert len(mailed) == 2
    assert INDEXED_FROM <= mailed[1] < INDEXED_FROM + 7
    assert "1 of 5 sources can be searched, target 95% MISSED" in days[0].mails[0]
    assert "5 of 5 sources can be searched" in days[mailed[1]].mails[0]
    since = days[mailed[1]].summary["since"]
    assert (since["better"], since["worse"], since["gone"]) == (SOURCES, 0, 0)
    # A vault that could not be read makes no source gone, and no mail
    assert unreadable.summary["since"]["gone"] == 0
    # The trend in Athena
    athena = Athena(month.deployment, tmp_path, OF_POSTURES)
    trend = athena.answer("posture/searchable-by-week")
    shares = {row["week"]: (row["sources_searchable"], row["sources"]) for row in trend}
    assert shares[date(2026, 10, 5)] == (1, 5)
    assert shares[date(2026, 10, 19)] == (5, 5)
    assert len(shares) == 7
    # Every line fits the tables, to the last member
    for name in OF_POSTURES:
        table = Table.named(name)
        for key, line in table.lines(month.deployment):
            known = {member: value for member, value in line.items() if member not in {"account", "region"}}
            assert_fits(table.columns, known, key)
    # What was never searchable, and what got worse
    assert athena.answer("posture/sources-never-searchable") == []
    assert athena.answer("posture/sources-that-got-worse", f"{days[INDEXED_FROM].at:%Y-%m-%d}") == []
