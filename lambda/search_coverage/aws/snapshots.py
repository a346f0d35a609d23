"""EC2: a backup of EBS is a snapshot, and its tags are known to EC2, not to AWS Backup (aws-facts.md §3)."""

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.aws.long_lists import PAGE_SIZE, pages_of, rows_of

if TYPE_CHECKING:
    from botocore.client import BaseClient


class Snapshots:
    """Reads the tags of snapshots."""

    def __init__(self, client: "BaseClient") -> None:
        self._client: Any = client

    def tags(self, arns: Collection[str]) -> dict[str, dict[str, str]]:
        """Read the tags of at most `SNAPSHOTS_PER_CALL` snapshots.

        DescribeSnapshots, and not DescribeTags: that could not tell a snapshot without tags from one that is not there.

        Returns:
            The tags of each by its ARN. A snapshot that EC2 does not show to this account is missing.

        Raises:
            AwsCallFailed: They could not be read to the end.
        """
        by_identifier = {arn.rpartition("/")[2]: arn for arn in arns}
        read = partial(self._page, list(by_identifier))
        return {
            by_identifier[row["SnapshotId"]]: {tag["Key"]: tag["Value"] for tag in row.get("Tags", [])}
            for page in pages_of("the snapshots of backups", read)
            for row in page
            if row["SnapshotId"] in by_identifier
        }

    def _page(self, identifiers: list[str], token: str | None) -> tuple[list[Any], str | None]:
        what = f"Reading the tags of {len(identifiers)} snapshots"
        request: dict[str, Any] = {
            "Filters": [{"Name": "snapshot-id", "Values": identifiers}],
            "OwnerIds": ["self"],
            "MaxResults": PAGE_SIZE,
        }
        with reading(what):
            answer = self._client.describe_snapshots(**request, **({"NextToken": token} if token else {}))
            return rows_of(answer, "Snapshots", what), answer.get("NextToken")
