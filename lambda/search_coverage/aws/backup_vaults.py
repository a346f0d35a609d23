"""AWS Backup's vaults: the recovery points that they hold, and the indexes of these."""

from collections.abc import Generator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.aws.fast_pages import take_pages
from search_coverage.aws.long_lists import PAGE_SIZE, answer_without, epoch, pages_of, rows_of
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.inventory.ports import POINTS_PER_PAGE, Vault

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient

# AWS does not document whether its filters include their bounds: ask for a second more on both sides.
_MARGIN = timedelta(seconds=1)


class BackupVaults:
    """Reads vaults and recovery points. Nothing is changed."""

    def __init__(self, client: "BackupClient") -> None:
        self._client = client
        take_pages(client, "ListRecoveryPointsByBackupVault", "RecoveryPoints", "CreationDate", "CompletionDate")

    def vaults(self) -> Generator[list[Vault], None, None]:
        """List the vaults of the account and Region, page by page.

        Raises:
            AwsCallFailed: The list could not be read to its end.
        """
        return pages_of("the list of backup vaults", self._page_of_vaults)

    def points_of_vault(
        self,
        vault: Vault,
        *,
        resource_type: str | None,
        source: str | None = None,
        after: datetime | None,
        before: datetime | None,
    ) -> Generator[list[RecoveryPoint], None, None]:
        """Read the recovery points of a vault, page by page, narrowed by AWS as far as it can (see `Vaults`).

        Raises:
            AwsCallFailed: The list could not be read to its end.
        """
        request: dict[str, Any] = {"BackupVaultName": vault.name, "MaxResults": POINTS_PER_PAGE}
        if resource_type:
            request["ByResourceType"] = resource_type
        if source:
            request["ByResourceArn"] = source
        if after:
            request["ByCreatedAfter"] = after - _MARGIN
        if before:
            request["ByCreatedBefore"] = before + _MARGIN
        return pages_of(f"the recovery points of vault {vault.name}", partial(self._page_of_vault, vault, request))

    def with_details(self, point: RecoveryPoint) -> RecoveryPoint | None:
        """Read what a list does not tell for sure: status, role, completion, storage class; None if it was deleted.

        Raises:
            AwsCallFailed: The recovery point could not be read.
        """
        with reading(f"Reading recovery point {point.arn}"):
            try:
                answer: Any = self._client.describe_recovery_point(
                    BackupVaultName=point.vault or "", RecoveryPointArn=point.arn
                )
            except self._client.exceptions.ResourceNotFoundException:
                return None
            completed: datetime | None = answer.get("CompletionDate")
            moved = answer.get("CalculatedLifecycle", {}).get("MoveToColdStorageAt")
            is_cold = answer.get("StorageClass") == "COLD"
            return point._replace(
                resource_type=answer.get("ResourceType") or point.resource_type,
                status=answer.get("Status") or point.status,
                role_arn=answer.get("IamRoleArn") or point.role_arn,
                completed=completed.timestamp() if completed else None,
                cold_since=(moved.timestamp() if moved else 0.0) if is_cold else None,
            )

    def items_in_index(self, point: RecoveryPoint) -> int | None:
        """Read how many items the index of a recovery point holds; None where AWS does not say.

        Raises:
            AwsCallFailed: The index could not be read.
        """
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

        AWS gives them only for the types that it manages fully, which EBS is not among
        (https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html).

        Raises:
            AwsCallFailed: The tags could not be read.
        """
        return pages_of(f"the tags of {recovery_point_arn}", partial(self._page_of_tags, recovery_point_arn))

    def _page_of_vaults(self, token: str | None) -> tuple[list[Vault], str | None]:
        what = "Listing the backup vaults"
        with reading(what):
            answer = self._client.list_backup_vaults(**_page({"MaxResults": PAGE_SIZE}, token))
            vaults = [
                Vault(entry["BackupVaultName"], entry.get("VaultType"), entry.get("NumberOfRecoveryPoints"))
                for entry in rows_of(answer, "BackupVaultList", what)
            ]
            return vaults, answer.get("NextToken")

    def _page_of_vault(
        self, vault: Vault, request: dict[str, Any], token: str | None
    ) -> tuple[list[RecoveryPoint], str | None]:
        what = f"Listing the recovery points of vault {vault.name}"
        with reading(what):
            answer = self._client.list_recovery_points_by_backup_vault(**_page(request, token))
            points = [_recovery_point(row, vault) for row in rows_of(answer, "RecoveryPoints", what)]
            return points, answer.get("NextToken")

    def _page_of_tags(self, recovery_point_arn: str, token: str | None) -> tuple[dict[str, str], str | None]:
        request = {"ResourceArn": recovery_point_arn, "MaxResults": PAGE_SIZE}
        what = f"Reading the tags of {recovery_point_arn}"
        with reading(what):
            answer = self._client.list_tags(**_page(request, token))
            if "Tags" not in answer:  # botocore reads an answer that is not JSON as one without members
                raise AwsCallFailed(f"{what} failed: {answer_without('Tags')}")
            return answer["Tags"], answer.get("NextToken")


def _page(request: dict[str, Any], token: str | None) -> dict[str, Any]:
    return {**request, "NextToken": token} if token else request


def _recovery_point(row: Any, vault: Vault) -> RecoveryPoint:
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
    )
