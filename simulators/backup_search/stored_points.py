"""Recovery points in a vault, and how single ones have changed since: deleted, indexed, no longer indexed."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from simulators.backup_search.field_types import time_of
from simulators.backup_search.numbered_text import NumberedText, with_names
from simulators.backup_search.vault import AIR_GAPPED_VAULT, RecoveryPointGroup

_SOURCES = {
    "S3": "arn:aws:s3:::example-bucket-{i:06}",
    "EBS": "arn:aws:ec2:{region}:{account}:volume/vol-{i:017x}",
    "EC2": "arn:aws:ec2:{region}:{account}:instance/i-{i:017x}",
}
# An EBS backup is a snapshot, its ARN has no account (aws-facts.md §2).
_ARNS = {
    "S3": "arn:aws:backup:{region}:{account}:recovery-point:{vault}-0000-4000-8000-{i:012x}",
    "EBS": "arn:aws:ec2:{region}::snapshot/snap-{vault}{i:09x}",
    "EC2": "arn:aws:ec2:{region}::image/ami-{vault}{i:09x}",
}
_INDEXABLE = {"S3", "EBS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The index of a recovery point at some time; without a status there is none."""

    status: str | None = None
    message: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredVault:
    """A vault of the account."""

    name: str
    type: str
    arn: str
    created_at: datetime
    groups: list["StoredGroup"] = field(default_factory=list)


Run = tuple[tuple["StoredGroup", Index], range]
"""Consecutive recovery points of one group with the same index, by their numbers."""


@dataclass(slots=True, eq=False)
class StoredGroup:
    """A group of recovery points in a vault, in the order (``serial``) in which groups came into the account."""

    group: RecoveryPointGroup
    vault: StoredVault
    serial: int
    first: int
    added_at: datetime
    names: Mapping[str, str]
    deleted: set[int] = field(default_factory=set)
    numbers: range = field(init=False)
    arn: NumberedText = field(init=False)
    source: NumberedText = field(init=False)
    created_at: datetime = field(init=False)
    index: Index = field(init=False)
    _changes: dict[int, list[tuple[datetime, Index]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        group, kind = self.group, self.group.resource_type
        names = {**self.names, "vault": f"{zlib.crc32(self.vault.name.encode()):08x}"}
        self.numbers = range(self.first, self.first + group.count)
        self.arn = NumberedText(group.arn or _ARNS.get(kind, _ARNS["S3"]), names)
        self.source = NumberedText(group.source or _SOURCES.get(kind, _SOURCES["S3"]), names)
        self.created_at = time_of(group.created, self.added_at)
        index_created = self._time_of(group.index_created) or self.created_at
        self.index = Index(
            status=group.index,
            message=None if group.index_message is None else with_names(group.index_message, names),
            created_at=None if group.index is None else index_created,
            completed_at=index_created if group.index == "ACTIVE" else None,
        )

    @property
    def completed_at(self) -> datetime:
        """When they were complete."""
        return self._time_of(self.group.completed) or self.created_at

    @property
    def cold_at(self) -> datetime | None:
        """When they move to cold storage."""
        return self._time_of(self.group.move_to_cold_storage_at)

    @property
    def role_arn(self) -> str:
        """The role that created them."""
        return with_names(self.group.iam_role_arn, self.names)

    @property
    def count(self) -> int:
        """How many are left."""
        return len(self.numbers) - len(self.deleted)

    @property
    def is_continuous(self) -> bool:
        """Whether they are continuous backups, which AWS updates again and again (aws-facts.md §7)."""
        return ":recovery-point:continuous:" in self.arn.template

    @property
    def is_indexable(self) -> bool:
        """Whether they can be indexed, cold storage aside (aws-facts.md §3)."""
        return self.vault.type != AIR_GAPPED_VAULT and self.group.resource_type in _INDEXABLE

    def exists(self, at: datetime) -> bool:
        """Return whether they existed at a time."""
        return self.created_at <= at

    def is_cold(self, at: datetime) -> bool:
        """Return whether they were in cold storage at a time."""
        return self.group.storage_class == "COLD" or (self.cold_at is not None and self.cold_at <= at)

    def index_of(self, number: int, at: datetime) -> Index:
        """Return the index that one of them had at a time."""
        changes = reversed(self._changes.get(number, []))
        return next((index for since, index in changes if since <= at), self.index)

    def change_index(self, number: int, at: datetime, takes: timedelta, *, enabled: bool) -> None:
        """Begin to create the index of one of them, or else to delete it; that takes some time."""
        done = at + takes
        if enabled:
            begun = Index(status="PENDING", created_at=at)
            ended = Index(status="ACTIVE", created_at=at, completed_at=done)
        else:
            created_at = self.index_of(number, at).created_at
            begun = Index(status="DELETING", created_at=created_at)
            ended = Index(created_at=created_at, deleted_at=done)
        self._changes.setdefault(number, []).extend([(at, begun), (done, ended)])

    def runs(self, numbers: range, at: datetime) -> Iterator[Run]:
        """Return those of these numbers that are left, alike ones together, in their order."""
        special = sorted(number for number in self.deleted | self._changes.keys() if number in numbers)
        for before, number in pairwise([numbers.start - 1, *special, numbers.stop]):
            if before + 1 < number:
                yield (self, self.index), range(before + 1, number)
            if number < numbers.stop and number not in self.deleted:
                yield (self, self.index_of(number, at)), range(number, number + 1)

    def _time_of(self, moment: datetime | timedelta | None) -> datetime | None:
        return None if moment is None else time_of(moment, self.added_at)
