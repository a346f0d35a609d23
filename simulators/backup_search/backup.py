"""The operations of ``backup`` about vaults, recovery points and indexes; those about plans are in a base class."""

import re
from collections.abc import Iterable
from datetime import datetime

from simulators.backup_search.account import Account
from simulators.backup_search.field_types import ScenarioError
from simulators.backup_search.model_values import check_one_of
from simulators.backup_search.plan_operations import PlanOperations
from simulators.backup_search.protocol import ServiceError
from simulators.backup_search.rows import Rows, description, index_details, resource_members, vault_members
from simulators.backup_search.simulated_service import DEFAULT_PAGE, Input, Output, not_found
from simulators.backup_search.vault import Vault
from simulators.backup_search.vaults import StoredGroup, StoredVault, page_of

_PAGING = {"MaxResults", "NextToken"}


class Backup(PlanOperations):
    """AWS Backup, as far as vaults, recovery points and their indexes, and backup plans go.

    AWS does not document whether its filters by creation include the bounds. Here they do not: a client that trusts
    the opposite misses something.
    """

    name = "backup"
    invalid_input_code = "InvalidParameterValueException"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._rows_by_vault = Rows(self, "RecoveryPointByBackupVault", vault_members, {})
        self._rows_by_resource = Rows(self, "RecoveryPointByResource", resource_members, {})

    def list_backup_vaults(self, given: Input) -> Output:
        """Answer ListBackupVaults: by name."""
        kind, shared = given.get("ByVaultType"), given.get("ByShared", False)
        listing = f"ListBackupVaults({kind or ''}, {shared})"
        page, position = self._place(listing, given)
        vaults = [
            vault
            for vault in self._account.vaults.all()
            if kind in {None, vault.type} and not shared and vault.name > (position or "")
        ]
        size = given.get("MaxResults", DEFAULT_PAGE)
        now = self._account.clock()
        output = {"BackupVaultList": [_vault_members(vault, now) for vault in vaults[:size]]}
        return self._page(listing, page, output, vaults[size - 1].name if len(vaults) > size else None)

    def list_recovery_points_by_backup_vault(self, given: Input) -> Output:
        """Answer ListRecoveryPointsByBackupVault: in the order in which they came into the vault."""
        vault = self._vault(given)
        groups = [group for group in vault.groups if _matches(group, given)]
        resource_arn = given.get("ByResourceArn")
        return self._points(given, "ListRecoveryPointsByBackupVault", groups, resource_arn, self._rows_by_vault)

    def list_recovery_points_by_resource(self, given: Input) -> Output:
        """Answer ListRecoveryPointsByResource over all vaults: none for a resource that is not known."""
        groups = self._account.vaults.groups()
        return self._points(given, "ListRecoveryPointsByResource", groups, given["ResourceArn"], self._rows_by_resource)

    def describe_recovery_point(self, given: Input) -> Output:
        """Answer DescribeRecoveryPoint."""
        return description(*self._point(given), self._account.clock())

    def get_recovery_point_index_details(self, given: Input) -> Output:
        """Answer GetRecoveryPointIndexDetails; without an IndexStatus if there is no index."""
        return index_details(*self._point(given), self._account.clock())

    def list_tags(self, given: Input) -> Output:
        """Answer ListTags: for vaults and for recovery points whose ARN is AWS Backup's own.

        For others AWS documents that it "may return one of the exceptions" (API_ListTags); here it does.
        """
        arn = given["ResourceArn"]
        if not arn.startswith("arn:aws:backup:"):
            raise ServiceError("InvalidParameterValueException", f"{arn} is not fully managed by AWS Backup")
        if any(vault.arn == arn for vault in self._account.vaults.all()):
            return {"Tags": {}}
        found = self._account.vaults.find(arn, self._account.clock())
        if found is None:
            raise not_found(f"Recovery point {arn}")
        return {"Tags": dict(found[0].group.tags)}

    def update_recovery_point_index_settings(self, given: Input) -> Output:
        """Answer UpdateRecoveryPointIndexSettings: an index is PENDING for some time, or DELETING.

        ENABLED leaves an index that is ACTIVE or PENDING as it is, and creates any other one anew; AWS documents that
        it needs IamRoleArn. That it is refused for what cannot be indexed is a guess.
        """
        group, number = self._point(given)
        now = self._account.clock()
        index = group.index_of(number, now)
        enabled = given["Index"] == "ENABLED"
        if enabled and not given.get("IamRoleArn"):
            raise ServiceError("MissingParameterValueException", "IamRoleArn is required to enable an index")
        if enabled and (not group.is_indexable or group.is_cold(now)):
            raise ServiceError("InvalidRequestException", "This recovery point cannot be indexed")
        if index.status not in ({"ACTIVE", "PENDING"} if enabled else {None, "DELETING"}):
            change = self._account.indexing.create if enabled else self._account.indexing.delete
            change(group, number, now, given.get("IamRoleArn"))
        return {
            "BackupVaultName": group.vault.name,
            "RecoveryPointArn": given["RecoveryPointArn"],
            "IndexStatus": group.index_of(number, now).status,
            "Index": given["Index"],
        }

    def check(self, where: str, vault: Vault) -> None:
        """Raise a ScenarioError if a vault will send what the model does not know."""
        pattern = self.model.shape_for("BackupVaultName").metadata["pattern"]
        if not re.fullmatch(pattern, vault.name):
            raise ScenarioError(f"{where}.name must look like {pattern}, not {vault.name!r}.")
        check_one_of(f"{where}.type", vault.type, self.enum("VaultType"))
        members = list(self.structure("RecoveryPointByBackupVault").members)
        for number, group in enumerate(vault.recovery_points, 1):
            place = f"{where}.recovery_points[{number}]"
            check_one_of(f"{place}.status", group.status, self.enum("RecoveryPointStatus"))
            for member in group.omit:
                check_one_of(f"{place}.omit", member, members)

    def _points(
        self,
        given: Input,
        operation: str,
        groups: Iterable[StoredGroup],
        resource_arn: str | None,
        rows: Rows,
    ) -> Output:
        now = self._account.clock()
        listing = repr((operation, sorted((name, str(given[name])) for name in given.keys() - _PAGING)))
        page, position = self._place(listing, given)
        numbers = [
            (group, group.numbers if resource_arn is None else group.source.numbers(resource_arn, group.numbers))
            for group in groups
            if group.exists(now)
        ]
        runs, next_position = page_of(numbers, position, given.get("MaxResults", DEFAULT_PAGE), now)
        output = {"RecoveryPoints": rows.json(runs, nulls=self._account.sends_nulls)}
        return self._page(listing, page, output, next_position)

    def _vault(self, given: Input) -> StoredVault:
        name = given["BackupVaultName"]
        vault = self._account.vaults.named(name)
        if vault is None or given.get("BackupVaultAccountId", self._account.account_id) != self._account.account_id:
            raise not_found(f"Backup vault {name}")
        return vault

    def _point(self, given: Input) -> tuple[StoredGroup, int]:
        vault = self._vault(given)
        found = self._account.vaults.find(given["RecoveryPointArn"], self._account.clock(), vault.name)
        if found is None:
            raise not_found(f"Recovery point {given['RecoveryPointArn']} in backup vault {vault.name}")
        return found


def _matches(group: StoredGroup, given: Input) -> bool:
    if "ByParentRecoveryPointArn" in given:  # no recovery point here belongs to another one
        return False
    after, before = given.get("ByCreatedAfter"), given.get("ByCreatedBefore")
    return (
        given.get("ByResourceType") in {None, group.group.resource_type}
        and given.get("ByBackupPlanId") in {None, group.group.plan}
        and (after is None or group.created_at > after)
        and (before is None or group.created_at < before)
    )


def _vault_members(vault: StoredVault, now: datetime) -> Output:
    return {
        "BackupVaultName": vault.name,
        "BackupVaultArn": vault.arn,
        "VaultType": vault.type,
        "VaultState": "AVAILABLE",
        "CreationDate": vault.created_at,
        "NumberOfRecoveryPoints": sum(group.count for group in vault.groups if group.exists(now)),
        "Locked": False,
    }
