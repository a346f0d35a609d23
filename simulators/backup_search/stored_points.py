"""Recovery points in a vault, and what has become of single ones since: deleted, indexed, no longer indexed."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from simulators.backup_search.moment import time_of
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
    """The index of a recovery point, at some time.

    Attributes:
        status: PENDING, ACTIVE, FAILED or DELETING; None if there is no index.
        message: What is said about it.
        created_at: When making it began.
        completed_at: When it was made.
        deleted_at: When it was gone.
    """

    status: str | None = None
    message: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexChange:
    """What UpdateRecoveryPointIndexSettings asked for.

    Attributes:
        before: The index until then.
        enabled: Whether an index was asked for, or its end.
        at: When.
        takes: How long it is PENDING, or DELETING.
    """

    before: Index
    enabled: bool
    at: datetime
    takes: timedelta

    def index(self, now: datetime) -> Index:
        """Returns the index at a time."""
        done = self.at + self.takes
        if now < self.at:
            return self.before
        if self.enabled and now < done:
            return Index(status="PENDING", created_at=self.at)
        if self.enabled:
            return Index(status="ACTIVE", created_at=self.at, completed_at=done)
        if now < done:
            return Index(status="DELETING", created_at=self.before.created_at)
        return Index(created_at=self.before.created_at, deleted_at=done)


@dataclass(frozen=True, slots=True)
class StoredVault:
    """A vault of the account.

    Attributes:
        name: Its name.
        type: Its VaultType.
        arn: Its ARN.
        created_at: Its creation.
        groups: What it holds.
    """

    name: str
    type: str
    arn: str
    created_at: datetime
    groups: list["StoredGroup"] = field(default_factory=list)


Run = tuple["StoredGroup", range, Index]
"""Recovery points of one group in a row that are all alike, by their numbers, and their index."""


class StoredGroup:
    """A group of recovery points in a vault.

    Args:
        group: What they are.
        vault: Where they are.
        serial: Tells the order in which groups came into the account.
        first: The number of the first one.
        added_at: When they were put there.
        names: What ``{account}`` and ``{region}`` stand for.

    Attributes:
        arn: Their ARNs.
        source: The ARNs of what was backed up.
        numbers: Their numbers, the deleted ones included.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one place makes it
        self,
        group: RecoveryPointGroup,
        vault: StoredVault,
        serial: int,
        first: int,
        added_at: datetime,
        names: Mapping[str, str],
    ) -> None:
        names = {**names, "vault": f"{zlib.crc32(vault.name.encode()):08x}"}
        kind = group.resource_type
        self.group = group
        self.vault = vault
        self.serial = serial
        self.numbers = range(first, first + group.count)
        self.arn = NumberedText(group.arn or _ARNS.get(kind, _ARNS["S3"]), names)
        self.source = NumberedText(group.source or _SOURCES.get(kind, _SOURCES["S3"]), names)
        self.role_arn = with_names(group.iam_role_arn, names)
        self.created_at = time_of(group.created, added_at)
        self.completed_at = self.created_at if group.completed is None else time_of(group.completed, added_at)
        cold = group.move_to_cold_storage_at
        self.cold_at = None if cold is None else time_of(cold, added_at)
        index_created = self.created_at if group.index_created is None else time_of(group.index_created, added_at)
        self.index = Index(
            status=group.index,
            message=None if group.index_message is None else with_names(group.index_message, names),
            created_at=None if group.index is None else index_created,
            completed_at=index_created if group.index == "ACTIVE" else None,
        )
        self.deleted: set[int] = set()
        self._changes: dict[int, IndexChange] = {}

    @property
    def count(self) -> int:
        """How many are left."""
        return len(self.numbers) - len(self.deleted)

    @property
    def is_continuous(self) -> bool:
        """Whether they are continuous backups, which AWS goes on updating (aws-facts.md §7)."""
        return ":recovery-point:continuous:" in self.arn.template

    @property
    def is_indexable(self) -> bool:
        """Whether they could be indexed at all, cold storage aside (aws-facts.md §3)."""
        return self.vault.type != AIR_GAPPED_VAULT and self.group.resource_type in _INDEXABLE

    def exists(self, at: datetime) -> bool:
        """Tells whether they were there at a time."""
        return self.created_at <= at

    def is_cold(self, at: datetime) -> bool:
        """Tells whether they were in cold storage at a time."""
        return self.group.storage_class == "COLD" or (self.cold_at is not None and self.cold_at <= at)

    def index_of(self, number: int, at: datetime) -> Index:
        """Returns the index that one of them had at a time."""
        change = self._changes.get(number)
        return self.index if change is None else change.index(at)

    def change_index(self, number: int, change: IndexChange) -> None:
        """Begins to make or delete the index of one of them."""
        self._changes[number] = change

    def runs(self, numbers: range, at: datetime) -> Iterator[Run]:
        """Returns those of these numbers that are left, alike ones together, in their order."""
        special = sorted(number for number in self.deleted | self._changes.keys() if number in numbers)
        for before, number in pairwise([numbers.start - 1, *special, numbers.stop]):
            if before + 1 < number:
                yield self, range(before + 1, number), self.index
            if number < numbers.stop and number not in self.deleted:
                yield self, range(number, number + 1), self.index_of(number, at)
