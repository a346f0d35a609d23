"""The vaults of the account and their recovery points, which one service lists and the other one searches."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from simulators.backup_search.field_types import ScenarioError, time_of
from simulators.backup_search.numbered_text import NumberedText, with_names
from simulators.backup_search.plans import Plans
from simulators.backup_search.vault import AIR_GAPPED_VAULT, RecoveryPointGroup, Vault

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
    """A group of recovery points in a vault, in the order (``serial``) in which groups came into the account.

    ``creator`` is their CreatedBy.
    """

    group: RecoveryPointGroup
    vault: StoredVault
    serial: int
    first: int
    added_at: datetime
    names: Mapping[str, str]
    creator: Mapping[str, Any] | None
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
        self.arn = NumberedText(group.arn or arn_of(kind), names)
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
        expires_at = self._time_of(self.group.expires)
        return self.created_at <= at and (expires_at is None or at < expires_at)

    def is_cold(self, at: datetime) -> bool:
        """Return whether they were in cold storage at a time."""
        return self.group.storage_class == "COLD" or (self.cold_at is not None and self.cold_at <= at)

    def index_of(self, number: int, at: datetime) -> Index:
        """Return the index that one of them had at a time."""
        changes = reversed(self._changes.get(number, []))
        return next((index for since, index in changes if since <= at), self.index)

    def change_index(self, number: int, *changes: tuple[datetime, Index]) -> None:
        """Let one of them have another index from a time on, and again another one later."""
        self._changes.setdefault(number, []).extend(changes)

    def runs(self, numbers: range, at: datetime) -> Iterator[Run]:
        """Yield those of these numbers that are left, alike ones together, in their order."""
        special = sorted(number for number in self.deleted | self._changes.keys() if number in numbers)
        for before, number in pairwise([numbers.start - 1, *special, numbers.stop]):
            if before + 1 < number:
                yield (self, self.index), range(before + 1, number)
            if number < numbers.stop and number not in self.deleted:
                yield (self, self.index_of(number, at)), range(number, number + 1)

    def _time_of(self, moment: datetime | timedelta | None) -> datetime | None:
        return None if moment is None else time_of(moment, self.added_at)


class Vaults:
    """The vaults of the account. Groups keep their order, so that a page token stays valid while others come and go."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._vaults: dict[str, StoredVault] = {}
        self._owned: dict[str, list[StoredGroup]] = {}
        self._next_serial = 1

    def add(self, vault: Vault, now: datetime, names: Mapping[str, str], owner: str = "") -> list[StoredGroup]:
        """Add a vault, or its recovery points to the vault of the same name, which must have the same type.

        Spans count back from ``now``; ``remove`` removes the recovery points of an owner.
        """
        arn = f"arn:aws:backup:{names['region']}:{names['account']}:backup-vault:{vault.name}"
        new = StoredVault(vault.name, vault.type, arn, time_of(vault.created, now))
        stored = self._vaults.setdefault(vault.name, new)
        if stored.type != vault.type:
            raise ScenarioError(f"vault {vault.name!r} exists already, and its type is {stored.type}.")
        added = []
        for group in vault.recovery_points:
            last = max((other.numbers.stop for other in stored.groups), default=1)
            first = last if group.first is None else group.first
            creator = self._plans.creator(group.plan, group.rule, time_of(group.created, now), names)
            added.append(StoredGroup(group, stored, self._next_serial, first, now, names, creator))
            self._next_serial += 1
            stored.groups.append(added[-1])
        self._owned.setdefault(owner, []).extend(added)
        return added

    def remove(self, owner: str) -> None:
        """Remove the recovery points of an owner; the vaults stay."""
        for stored in self._owned.pop(owner, []):
            stored.vault.groups.remove(stored)

    def all(self) -> list[StoredVault]:
        """Return the vaults by name."""
        return [self._vaults[name] for name in sorted(self._vaults)]

    def named(self, name: str) -> StoredVault | None:
        """Return a vault, or None if there is none of this name."""
        return self._vaults.get(name)

    def groups(self) -> list[StoredGroup]:
        """Return the recovery points of all vaults, in the order in which they came."""
        groups = (group for vault in self._vaults.values() for group in vault.groups)
        return sorted(groups, key=lambda group: group.serial)

    def find(self, arn: str, now: datetime, vault: str | None = None) -> tuple[StoredGroup, int] | None:
        """Return the group and the number of a recovery point, in one vault or in all; None if it does not exist."""
        for group in self.groups():
            if vault in {None, group.vault.name} and group.exists(now):
                for number in group.arn.numbers(arn, group.numbers):
                    if number not in group.deleted:
                        return group, number
        return None

    def delete(self, arn: str, now: datetime) -> None:
        """Delete a recovery point; a KeyError means that there is none."""
        found = self.find(arn, now)
        if found is None:
            raise KeyError(arn)
        found[0].deleted.add(found[1])


def arn_of(resource_type: str, series: str = "{vault}") -> str:
    """Return the ARN of a recovery point, ``{i}`` in it; ``series`` is eight digits that distinguish it from others."""
    return _ARNS.get(resource_type, _ARNS["S3"]).replace("{vault}", series)


def page_of(
    numbers: Iterable[tuple[StoredGroup, range]], start: tuple[int, int] | None, size: int, now: datetime
) -> tuple[list[Run], tuple[int, int] | None]:
    """Return a page of recovery points, and where the next one begins; None if there is none.

    A page begins at the serial of a group and a number, or at the beginning.
    """
    serial, number = start or (0, 0)
    page: list[Run] = []
    left = size
    for group, wanted in numbers:
        begin = max(wanted.start, number) if group.serial == serial else wanted.start
        stop = wanted.stop if group.serial >= serial else begin
        for key, found in group.runs(range(begin, max(begin, stop)), now):
            taken = found[:left]
            if taken:
                page.append((key, taken))
            if len(taken) < len(found):
                return page, (group.serial, found[len(taken)])
            left -= len(taken)
    return page, None
