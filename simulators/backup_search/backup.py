"""The operations of ``backup`` that an inventory of the vaults needs, over the account's vaults."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore.model import StructureShape
from botocore.validate import ParamValidator

from simulators.backup_search.account import Account
from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.page_tokens import InvalidTokenError, PageTokens, Place
from simulators.backup_search.protocol import Service, ServiceError
from simulators.backup_search.recovery_point_rows import (
    RecoveryPointRows,
    description,
    index_details,
    list_members,
    resource_members,
)
from simulators.backup_search.stored_points import IndexChange, StoredGroup, StoredVault
from simulators.backup_search.vault import Vault
from simulators.backup_search.vaults import Vaults, page_of

_DEFAULT_PAGE = 1000

Input = Mapping[str, Any]
Output = dict[str, Any]


class Backup:
    """AWS Backup, as far as vaults, recovery points and their indexes go.

    Whether AWS's filters by creation take the bounds in is not documented. Here they do not: "after" and "before" are
    taken at their word, and a client that trusts the opposite misses something.

    Attributes:
        service: The service's model.
        operations: What answers each operation.
        invalid_input_code: The error code for input that the model does not allow.
    """

    invalid_input_code = "InvalidParameterValueException"

    def __init__(self, account: Account, tokens: PageTokens) -> None:
        self.service = Service("backup")
        self.operations: Mapping[str, Callable[[Input], Output]] = {
            "DescribeRecoveryPoint": self.describe_recovery_point,
            "GetRecoveryPointIndexDetails": self.get_recovery_point_index_details,
            "ListBackupVaults": self.list_backup_vaults,
            "ListRecoveryPointsByBackupVault": self.list_recovery_points_by_backup_vault,
            "ListRecoveryPointsByResource": self.list_recovery_points_by_resource,
            "ListTags": self.list_tags,
            "UpdateRecoveryPointIndexSettings": self.update_recovery_point_index_settings,
        }
        self._account = account
        self._tokens = tokens
        self._shape = self.service.structure("RecoveryPointByBackupVault")
        self._rows_by_vault = RecoveryPointRows(self._shape, list_members)
        self._rows_by_resource = RecoveryPointRows(self.service.structure("RecoveryPointByResource"), resource_members)

    def list_backup_vaults(self, given: Input) -> Output:
        """Answers ListBackupVaults: by name."""
        kind, shared = given.get("ByVaultType"), given.get("ByShared", False)
        listing = f"ListBackupVaults({kind or ''}, {shared})"
        place = self._place(listing, given)
        vaults = [
            vault
            for vault in self._account.vaults.all()
            if kind in {None, vault.type} and not shared and vault.name > (place.position or "")
        ]
        size = given.get("MaxResults", _DEFAULT_PAGE)
        now = self._account.clock()
        output: Output = {"BackupVaultList": [_vault_members(vault, now) for vault in vaults[:size]]}
        if len(vaults) > size:
            output["NextToken"] = self._tokens.token(listing, Place(place.page + 1, vaults[size - 1].name))
        return output

    def list_recovery_points_by_backup_vault(self, given: Input) -> Output:
        """Answers ListRecoveryPointsByBackupVault: in the order in which they came into the vault."""
        vault = self._vault(given)
        groups = [group for group in vault.groups if _matches(group, given)]
        resource_arn = given.get("ByResourceArn")
        return self._points(given, "ListRecoveryPointsByBackupVault", groups, resource_arn, self._rows_by_vault)

    def list_recovery_points_by_resource(self, given: Input) -> Output:
        """Answers ListRecoveryPointsByResource: none for a resource that is not known, all vaults together.

        Of S3 and EBS it does not tell the vault (aws-facts.md §7).
        """
        groups = self._account.vaults.groups()
        return self._points(given, "ListRecoveryPointsByResource", groups, given["ResourceArn"], self._rows_by_resource)

    def describe_recovery_point(self, given: Input) -> Output:
        """Answers DescribeRecoveryPoint."""
        group, number = self._point(given)
        return description(group, number, self._account.clock())

    def get_recovery_point_index_details(self, given: Input) -> Output:
        """Answers GetRecoveryPointIndexDetails; without an IndexStatus if there is no index."""
        group, number = self._point(given)
        return index_details(group, number, self._account.clock())

    def list_tags(self, given: Input) -> Output:
        """Answers ListTags: for vaults and for recovery points whose ARN is AWS Backup's own.

        For others AWS documents that it "may return one of the exceptions" (API_ListTags); here it does.
        """
        arn = given["ResourceArn"]
        if not arn.startswith("arn:aws:backup:"):
            raise ServiceError("InvalidParameterValueException", f"{arn} is not fully managed by AWS Backup")
        if any(vault.arn == arn for vault in self._account.vaults.all()):
            return {"Tags": {}}
        found = self._account.vaults.find(arn, self._account.clock())
        if found is None:
            raise _not_found(f"Recovery point {arn}")
        return {"Tags": dict(found[0].group.tags)}

    def update_recovery_point_index_settings(self, given: Input) -> Output:
        """Answers UpdateRecoveryPointIndexSettings: an index is PENDING for some time, or DELETING.

        ENABLED leaves an index that is ACTIVE or PENDING as it is, and makes any other one anew; AWS documents that it
        needs IamRoleArn. That it is refused for what cannot be indexed is a guess.
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
            takes = self._account.index_takes
            change = IndexChange(before=index, enabled=enabled, at=now, takes=takes)
            group.change_index(number, change)
        return {
            "BackupVaultName": group.vault.name,
            "RecoveryPointArn": given["RecoveryPointArn"],
            "IndexStatus": group.index_of(number, now).status,
            "Index": given["Index"],
        }

    def check(self, where: str, vault: Vault) -> None:
        """Checks everything that a vault will put on the wire against the model.

        Raises:
            ScenarioError: Something is not as the model has it; the text says what and where.
        """
        pattern = self.service.model.shape_for("BackupVaultName").metadata["pattern"]
        if not re.fullmatch(pattern, vault.name):
            raise ScenarioError(f"{where}.name must look like {pattern}, not {vault.name!r}.")
        self._check_enum(f"{where}.type", vault.type, "VaultType")
        now = self._account.clock()
        stored = Vaults().add(vault, now, self._account.names)
        for number, group in enumerate(stored, 1):
            place = f"{where}.recovery_points[{number}]"
            self._check_enum(f"{place}.status", group.group.status, "RecoveryPointStatus")
            if group.group.index is not None:
                self._check_enum(f"{place}.index", group.group.index, "IndexStatus")
            for member in group.group.omit:
                _check_one_of(f"{place}.omit", member, list(self._shape.members))
            members = list_members(group, group.index)
            _check_shape(place, {name: members[name] for name in self._shape.members if name in members}, self._shape)

    def _check_enum(self, where: str, value: str, name: str) -> None:
        _check_one_of(where, value, list(getattr(self.service.model.shape_for(name), "enum", [])))

    def _points(
        self,
        given: Input,
        operation: str,
        groups: Iterable[StoredGroup],
        resource_arn: str | None,
        rows: RecoveryPointRows,
    ) -> Output:
        now = self._account.clock()
        listing = repr((operation, sorted((name, str(given[name])) for name in given.keys() - _PAGING)))
        place = self._place(listing, given)
        numbers = [
            (group, group.numbers if resource_arn is None else group.source.numbers(resource_arn, group.numbers))
            for group in groups
            if group.exists(now)
        ]
        start = None if place.position is None else (place.position[0], place.position[1])
        page = page_of(numbers, start, given.get("MaxResults", _DEFAULT_PAGE), now)
        output: Output = {"RecoveryPoints": rows.json(page.runs, nulls=self._account.wire.nulls)}
        if page.next is not None:
            output["NextToken"] = self._tokens.token(listing, Place(place.page + 1, page.next))
        return output

    def _vault(self, given: Input) -> StoredVault:
        name = given["BackupVaultName"]
        vault = self._account.vaults.named(name)
        if vault is None or given.get("BackupVaultAccountId", self._account.account_id) != self._account.account_id:
            raise _not_found(f"Backup vault {name}")
        return vault

    def _point(self, given: Input) -> tuple[StoredGroup, int]:
        vault = self._vault(given)
        found = self._account.vaults.find(given["RecoveryPointArn"], self._account.clock(), vault.name)
        if found is None:
            raise _not_found(f"Recovery point {given['RecoveryPointArn']} in backup vault {vault.name}")
        return found

    def _place(self, listing: str, given: Input) -> Place:
        try:
            return self._tokens.place(listing, given.get("NextToken"))
        except InvalidTokenError as error:
            raise ServiceError(self.invalid_input_code, str(error)) from error


_PAGING = {"MaxResults", "NextToken"}


def _matches(group: StoredGroup, given: Input) -> bool:
    # No recovery point here is of a backup plan, or part of another one.
    if given.keys() & {"ByBackupPlanId", "ByParentRecoveryPointArn"}:
        return False
    after, before = given.get("ByCreatedAfter"), given.get("ByCreatedBefore")
    return (
        given.get("ByResourceType") in {None, group.group.resource_type}
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


def _not_found(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"{what} was not found")


def _check_one_of(where: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise ScenarioError(f"{where} must be one of {', '.join(allowed)}, not {value!r}.")


def _check_shape(where: str, value: Output, shape: StructureShape) -> None:
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        raise ScenarioError(f"{where}: {' '.join(report.generate_report().splitlines())}.")
