"""A simulated month: indexing is turned on for a plan, old backups expire; share, mails, metric and trend are right."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from tests.functions import metrics_in
from tests.integration.athena import Athena
from tests.integration.conftest import Deployment

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
        kinds = [("nightly", f"arn:aws:s3:::source-{each}", index, "every-night") for each in range(SOURCES)]
        made = tuple(
            RecoveryPointGroup(
                source=source,
                created=at - timedelta(hours=1),
                expires=at + timedelta(days=KEPT_DAYS),
                index=index,
                plan=PLAN_ID,
                rule=rule,
            )
            for _, source, index, rule in kinds
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
        module.handler({"posture": {}}, _context())
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


def _context() -> Any:
    from tests.invocation import Context  # noqa: PLC0415

    return Context(function_name="posture")


@pytest.fixture(scope="module")
def start() -> datetime:
    return FIRST


@pytest.fixture
def month(
    deployment: Deployment,
    simulator: BackupSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Month:
    month = Month(deployment, simulator, monkeypatch, capsys)
    simulator.account.clock._clock = lambda: FIRST - timedelta(days=1)  # the month begins in the past
    simulator.add_plan(PLAN_ID, {"BackupPlanName": "p", "Rules": [{"RuleName": "every-night", "TargetBackupVaultName": "nightly"}]})
    for _ in range(LAST + 1):
        month.pass_a_day()
    return month


def test_a_month_of_postures(month: Month) -> None:
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
    assert held[INDEXED_FROM + KEPT_DAYS]["notSearchable"] == 0
    assert held[INDEXED_FROM + KEPT_DAYS - 1]["notSearchable"] == SOURCES
    # The alarm: below the target until indexing is on; a day without shares keeps its state
    for day in whole:
        assert (day.metrics["NewestSearchableShare"] < TARGET) == (day.number < INDEXED_FROM)
    unreadable = days[UNREADABLE_ON]
    assert unreadable.summary["status"] == "PARTIAL"
    assert unreadable.metrics == {"Postures": 0}
    # The mails: never two in a week, one at the beginning, one when it got better, and none without a change
    mailed = [day.number for day in days if day.mails]
    assert all(later - earlier >= 7 for earlier, later in zip(mailed, mailed[1:], strict=False))
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
    trend = Athena(month.deployment).answer("posture/searchable-by-week")
    shares = {row["week"]: (row["sources_searchable"], row["sources"]) for row in trend}
    assert shares[date(2026, 10, 5)] == (1, 5)
    assert shares[date(2026, 10, 19)] == (5, 5)
    assert len(shares) == 7
