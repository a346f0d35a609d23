"""How indexes come and go as time passes, and the event of AWS Backup for each that is done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from search_coverage.names import AWS_BACKUP, INDEX_STATE_CHANGE
from simulators.backup_search.vaults import Index, StoredGroup

_TEXTS = {
    "ACTIVE": "An AWS Backup recovery point index was successfully completed.",
    "FAILED": "An AWS Backup recovery point index failed to create.",
    "DELETED": "An AWS Backup recovery point index was deleted.",
}


@dataclass(frozen=True, slots=True)
class _Change:
    """What happens to the index of a recovery point: it is done at a time, as ``ended`` says."""

    group: StoredGroup
    number: int
    done_at: datetime
    ended: Index
    role_arn: str


class Indexing:
    """Creates and deletes indexes, which takes some time, and keeps their events until they are due.

    AWS documents the events, by examples, and that they are sent "in a best-effort manner every 5 minutes"
    (aws-facts.md §7); here they are due at once.
    """

    def __init__(self, takes: timedelta) -> None:
        self.failures: dict[str, str | None] = {}
        self._takes = takes
        self._changes: list[_Change] = []

    def create(self, group: StoredGroup, number: int, at: datetime, role_arn: str | None = None) -> None:
        """Begin to create the index of a recovery point; it fails if its source is one of ``failures``.

        These are ARNs of sources with the message; without one it is that of AWS's example.
        """
        done, source = at + self._takes, group.source.of(number)
        ended = Index(status="ACTIVE", created_at=at, completed_at=done)
        if source in self.failures:
            message = self.failures[source] or _text("FAILED", group.arn.of(number))
            ended = Index(status="FAILED", message=message, created_at=at)
        self._begin(group, number, at, Index(status="PENDING", created_at=at), ended, role_arn)

    def delete(self, group: StoredGroup, number: int, at: datetime, role_arn: str | None = None) -> None:
        """Begin to delete the index of a recovery point."""
        created_at = group.index_of(number, at).created_at
        ended = Index(created_at=created_at, deleted_at=at + self._takes)
        self._begin(group, number, at, Index(status="DELETING", created_at=created_at), ended, role_arn)

    def due_events(self, now: datetime) -> list[dict[str, Any]]:
        """Take the events that are due: the entries of a PutEvents, each with its Time."""
        due = [change for change in self._changes if change.done_at <= now]
        self._changes = [change for change in self._changes if change.done_at > now]
        return [_event(change) for change in sorted(due, key=lambda change: change.done_at) if _has_happened(change)]

    def _begin(  # noqa: PLR0913, PLR0917 - the two states of one change
        self, group: StoredGroup, number: int, at: datetime, begun: Index, ended: Index, role_arn: str | None
    ) -> None:
        group.change_index(number, (at, begun), (at + self._takes, ended))
        self._changes.append(_Change(group, number, at + self._takes, ended, role_arn or group.role_arn))


def _has_happened(change: _Change) -> bool:
    group, number, at = change.group, change.number, change.done_at
    return group.exists(at) and number not in group.deleted and group.index_of(number, at) is change.ended


def _event(change: _Change) -> dict[str, Any]:
    group, ended, arn = change.group, change.ended, change.group.arn.of(change.number)
    status = ended.status or "DELETED"
    done = {"ACTIVE": "indexCompletionTime", "DELETED": "indexDeletionTime"}
    detail = {
        "recoveryPointArn": arn,
        "accountId": group.names["account"],
        "indexStatus": status,
        "iamRoleArn": change.role_arn,
        "resourceType": group.group.resource_type,
        "backupVaultArn": group.vault.arn,
        "indexCreationTime": None if ended.created_at is None else _time(ended.created_at),
        "isIndexingContinuous": group.is_continuous,
        "sourceResourceArn": group.source.of(change.number),
        "backupCreationTime": _time(group.created_at),
        "indexStatusMessage": ended.message or _text(status, arn),
        **({done[status]: _time(change.done_at)} if status in done else {}),
    }
    return {
        "Source": AWS_BACKUP,
        "DetailType": INDEX_STATE_CHANGE,
        "Time": change.done_at,
        "Resources": [arn],
        "Detail": {name: value for name, value in detail.items() if value is not None},
    }


def _text(status: str, arn: str) -> str:
    return f"{_TEXTS[status]} Indexed recovery point arn : {arn}"


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
