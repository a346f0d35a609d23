"""Vaults and snapshots in memory, and the inventory of a search over them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from search_coverage.coverage.backup import Backup, BackupsPage
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import BackupCounts, Inventory, Judgement, judge
from search_coverage.inventory.ports import SNAPSHOTS_PER_CALL, Vault
from search_coverage.use_cases.take_inventory import TakeInventory
from tests.examples import search_job

STARTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = STARTED.timestamp() + 3600
BUCKET = "arn:aws:s3:::invoices"
ROLE = "arn:aws:iam::000000000000:role/backup"


def days_before(days: float) -> float:
    return STARTED.timestamp() - days * 86_400


def point_arn(end: str) -> str:
    return f"arn:aws:backup:us-east-1:000000000000:recovery-point:{end}"


def points(count: int = 1, end: str = "p{}", **changes: Any) -> list[RecoveryPoint]:
    """Return recovery points of S3 that were indexed, with changes; ``{}`` in a text becomes their number."""
    usual = RecoveryPoint(
        arn=point_arn(end),
        vault="Default",
        vault_type="BACKUP_VAULT",
        resource_type="S3",
        source_resource_arn=BUCKET,
        status="COMPLETED",
        created=days_before(1),
        completed=days_before(1),
        index_status="ACTIVE",
        role_arn=ROLE,
    )
    like = usual._replace(**changes)
    return [RecoveryPoint._make(v.format(n) if isinstance(v, str) else v for v in like) for n in range(count)]


def never_indexed(count: int = 1, end: str = "never-{}", **changes: Any) -> list[RecoveryPoint]:
    return points(count, end, **{"index_status": None, **changes})


def volumes(count: int = 1, end: str = "{}", **changes: Any) -> list[RecoveryPoint]:
    arn = f"arn:aws:ec2:us-east-1::snapshot/snap-{end}"
    return points(count, **{"arn": arn, "resource_type": "EBS", **changes})


@dataclass
class FakeVaults:
    """`ports.Vaults` in memory, and the snapshots of EC2; what is said by ARN is said by the end of the ARN.

    Attributes:
        more_vaults: Vaults that are empty.
        points_in: How many points AWS says a vault holds.
        details: What a description changes of what a list says; None for a point that is gone.
        tags_of: The tags; EC2 does not show a snapshot without an entry.
        denied: What fails: operations, each with what it is about, or "*".
        slow: How many seconds a page or call of an operation takes.
    """

    held: list[RecoveryPoint]
    more_vaults: Sequence[str] = ()
    points_in: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    items: Mapping[str, int | None] = field(default_factory=dict)
    tags_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    denied: Collection[tuple[str, str]] = ()
    slow: Mapping[str, float] = field(default_factory=dict)
    page_size: int = 1000
    now: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    lists: list[tuple[str, str | None]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def clock(self) -> float:
        return self.now

    def vaults(self) -> Iterator[list[Vault]]:
        known = {point.vault or "": point.vault_type for point in self.held}
        for name, kind in {**known, **dict.fromkeys(self.more_vaults)}.items():
            self._call("vaults", name)
            yield [Vault(name, kind, self.points_in.get(name))]

    def points_of_vault(
        self,
        vault: Vault,
        *,
        resource_type: str | None,
        source: str | None = None,
        after: datetime | None,
        before: datetime | None,
    ) -> Iterator[list[RecoveryPoint]]:
        self.lists.append((vault.name, source))
        first, last = after.timestamp() - 1 if after else 0.0, before.timestamp() + 1 if before else float("inf")
        found = [
            point
            for point in self.held
            if point.vault == vault.name
            and resource_type in {None, point.resource_type}
            and (source is None or point.source_resource_arn in {None, source})
            and first <= (point.created or first) <= last
        ]
        for start in range(0, max(len(found), 1), self.page_size):
            self._call("points_of_vault", vault.name, source or "", resource_type or "")
            yield found[start : start + self.page_size]

    def with_details(self, point: RecoveryPoint) -> RecoveryPoint | None:
        self._call("with_details", point.arn)
        changes = self.details.get(_end(point.arn), {})
        return None if changes is None else point._replace(**changes)

    def items_in_index(self, point: RecoveryPoint) -> int | None:
        self._call("items_in_index", point.arn)
        return self.items.get(_end(point.arn), 1000)

    def tags(self, recovery_point_arn: str) -> Iterator[Mapping[str, str]]:
        self._call("tags", recovery_point_arn)
        yield self.tags_of.get(_end(recovery_point_arn), {})

    def snapshots(self) -> "FakeSnapshots":
        self.calls["snapshots"] += 1
        return FakeSnapshots(self)

    def _call(self, operation: str, *about: str) -> None:
        with self._lock:
            self.calls[operation] += 1
            self.now += self.slow.get(operation, 0.0)
        if any((operation, each) in self.denied for each in (*about, "*")):
            raise AwsCallFailed(f"{operation} of {about[0]} failed: AWS answered AccessDenied")


@dataclass
class FakeSnapshots:
    """`ports.Snapshots` in memory."""

    world: FakeVaults

    def tags(self, arns: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        assert 0 < len(arns) <= SNAPSHOTS_PER_CALL
        self.world._call("tags_of_snapshots", "snapshots")
        return {arn: self.world.tags_of[_end(arn)] for arn in arns if _end(arn) in self.world.tags_of}


@dataclass
class Taken:
    """What an inventory found, and how far the search can be trusted then."""

    vaults: FakeVaults
    inventory: Inventory
    exclusions: list[Exclusion]
    judgement: Judgement

    @property
    def message(self) -> str:
        return self.inventory.message or ""

    @property
    def outcome(self) -> tuple[str, str]:
        return self.judgement.verdict, self.inventory.status

    @property
    def reasons(self) -> dict[Reason, int]:
        return dict(Counter(exclusion.reason for exclusion in self.exclusions))


Take = Callable[..., Taken]


def job_with(**scope: Any) -> SearchJob:
    return search_job(creation_time=STARTED, scope=SearchScope(**{"resource_types": ("S3",), **scope}))


def take_inventory(
    folder: Path,
    *held: Sequence[RecoveryPoint],
    scope: Mapping[str, Any] | None = None,
    listed: Sequence[RecoveryPoint] | None = None,
    not_searched: Sequence[RecoveryPoint] = (),
    seconds: float = 300.0,
    spare: float = 300.0,
    list_takes: float = 0.0,
    **fake: Any,
) -> Taken:
    """Take the inventory as a report does; by default the search lists every backup that has an index."""
    vaults = FakeVaults([point for group in held for point in group], **fake)
    if listed is None:
        listed = [point for point in vaults.held if point.index_status == "ACTIVE"]
    excluded = [Backup(status="FAILED", backup_arn=point.arn) for point in not_searched]
    job = job_with(**(scope or {}))
    take = TakeInventory(lambda: vaults, vaults.snapshots, lambda: STARTED, vaults.clock)
    with take.run(job, folder, seconds) as inventory:
        inventory.mark_listed(BackupsPage([point.arn for point in listed], excluded))
        for backup in excluded:
            inventory.index_of(backup)
        vaults.now += list_takes
        exclusions = list(inventory.not_listed(spare))
        result = inventory.result(len(listed))
    assert not list(folder.iterdir())  # the disk is given back
    searched = len(listed) - len(excluded)
    counts = BackupCounts(len(listed), searched, len(excluded) + len(exclusions), len(excluded))
    return Taken(vaults, result, exclusions, judge(job, counts, result))


def _end(arn: str) -> str:
    return arn.rpartition(":")[2].removeprefix("snapshot/snap-")
