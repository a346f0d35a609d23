"""The rows of the list calls, made when a page asks for them.

Rows that look alike are rendered to JSON once; a row is that text with its number put in. So a list of a million rows
costs what its pages cost, and a page of 1000 rows a millisecond or two.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from simulators.backup_search.field_types import time_of
from simulators.backup_search.numbered_text import numbering, with_names
from simulators.backup_search.protocol import RenderedJson, Service, render_json
from simulators.backup_search.result_group import ResultGroup
from simulators.backup_search.scenario import BackupGroup, Scenario
from simulators.backup_search.search_jobs import JobStatus, SearchJob
from simulators.backup_search.vault import DEFAULT_VAULT
from simulators.backup_search.vaults import Index, StoredGroup

_SIZE = 1_073_741_824
_TYPES_WITH_VAULT = {"EC2", "EFS"}  # in ListRecoveryPointsByResource (aws-facts.md §7)


class Rows:
    """The rows of one list call. ``members`` returns the members of the rows with one key, placeholders in them."""

    def __init__(
        self, service: Service, shape: str, members: Callable[..., Mapping[str, Any]], names: Mapping[str, str]
    ) -> None:
        self._service = service
        self._shape = service.structure(shape)
        self._members = members
        self._names = names
        self._template = lru_cache(maxsize=4096)(self._make_template)

    def json(self, runs: Iterable[tuple[Any, range]], *, nulls: bool) -> RenderedJson:
        """Return rows as a JSON list.

        A run has the key of rows that look alike, which goes to ``members`` as its arguments, and their numbers.
        """
        rows = (row for key, numbers in runs for row in map(self._template(key, nulls), numbers))
        return RenderedJson(f"[{','.join(rows)}]")

    def _make_template(self, key: tuple[Any, ...], nulls: bool) -> Callable[[int], str]:  # noqa: FBT001
        text = render_json(self._service, self._shape, self._members(*key), nulls=nulls)
        return numbering(with_names(text, self._names))


def runs_of(job: SearchJob, start: int, stop: int, now: datetime) -> Iterator[tuple[tuple[BackupGroup], range]]:
    """Yield rows of ListSearchJobBackups, counted from 0, as groups and the numbers in them.

    AWS does not document what it lists of backups that a stopped search did not reach; here they are STOPPED, without a
    message.
    """
    scanned = job.backups_scanned(now)
    begin = 0
    for group in (group for group in job.scenario.backups if group.listed):
        stopped = replace(group, status=JobStatus.STOPPED, status_message=None)
        # A row's number counts from 1, unless the group has numbers of its own.
        ahead = 1 if group.first is None else group.first - begin
        for each, low, high in ((group, start, min(stop, scanned)), (stopped, max(start, scanned), stop)):
            numbers = range(max(low, begin) + ahead, min(high, begin + group.count) + ahead)
            if numbers:
                yield (each,), numbers
        begin += group.count


def backup_members(scenario: Scenario, created_at: datetime, group: BackupGroup) -> dict[str, Any]:
    """Return the members of ListSearchJobBackups for a search job that was created at this time."""
    members = {
        "Status": group.status,
        "StatusMessage": group.status_message,
        "ResourceType": group.resource_type or scenario.resource_type,
        "BackupResourceArn": scenario.arn_template(group),
        "SourceResourceArn": scenario.source_template(group),
        "IndexCreationTime": time_of(group.index_created, created_at),
        "BackupCreationTime": time_of(group.created, created_at),
    }
    return {name: value for name, value in members.items() if name not in group.omit}


def result_runs(scenario: Scenario, start: int, stop: int) -> Iterator[tuple[tuple[ResultGroup], range]]:
    """Yield results of ListSearchJobResults, counted from 0, as groups and the numbers in them.

    AWS documents no order. Here it is that of the scenario, in each call.
    """
    begin = 0
    for group in scenario.results:
        numbers = range(max(start, begin) + 1, min(stop, begin + group.count) + 1)
        if numbers:
            yield (group,), numbers
        begin += group.count


def result_members(scenario: Scenario, created_at: datetime, group: ResultGroup) -> dict[str, Any]:
    """Return the members of ListSearchJobResults for a search job that was created at this time."""
    backup, number = scenario.row(group.backup)
    members: dict[str, Any] = {
        "BackupResourceArn": group.backup_arn or numbering(scenario.arn_template(backup))(number),
        "SourceResourceArn": group.source or numbering(scenario.source_template(backup))(number),
        "BackupVaultName": group.vault or backup.vault or DEFAULT_VAULT,
        "CreationTime": time_of(group.created, created_at),
    }
    if (backup.resource_type or scenario.resource_type) == "EBS":
        kind = "EBSResultItem"
        members |= {
            "FileSystemIdentifier": group.file_system,
            "FilePath": group.item or "/documents/{i:06}.pdf",
            "FileSize": group.size,
            "LastModifiedTime": time_of(group.modified, created_at),
        }
    else:
        kind = "S3ResultItem"
        members |= {
            "ObjectKey": group.item or "documents/{i:06}.pdf",
            "ObjectSize": group.size,
            "ETag": group.etag,
            "VersionId": group.version_id,
        }
    return {kind: {name: value for name, value in members.items() if name not in group.omit}}


def vault_members(group: StoredGroup, index: Index) -> dict[str, Any]:
    """Return the members of ListRecoveryPointsByBackupVault."""
    return {name: value for name, value in _members(group, index).items() if name not in group.group.omit}


def resource_members(group: StoredGroup, index: Index) -> dict[str, Any]:
    """Return the members of ListRecoveryPointsByResource: the vault only of some resource types."""
    members = vault_members(group, index)
    if group.group.resource_type not in _TYPES_WITH_VAULT:
        members.pop("BackupVaultName", None)
    return members


def description(group: StoredGroup, number: int, now: datetime) -> dict[str, Any]:
    """Return the output of DescribeRecoveryPoint, which leaves nothing out."""
    members = _members(group, group.index_of(number, now))
    return _numbered({**members, "StorageClass": "COLD" if group.is_cold(now) else "WARM"}, number)


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


def _members(group: StoredGroup, index: Index) -> dict[str, Any]:
    return {
        "RecoveryPointArn": group.arn.template,
        "BackupVaultName": group.vault.name,
        "BackupVaultArn": group.vault.arn,
        "ResourceArn": group.source.template,
        "ResourceType": group.group.resource_type,
        "IamRoleArn": group.role_arn,
        "CreatedBy": group.creator,
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
    return {name: numbering(value)(number) if isinstance(value, str) else value for name, value in members.items()}
