"""EC2: a backup of EBS is a snapshot, and its tags are known to EC2, not to AWS Backup (aws-facts.md §3)."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from search_coverage.aws.long_lists import PAGE_SIZE, pages_of_rows

if TYPE_CHECKING:
    from botocore.client import BaseClient


class Snapshots:
    """Reads the tags of snapshots; the port is `search_coverage.inventory.ports.Snapshots`."""

    def __init__(self, client: "BaseClient") -> None:
        self._client: Any = client

    def tags(self, arns: Collection[str]) -> dict[str, dict[str, str]]:
        """Read the tags of at most `SNAPSHOTS_PER_CALL` snapshots, by ARN; those that EC2 does not show are missing.

        DescribeTags does not distinguish a snapshot without tags from a missing one; DescribeSnapshots does.
        """
        by_identifier = {arn.rpartition("/")[2]: arn for arn in arns}
        request = {
            "Filters": [{"Name": "snapshot-id", "Values": list(by_identifier)}],
            "OwnerIds": ["self"],
            "MaxResults": PAGE_SIZE,
        }
        pages = pages_of_rows(
            f"the tags of {len(by_identifier)} snapshots", self._client.describe_snapshots, request, "Snapshots", _tags
        )
        return {
            by_identifier[identifier]: tags
            for page in pages
            for identifier, tags in page
            if identifier in by_identifier
        }


def _tags(row: Any) -> tuple[str, dict[str, str]]:
    return row["SnapshotId"], {tag["Key"]: tag["Value"] for tag in row.get("Tags", [])}
