"""What the inventory needs from outside: the vaults of AWS Backup, and the snapshots of EC2.

Every method raises `AwsCallFailed` where AWS does not return the whole answer.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from search_coverage.coverage.recovery_point import RecoveryPoint

POINTS_PER_PAGE = 1000
"""The most recovery points that AWS Backup returns per call (aws-facts.md §2)."""

SNAPSHOTS_PER_CALL = 200
"""The most values of a filter (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html)."""


@dataclass(frozen=True, slots=True)
class Vault:
    """A backup vault, with about how many recovery points it holds; what AWS does not say is None."""

    name: str
    type: str | None
    points: int | None


class Vaults(Protocol):
    """The backup vaults of the account and Region."""

    def vaults(self) -> Iterator[list[Vault]]:
        """List the vaults, page by page."""

    def points_of_vault(
        self,
        vault: Vault,
        *,
        resource_type: str | None,
        source: str | None = None,
        after: datetime | None,
        before: datetime | None,
    ) -> Iterator[list[RecoveryPoint]]:
        """List the recovery points of a vault, page by page; a filter that is None does not narrow the list.

        Args:
            source: The ARN of the resource that was backed up.
            after: Only points created after this time, or up to a second before it.
            before: Only points created before this time, or up to a second after it.
        """

    def with_details(self, point: RecoveryPoint) -> RecoveryPoint | None:
        """Read what a list does not show reliably: status, role, completion, storage class; None if it was deleted."""

    def items_in_index(self, point: RecoveryPoint) -> int | None:
        """Read how many items the index of a recovery point holds; None where AWS does not say."""

    def tags(self, recovery_point_arn: str) -> Iterator[Mapping[str, str]]:
        """Read the tags of a recovery point, page by page; AWS Backup does not know those of EBS snapshots."""


class Snapshots(Protocol):
    """The EBS snapshots of the account and Region."""

    def tags(self, arns: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Read the tags of at most `SNAPSHOTS_PER_CALL` snapshots, by ARN; those that EC2 does not show are missing."""
