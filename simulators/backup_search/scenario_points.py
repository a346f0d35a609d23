"""The recovery points behind the backups that a scenario lists, so that an inventory of the vaults fits the search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulators.backup_search.numbered_text import PLACEHOLDER
from simulators.backup_search.scenario import BackupGroup, Scenario, Scope
from simulators.backup_search.vault import BACKUP_VAULT, DEFAULT_VAULT, RecoveryPointGroup, Vault
from simulators.backup_search.vaults import StoredGroup, Vaults

_SOURCES_OF_A_SCOPE = 50
_TAG = "scenario"
_INDEX_WORDS = {
    "pending": "PENDING",
    "delet": "DELETING",
    "fail": "FAILED",
    **dict.fromkeys(("not indexed", "no index", "no backup index", "without", "missing"), "NONE"),
}


@dataclass(slots=True)
class ScenarioPoints:
    """The recovery points behind a scenario, and the names that distinguish its ARNs from those of other scenarios."""

    scenario: Scenario
    names: Mapping[str, str]
    owner: str
    groups: list[StoredGroup] = field(default_factory=list)

    def scope(self, created_at: datetime) -> Scope:
        """Return the scope of a search that covers only these backups.

        It names their sources or, if these are too many for a scope, the time from the oldest backup to the latest
        and, where AWS Backup lists tags, a tag that they all have. Without any backup it is empty: from the search
        job's creation to the search job's creation.
        """
        groups = [group for group in self.groups if group.group.resource_type == self.scenario.resource_type]
        sources: set[str] = set()
        for group in groups:
            numbers = group.numbers if group.source.is_numbered else group.numbers[:1]
            sources.update(map(group.source.of, numbers[: _SOURCES_OF_A_SCOPE + 1]))
        if 0 < len(sources) <= _SOURCES_OF_A_SCOPE:
            return Scope(source_arns=tuple(sorted(sources)))
        times = [group.created_at for group in groups]
        return Scope(
            created_after=min(times, default=created_at),
            created_before=max(times, default=created_at),
            tags={_TAG: self.scenario.name} if times and self.scenario.resource_type == "S3" else {},
        )


class PointsByScenario:
    """The recovery points behind each scenario, in the vaults."""

    def __init__(self, vaults: Vaults, names: Mapping[str, str]) -> None:
        self._vaults = vaults
        self._names = names
        self._all: list[ScenarioPoints] = []

    def of(self, scenario: Scenario, at: datetime) -> ScenarioPoints:
        """Return the recovery points of a scenario; the first of its search jobs puts them into the vaults.

        Their spans count back from that job, or from an older one that comes later: no backup is younger than a search
        that lists it. A backup without an ARN cannot be found again, and has no recovery point.
        """
        points = next((points for points in self._all if points.scenario == scenario), None)
        if points is None:
            number = len(self._all)
            names = {"series": f"{number:05x}", "nth": f"{number + 1}-" if number else ""}
            points = ScenarioPoints(scenario, {**self._names, **names}, f"backups of scenario {number}")
            self._all.append(points)
        elif all(group.created_at <= at for group in points.groups):
            return points
        self._vaults.remove(points.owner)
        points.groups = []
        for name, groups in recovery_points(scenario).items():
            stored = self._vaults.named(name)
            vault = Vault(name, tuple(groups), BACKUP_VAULT if stored is None else stored.type)
            points.groups += self._vaults.add(vault, at, points.names, points.owner)
        return points


def recovery_points(scenario: Scenario) -> dict[str, list[RecoveryPointGroup]]:
    """Return the recovery points of a scenario by the name of their vault, their placeholders still in them."""
    content: dict[str, list[RecoveryPointGroup]] = {}
    listed, unlisted = 1, scenario.rows + 1
    arns: set[str] = set()
    for group in scenario.backups:
        first = listed if group.listed else unlisted
        listed, unlisted = (listed + group.count, unlisted) if group.listed else (listed, unlisted + group.count)
        arn = scenario.arn_template(group)
        if group.count and "BackupResourceArn" not in group.omit and arn not in arns:
            content.setdefault(group.vault or DEFAULT_VAULT, []).append(_points(scenario, group, first, arn))
            if not PLACEHOLDER.search(arn):
                arns.add(arn)
    return content


def _points(scenario: Scenario, group: BackupGroup, first: int, arn: str) -> RecoveryPointGroup:
    index = group.index or _fitting_index(group)
    message = group.index_message
    if message is None and index not in {"ACTIVE", "NONE"} and group.index is None:
        message = group.status_message
    return RecoveryPointGroup(
        count=group.count if PLACEHOLDER.search(arn) else 1,
        resource_type=group.resource_type or scenario.resource_type,
        source=scenario.source_template(group),
        arn=arn,
        first=first,
        created=group.created,
        index=None if index == "NONE" else index,
        index_message=message,
        index_created=group.index_created,
        tags={_TAG: scenario.name, **(scenario.scope.tags if scenario.scope else {})},
        search_status=group.status,
        search_message=group.status_message,
    )


def _fitting_index(group: BackupGroup) -> str:
    """Return the index status that fits a row: the one that its message speaks of, or ACTIVE."""
    if not group.listed:
        return "NONE"
    message = (group.status_message or "").lower()
    if "index" not in message or group.status == "COMPLETED":
        return "ACTIVE"
    return next((status for word, status in _INDEX_WORDS.items() if word in message), "ACTIVE")
