"""The recovery points behind the backups that a scenario lists, so that an inventory of the vaults fits the search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulators.backup_search.backup_rows import arn_template, source_template
from simulators.backup_search.numbered_text import PLACEHOLDER
from simulators.backup_search.scenario import BackupGroup, Scenario
from simulators.backup_search.scope import Scope
from simulators.backup_search.stored_points import StoredGroup
from simulators.backup_search.vault import BACKUP_VAULT, RecoveryPointGroup, Vault
from simulators.backup_search.vaults import Vaults

DEFAULT_VAULT = "Default"
_SOURCES_OF_A_SCOPE = 50
_TAG = "scenario"
_INDEX_WORDS = {
    "pending": "PENDING",
    "delet": "DELETING",
    "fail": "FAILED",
    "not indexed": None,
    "no index": None,
    "no backup index": None,
    "without": None,
    "missing": None,
}


@dataclass(slots=True)
class Stock:
    """What the vaults hold for a scenario.

    Attributes:
        scenario: The scenario.
        names: What sets its default ARNs apart from those of other scenarios.
        groups: What the vaults hold.
    """

    scenario: Scenario
    names: Mapping[str, str]
    groups: list[StoredGroup] = field(default_factory=list)

    def scope(self, created_at: datetime) -> Scope:
        """Returns the scope of a search that means just these backups.

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


class Stocks:
    """The recovery points behind the scenarios, one stock a scenario."""

    def __init__(self) -> None:
        self._stocks: list[Stock] = []

    def of(self, scenario: Scenario, at: datetime, vaults: Vaults, names: Mapping[str, str]) -> Stock:
        """Returns the stock of a scenario; the first of its search jobs puts it into the vaults.

        Its spans count back from that job, or from an older one that comes later: no backup is younger than a search
        that lists it. A backup without an ARN cannot be found again, and has no recovery point.

        Args:
            scenario: The scenario.
            at: When its search job was created.
            vaults: Where the recovery points are put.
            names: What ``{account}`` and ``{region}`` stand for.
        """
        for number, stock in enumerate(self._stocks):
            if stock.scenario == scenario:
                if any(at < group.created_at for group in stock.groups):
                    vaults.remove(_owner(number))
                    _fill(stock, at, vaults, names, _owner(number))
                return stock
        number = len(self._stocks)
        stock = Stock(scenario, {"series": f"{number:05x}", "nth": f"{number + 1}-" if number else ""})
        self._stocks.append(stock)
        _fill(stock, at, vaults, names, _owner(number))
        return stock


def recovery_points(scenario: Scenario) -> dict[str, list[RecoveryPointGroup]]:
    """Returns what the vaults hold for a scenario, by the vaults' names; the texts still hold their placeholders."""
    content: dict[str, list[RecoveryPointGroup]] = {}
    listed, unlisted = 1, scenario.rows + 1
    arns: set[str] = set()
    for group in scenario.backups:
        first = listed if group.listed else unlisted
        listed, unlisted = (listed + group.count, unlisted) if group.listed else (listed, unlisted + group.count)
        arn = arn_template(scenario, group)
        if group.count and "BackupResourceArn" not in group.omit and arn not in arns:
            content.setdefault(group.vault or DEFAULT_VAULT, []).append(_points(scenario, group, first, arn))
            if not PLACEHOLDER.search(arn):
                arns.add(arn)
    return content


def _points(scenario: Scenario, group: BackupGroup, first: int, arn: str) -> RecoveryPointGroup:
    index = fitting_index(group) if group.index is None else group.index
    message = group.index_message
    if message is None and index not in {"ACTIVE", "NONE"} and group.index is None:
        message = group.status_message
    return RecoveryPointGroup(
        count=group.count if PLACEHOLDER.search(arn) else 1,
        resource_type=group.resource_type or scenario.resource_type,
        source=source_template(scenario, group),
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


def fitting_index(group: BackupGroup) -> str:
    """Returns the index status that fits what a search lists of a backup; NONE for no index.

    A message that speaks of an index says which one; everything else about a backup comes after its index.
    """
    if not group.listed:
        return "NONE"
    message = (group.status_message or "").lower()
    if "index" not in message or group.status == "COMPLETED":
        return "ACTIVE"
    return next((status or "NONE" for word, status in _INDEX_WORDS.items() if word in message), "ACTIVE")


def _fill(stock: Stock, at: datetime, vaults: Vaults, names: Mapping[str, str], owner: str) -> None:
    stock.groups = []
    for name, groups in recovery_points(stock.scenario).items():
        stored = vaults.named(name)
        vault = Vault(name, tuple(groups), BACKUP_VAULT if stored is None else stored.type)
        stock.groups += vaults.add(vault, at, {**names, **stock.names}, owner)


def _owner(number: int) -> str:
    return f"stock {number}"
