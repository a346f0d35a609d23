"""The recovery points that a search finds in the vaults: those in its scope that have an index."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from simulators.backup_search.scenario import BackupGroup
from simulators.backup_search.vault import AIR_GAPPED_VAULT
from simulators.backup_search.vaults import Index, StoredGroup, Vaults

_NOT_USABLE = {"CREATING", "DELETING", "EXPIRED"}


def selected(vaults: Vaults, scope: Mapping[str, Any], at: datetime, most: int | None) -> tuple[BackupGroup, ...]:
    """Return the rows of ListSearchJobBackups of a search.

    AWS documents little of this (aws-facts.md §2, §3); the rest is a choice:

    * A recovery point is not listed if it was never indexed, is in an air-gapped vault or in cold storage, did not
      exist or was not complete when the search was created; a continuous backup counts as complete from its creation.
    * An index that is not ACTIVE is listed, "its status will be displayed along with a status message": here as Status
      FAILED, since the model has no such Status, with the index's message or one that names its status.
    * Both bounds of the creation window are part of it, and a recovery point needs all tags of the scope.
    * Of more recovery points than fit, the first ones are listed; what AWS does is unknown.

    Args:
        vaults: The vaults.
        scope: SearchScope.
        at: When the search was created.
        most: How many recovery points fit into a search; None for any number.
    """
    rows = [
        row
        for group in vaults.groups()
        if _may_be_searched(group, at) and _is_asked_for(group, scope)
        for numbers in _numbers(group, scope)
        for (_, index), run in group.runs(numbers, at)
        if (row := _row(group, run, index)) is not None
    ]
    return tuple(rows if most is None else _cut(rows, most))


def _may_be_searched(group: StoredGroup, at: datetime) -> bool:
    return (
        group.vault.type != AIR_GAPPED_VAULT
        and (group.is_continuous or group.completed_at <= at)
        and group.exists(at)
        and group.group.status not in ({"DELETING"} if group.is_continuous else _NOT_USABLE)
        and not group.is_cold(at)
    )


def _is_asked_for(group: StoredGroup, scope: Mapping[str, Any]) -> bool:
    window = scope.get("BackupResourceCreationTime", {})
    after, before = window.get("CreatedAfter"), window.get("CreatedBefore")
    return (
        group.group.resource_type in scope["BackupResourceTypes"]
        and (after is None or after <= group.created_at)
        and (before is None or group.created_at <= before)
        and scope.get("BackupResourceTags", {}).items() <= group.group.tags.items()
    )


def _numbers(group: StoredGroup, scope: Mapping[str, Any]) -> list[range]:
    found = [group.numbers]
    for key, text in (("SourceResourceArns", group.source), ("BackupResourceArns", group.arn)):
        if scope.get(key):
            # As a set: a text without a number in it has all numbers at once.
            found = sorted(
                {numbers for arn in scope[key] for known in found if (numbers := text.numbers(arn, known))},
                key=lambda numbers: numbers.start,
            )
    return found


def _row(group: StoredGroup, numbers: range, index: Index) -> BackupGroup | None:
    if index.status is None:
        return None
    status, message = group.group.search_status, group.group.search_message
    if index.status != "ACTIVE":
        status, message = "FAILED", index.message or f"The backup index is in status {index.status}."
    return BackupGroup(
        count=len(numbers),
        first=numbers.start,
        status=status,
        status_message=message,
        resource_type=group.group.resource_type,
        vault=group.vault.name,
        source=group.source.template,
        backup_arn=group.arn.template,
        created=group.created_at,
        index_created=index.created_at or group.created_at,
    )


def _cut(rows: list[BackupGroup], most: int) -> Iterator[BackupGroup]:
    for row in rows:
        if most:
            yield replace(row, count=min(row.count, most))
        most -= min(row.count, most)
