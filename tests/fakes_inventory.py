"""Vaults and snapshots in memory, and the inventory of a search over them."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
BUCKET = "arn:aws:s3:::invoices"
LATER = STARTED.timestamp() + 3600


def days_before(days: float) -> float:
    return (STARTED - timedelta(days=days)).timestamp()


def point_arn(end: str) -> str:
    return f"arn:aws:backup:us-east-1:000000000000:recovery-point:{end}"


def points(count: int = 1, end: str = "p{}", **changes: Any) -> list[RecoveryPoint]:
    """Give recovery points of S3 that were indexed, with changes; ``{}`` in ``end`` or in a text counts them."""
    usual: dict[str, Any] = {
        "arn": point_arn(end),
        "resource_type": "S3",
        "source_resource_arn": BUCKET,
        "status": "COMPLETED",
        "created": days_before(1),
        "completed": days_before(1),
        "index_status": "ACTIVE",
        "role_arn": "arn:aws:iam::000000000000:role/backup",
    }
    members = {**usual, **changes}
    return [
        RecoveryPoint(**{name: v.format(n) if isinstance(v, str) else v for name, v in members.items()})
        for n in range(count)
    ]


def never_indexed(count: int = 1, end: str = "never-{}", **changes: Any) -> list[RecoveryPoint]:
    return points(count, end, **{"index_status": None, **changes})


def snapshots(count: int = 1, end: str = "a{}", **changes: Any) -> list[RecoveryPoint]:
    arn = f"arn:aws:ec2:us-east-1::snapshot/snap-{end}"
    return points(count, **{"arn": arn, "resource_type": "EBS", **changes})


class FakeVaults:
    """`ports.Vaults` in memory.

    Attributes:
        calls: How often each operation was called.
        denied: What the operations answer with an error, by operation and by what the call is about ("*" for all).
        seconds: How long a call or page of each operation takes.
    """

    def __init__(self) -> None:
        self.held: dict[Vault, list[RecoveryPoint]] = {}
        self.details: dict[str, RecoveryPoint | None] = {}
        self.items: dict[str, int | None] = {}
        self.tags_of: dict[str, Mapping[str, str]] = {}
        self.calls: Counter[str] = Counter()
        self.lists: list[tuple[str, str | None]] = []
        self.denied: set[tuple[str, str]] = set()
        self.seconds: dict[str, float] = {}
        self.now = 0.0
        self.page_size = 1000

    def hold(
        self, name: str, *groups: Sequence[RecoveryPoint], vault_type: str = "BACKUP_VAULT", says: int | None = None
    ) -> None:
        """Put points into a vault, of which AWS says how many it holds."""
        held = [point._replace(vault=name, vault_type=vault_type) for group in groups for point in group]
        self.held[Vault(name, vault_type, len(held) if says is None else says)] = held

    def clock(self) -> float:
        return self.now

    def vaults(self) -> Iterator[list[Vault]]:
        for vault in [*self.held]:
            self._call("vaults", vault.name)
            yield [vault]

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
        bounds = (after.timestamp() - 1 if after else 0.0, before.timestamp() + 1 if before else float("inf"))
        found = [
            point
            for point in self.held[vault]
            if resource_type in {None, point.resource_type}
            and (source is None or point.source_resource_arn in {None, source})
            and (point.created is None or bounds[0] <= point.created <= bounds[1])
        ]
        for first in range(0, max(len(found), 1), self.page_size):
            self._call("points_of_vault", vault.name, source or "", resource_type or "")
            yield found[first : first + self.page_size]

    def with_details(self, point: RecoveryPoint) -> RecoveryPoint | None:
        self._call("with_details", point.arn)
        return self.details.get(point.arn, point)

    def items_in_index(self, point: RecoveryPoint) -> int | None:
        self._call("items_in_index", point.arn)
        return self.items.get(point.arn, 1000)

    def tags(self, recovery_point_arn: str) -> Iterator[Mapping[str, str]]:
        self._call("tags", recovery_point_arn)
        yield self.tags_of.get(recovery_point_arn, {})

    def _call(self, operation: str, *about: str) -> None:
        self.calls[operation] += 1
        self.now += self.seconds.get(operation, 0.0)
        if any((operation, each) in self.denied for each in (*about, "*")):
            raise AwsCallFailed(f"{operation} of {about[0]} failed: AWS answered AccessDenied")


class FakeSnapshots:
    """`ports.Snapshots` in memory; it does not show a snapshot whose tags it does not know."""

    def __init__(self) -> None:
        self.tags_of: dict[str, Mapping[str, str]] = {}
        self.calls: list[int] = []
        self.is_denied = False

    def tags(self, arns: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        assert 0 < len(arns) <= SNAPSHOTS_PER_CALL
        self.calls.append(len(arns))
        if self.is_denied:
            raise AwsCallFailed("DescribeSnapshots answered UnauthorizedOperation")
        return {arn: self.tags_of[arn] for arn in arns if arn in self.tags_of}


@dataclass
class Taken:
    """What an inventory found, and what the search is worth then."""

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


@dataclass
class Search:
    """A search that ended, over vaults that a test fills; its inventory can be taken."""

    folder: Path
    vaults: FakeVaults = field(default_factory=FakeVaults)
    snapshots: FakeSnapshots = field(default_factory=FakeSnapshots)

    def job(self, scope: Mapping[str, Any]) -> SearchJob:
        return search_job(creation_time=STARTED, scope=SearchScope(**{"resource_types": ("S3",), **scope}))

    def inventory(
        self,
        scope: Mapping[str, Any] | None = None,
        listed: Sequence[RecoveryPoint] | None = None,
        not_searched: Sequence[RecoveryPoint] = (),
        seconds: float = 300.0,
    ) -> Taken:
        """Take the inventory as a report does; by default the search lists every backup that has an index."""
        job = self.job(scope or {})
        if listed is None:
            listed = [point for held in self.vaults.held.values() for point in held if point.index_status == "ACTIVE"]
        excluded = [Backup(status="FAILED", backup_arn=point.arn) for point in not_searched]
        take = TakeInventory(lambda: self.vaults, lambda: self.snapshots, lambda: STARTED, self.vaults.clock)
        with take.run(job, self.folder, seconds) as inventory:
            inventory.mark_listed(BackupsPage([point.arn for point in listed], excluded))
            indexes = [inventory.index_of(backup) for backup in excluded]
            exclusions = list(inventory.not_listed(seconds))
            result = inventory.result(len(listed))
        assert len(indexes) == len(excluded)
        assert not list(self.folder.iterdir())
        counts = BackupCounts(
            len(listed), len(listed) - len(excluded), len(excluded) + len(exclusions), failed=len(excluded)
        )
        return Taken(result, exclusions, judge(job, counts, result))
