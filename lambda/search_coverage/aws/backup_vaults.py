"""AWS Backup's vaults: the recovery points that they hold, and the indexes of these."""

from collections.abc import Generator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.aws.fast_pages import take_pages
from search_coverage.aws.long_lists import PAGE_SIZE, answer_without, epoch, pages_of, pages_of_rows, with_token
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.inventory.ports import POINTS_PER_PAGE, Vault

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient

# AWS does not document whether its filters include their bounds: ask for a second more on both sides.
_MARGIN = timedelta(seconds=1)


class BackupVaults:
    """Reads vaults and recovery points; the port is `search_coverage.inventory.ports.Vaults`."""

    def __init__(self, client: "BackupClient", *, reads_ahead: bool = True) -> None:
        """Take whether the next page of recovery points is read while one is used: faster, and twice the memory."""
        self._client = client
        self._reads_ahead = reads_ahead
        take_pages(client, "ListRecoveryPointsByBackupVault", "RecoveryPoints", "CreationDate", "CompletionDate")

    def vaults(self) -> Generator[list[Vault], None, None]:
        """List the vaults, page by page."""
        return pages_of_rows(
            "the backup vaults", self._client.list_backup_vaults, {"MaxResults": PAGE_SIZE}, "BackupVaultList", _vault
        )

    def points_of_vault(
        self,
        vault: Vault,
        *,
        resource_type: str | None,
        source: str | None = None,
        after: datetime | None,
        before: datetime | None,
    ) -> Generator[list[RecoveryPoint], None, None]:
        """List the recovery points of a vault, page by page, narrowed by AWS as far as it can."""
        filters = {
            "ByResourceType": resource_type,
            "ByResourceArn": source,
            "ByCreatedAfter": after - _MARGIN if after else None,
            "ByCreatedBefore": before + _MARGIN if before else None,
        }
        return pages_of_rows(
            f"the recovery points of vault {vault.name}",
            self._client.list_recovery_points_by_backup_vault,
            {
                "BackupVaultName": vault.name,
                "MaxResults": POINTS_PER_PAGE,
                **{name: value for name, value in filters.items() if value},
            },
            "RecoveryPoints",
            partial(_recovery_point, vault),
            ahead=self._reads_ahead,
        )

    def with_details(self, point: RecoveryPoint) -> RecoveryPoint | None:
        """Read what a list does not show reliably: status, role, completion, storage class; None if it was deleted."""
        with reading(f"Reading recovery point {point.arn}"):
            try:
                answer: Any = self._client.describe_recovery_point(
                    BackupVaultName=point.vault or "", RecoveryPointArn=point.arn
                )
            except self._client.exceptions.ResourceNotFoundException:
                return None
            moved = epoch(answer.get("CalculatedLifecycle", {}).get("MoveToColdStorageAt"))
            return point._replace(
                resource_type=answer.get("ResourceType") or point.resource_type,
                status=answer.get("Status") or point.status,
                role_arn=answer.get("IamRoleArn") or point.role_arn,
                completed=epoch(answer.get("CompletionDate")),
                cold_since=(moved or 0.0) if answer.get("StorageClass") == "COLD" else None,
            )

    def items_in_index(self, point: RecoveryPoint) -> int | None:
        """Read how many items the index of a recovery point holds; None where AWS does not say."""
        with reading(f"Reading the index of recovery point {point.arn}"):
            answer = self._client.get_recovery_point_index_details(
                BackupVaultName=point.vault or "", RecoveryPointArn=point.arn
            )
            items: Any = answer.get("TotalItemsIndexed")
            if items is not None and type(items) is not int:
                raise TypeError(f"TotalItemsIndexed is not a number: {items!r}")
            return items

    def tags(self, recovery_point_arn: str) -> Generator[dict[str, str], None, None]:
        """Read the tags of a recovery point, page by page.

        AWS returns them only for the types that it manages fully, which EBS is not among
        (https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html).
        """
        return pages_of(f"the tags of {recovery_point_arn}", partial(self._page_of_tags, recovery_point_arn))

    def _page_of_tags(self, recovery_point_arn: str, token: str | None) -> tuple[dict[str, str], str | None]:
        what = f"Reading the tags of {recovery_point_arn}"
        with reading(what):
            answer = self._client.list_tags(
                **with_token({"ResourceArn": recovery_point_arn, "MaxResults": PAGE_SIZE}, token)
            )
            if "Tags" not in answer:  # botocore reads an answer that is not JSON as one without members
                raise AwsCallFailed(f"{what} failed: {answer_without('Tags')}")
            return answer["Tags"], answer.get("NextToken")


def _vault(row: Any) -> Vault:
    return Vault(row["BackupVaultName"], row.get("VaultType"), row.get("NumberOfRecoveryPoints"))


def _recovery_point(vault: Vault, row: Any) -> RecoveryPoint:
    creator = row.get("CreatedBy") or {}
    return RecoveryPoint(
        row["RecoveryPointArn"],
        vault.name,
        row.get("VaultType") or vault.type,
        row.get("ResourceType"),
        row.get("ResourceArn"),
        row.get("Status"),
        epoch(row.get("CreationDate")),
        epoch(row.get("CompletionDate")),
        epoch((row.get("CalculatedLifecycle") or {}).get("MoveToColdStorageAt")),
        row.get("IndexStatus"),
        row.get("IndexStatusMessage"),
        row.get("IamRoleArn"),
        creator.get("BackupPlanId"),
        creator.get("BackupRuleName") or creator.get("BackupRuleId"),
    )
