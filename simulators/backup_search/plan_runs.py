"""The backups that plans make while the clock moves."""

import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from simulators.backup_search.indexing import Indexing
from simulators.backup_search.plans import DEFAULT_SCHEDULE, Plans, Selection, StoredPlan
from simulators.backup_search.vault import BACKUP_VAULT, RecoveryPointGroup, Vault
from simulators.backup_search.vaults import Vaults, arn_of

_DAILY = re.compile(r"cron\((\d+) (\d+) (?:\? \* \*|\* \* \?) \*\)")


class PlanRuns:
    """Makes a backup of each source of a plan, per rule and day.

    A backup is complete at once, expires as the rule's Lifecycle says, and begins to get an index if IndexActions of
    the rule name its resource type. A rule that does not run once a day (UTC), CopyActions and continuous backups are
    left out.
    """

    def __init__(self, plans: Plans, vaults: Vaults, indexing: Indexing, names: Mapping[str, str]) -> None:
        self._plans = plans
        self._vaults = vaults
        self._indexing = indexing
        self._names = names

    def run(self, now: datetime) -> None:
        """Make the backups that were due since the last time. Plans must not have changed meanwhile."""
        runs = [
            (at, plan, rule)
            for plan in self._plans.values()
            if plan.selections
            for rule in plan.latest.content["Rules"]
            for at in _times(rule.get("ScheduleExpression", DEFAULT_SCHEDULE), plan.ran_until, plan.deleted_at or now)
        ]
        for at, plan, rule in sorted(runs, key=lambda run: run[0]):
            for number, selection in enumerate(plan.selections):
                self._back_up(plan, rule, selection, f"{rule['RuleName']}/{number}", at)
            plan.last_run = at
        for plan in self._plans.values():
            plan.ran_until = now

    def _back_up(
        self, plan: StoredPlan, rule: Mapping[str, Any], selection: Selection, name: str, at: datetime
    ) -> None:
        name_of_vault = rule["TargetBackupVaultName"]
        stored = self._vaults.named(name_of_vault)
        lifecycle = rule.get("Lifecycle", {})
        run = f"{zlib.crc32(f'{plan.plan_id}/{name}/{at.isoformat()}'.encode()):08x}"
        points = RecoveryPointGroup(
            count=selection.count,
            resource_type=selection.resource_type,
            source=selection.source,
            arn=arn_of(selection.resource_type, run),
            first=1,
            created=at,
            index=None,
            tags=rule.get("RecoveryPointTags", {}),
            plan=plan.plan_id,
            rule=rule["RuleName"],
            expires=_after(at, lifecycle.get("DeleteAfterDays")),
            move_to_cold_storage_at=_after(at, lifecycle.get("MoveToColdStorageAfterDays")),
        )
        vault = Vault(name_of_vault, (points,), BACKUP_VAULT if stored is None else stored.type)
        (added,) = self._vaults.add(vault, at, self._names)
        indexed = {kind for action in rule.get("IndexActions", ()) for kind in action["ResourceTypes"]}
        if added.is_indexable and selection.resource_type in indexed:
            for number in added.numbers:
                self._indexing.create(added, number, at)


def _times(schedule: str, after: datetime, until: datetime) -> Iterator[datetime]:
    daily = _DAILY.fullmatch(schedule)
    if daily is None:
        return
    at = after.replace(hour=int(daily[2]), minute=int(daily[1]), second=0, microsecond=0)
    while at <= until:
        if at > after:
            yield at
        at += timedelta(days=1)


def _after(at: datetime, days: int | None) -> datetime | None:
    return None if days is None else at + timedelta(days=days)
