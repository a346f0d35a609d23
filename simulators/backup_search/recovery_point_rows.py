"""Recovery points as the operations of ``backup`` show them, made when a page asks for them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from simulators.backup_search.numbered_text import numbering
from simulators.backup_search.protocol import RenderedJson, Service, render_json
from simulators.backup_search.stored_points import Index, Run, StoredGroup

_SIZE = 1_073_741_824
_TYPES_WITH_VAULT = {"EC2", "EFS"}  # in ListRecoveryPointsByResource (aws-facts.md §7)

Members = Callable[[StoredGroup, Index], dict[str, Any]]


def list_members(group: StoredGroup, index: Index) -> dict[str, Any]:
    """Return the members that the list calls have; texts still hold their placeholders."""
    return {name: value for name, value in _members(group, index).items() if name not in group.group.omit}


def resource_members(group: StoredGroup, index: Index) -> dict[str, Any]:
    """Return the members that ListRecoveryPointsByResource has: the vault only of some resource types."""
    members = list_members(group, index)
    if group.group.resource_type not in _TYPES_WITH_VAULT:
        members.pop("BackupVaultName", None)
    return members


def description(group: StoredGroup, number: int, now: datetime) -> dict[str, Any]:
    """Return the output of DescribeRecoveryPoint, which leaves nothing out."""
    members = _numbered(_members(group, group.index_of(number, now)), number)
    return {**members, "StorageClass": "COLD" if group.is_cold(now) else "WARM"}


def index_details(group: StoredGroup, number: int, now: datetime) -> dict[str, Any]:
    """Return the output of GetRecoveryPointIndexDetails."""
    index = group.index_of(number, now)
    members = {
        "RecoveryPointArn": group.arn.template,
        "BackupVaultArn": group.vault.arn,
        "SourceResourceArn": group.source.template,
        "IndexCreationDate": index.created_at,
        "IndexCompletionDate": index.completed_at,
        "IndexDeletionDate": index.deleted_at,
        "IndexStatus": index.status,
        "IndexStatusMessage": index.message,
        "TotalItemsIndexed": group.group.items_indexed if index.status == "ACTIVE" else None,
    }
    return _numbered(members, number)


class RecoveryPointRows:
    """Rows of one list call.

    Args:
        service: The service's model.
        shape: The name of the structure of a row in the model.
        members: Returns the members of a row.
    """

    def __init__(self, service: Service, shape: str, members: Members) -> None:
        self._service = service
        self._shape = service.structure(shape)
        self._members = members
        self._template = lru_cache(maxsize=4096)(self._make_template)

    def json(self, runs: list[Run], *, nulls: bool) -> RenderedJson:
        """Return recovery points as a JSON list; members that are not there are null if asked."""
        rows = (row for group, numbers, index in runs for row in map(self._template(group, index, nulls), numbers))
        return RenderedJson(f"[{','.join(rows)}]")

    def _make_template(self, group: StoredGroup, index: Index, nulls: bool) -> Callable[[int], str]:  # noqa: FBT001
        return numbering(render_json(self._service, self._shape, self._members(group, index), nulls=nulls))


def _members(group: StoredGroup, index: Index) -> dict[str, Any]:
    return {
        "RecoveryPointArn": group.arn.template,
        "BackupVaultName": group.vault.name,
        "BackupVaultArn": group.vault.arn,
        "ResourceArn": group.source.template,
        "ResourceType": group.group.resource_type,
        "IamRoleArn": group.role_arn,
        "Status": group.group.status,
        "StatusMessage": group.group.status_message,
        "CreationDate": group.created_at,
        "InitiationDate": group.created_at,
        "CompletionDate": group.completed_at,
        "BackupSizeInBytes": _SIZE,
        "BackupSizeBytes": _SIZE,
        "CalculatedLifecycle": None if group.cold_at is None else {"MoveToColdStorageAt": group.cold_at},
        "IsEncrypted": True,
        "IsParent": False,
        "VaultType": group.vault.type,
        "IndexStatus": index.status,
        "IndexStatusMessage": index.message,
    }


def _numbered(members: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        name: numbering(value)(number) if isinstance(value, str) else value
        for name, value in members.items()
        if value is not None
    }
