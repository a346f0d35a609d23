"""The one operation of ``ec2`` that an inventory needs: a backup of EBS is a snapshot, and EC2 alone gives its tags."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulators.backup_search.account import Account
from simulators.backup_search.page_tokens import InvalidTokenError, PageTokens, Place
from simulators.backup_search.protocol import Service, ServiceError
from simulators.backup_search.vault import AIR_GAPPED_VAULT

_VALUES_OF_A_FILTER = 200
_LEAST_PAGE, _LARGEST_PAGE = 5, 1000

Input = Mapping[str, Any]
Output = dict[str, Any]


class Snapshots:
    """EC2, as far as the tags of snapshots go.

    Snapshots of an air-gapped vault do not belong to the account, so that it does not see them (a guess).

    Attributes:
        service: The service's model.
        operations: What answers each operation.
        invalid_input_code: The error code for input that the model does not allow.
    """

    invalid_input_code = "InvalidParameterValue"

    def __init__(self, account: Account, tokens: PageTokens) -> None:
        self.service = Service("ec2")
        self.operations: Mapping[str, Callable[[Input], Output]] = {"DescribeSnapshots": self.describe_snapshots}
        self._account = account
        self._tokens = tokens

    def describe_snapshots(self, given: Input) -> Output:
        """Answers DescribeSnapshots: of those that a filter names, those that there are; the others are no error."""
        wanted = _wanted(given)
        size = given.get("MaxResults", _LARGEST_PAGE)
        if not _LEAST_PAGE <= size <= _LARGEST_PAGE:
            raise ServiceError(self.invalid_input_code, f"Value ( {size} ) for parameter maxResults is invalid.")
        listing = f"DescribeSnapshots({','.join(wanted)})"
        try:
            place = self._tokens.place(listing, given.get("NextToken"))
        except InvalidTokenError as error:
            raise ServiceError(self.invalid_input_code, str(error)) from error
        found = list(self._found(wanted))
        start = place.position or 0
        output: Output = {"Snapshots": found[start : start + size]}
        if start + size < len(found):
            output["NextToken"] = self._tokens.token(listing, Place(place.page + 1, start + size))
        return output

    def _found(self, wanted: list[str]) -> Iterator[dict[str, Any]]:
        for identifier in wanted:
            arn = f"arn:aws:ec2:{self._account.region}::snapshot/{identifier}"
            found = self._account.vaults.find(arn, self._account.clock())
            if found is not None and found[0].vault.type != AIR_GAPPED_VAULT:
                tags = [{"Key": key, "Value": value} for key, value in found[0].group.tags.items()]
                yield {"SnapshotId": identifier, "OwnerId": self._account.account_id, "Tags": tags}


def _wanted(given: Input) -> list[str]:
    filters = given.get("Filters", [])
    if [each.get("Name") for each in filters] != ["snapshot-id"] or given.get("OwnerIds") != ["self"]:
        raise ServiceError("InvalidParameterValue", "The simulator knows snapshots by the filter snapshot-id, of self")
    values: list[str] = filters[0].get("Values", [])
    if len(values) > _VALUES_OF_A_FILTER:
        raise ServiceError("InvalidParameterValue", f"A filter takes {_VALUES_OF_A_FILTER} values at the most")
    return values
