"""The one operation of ``ec2`` that an inventory needs: an EBS backup is a snapshot, whose tags only EC2 returns."""

from collections.abc import Iterator
from typing import Any

from simulators.backup_search.protocol import ServiceError
from simulators.backup_search.simulated_service import Input, Output, SimulatedService
from simulators.backup_search.vault import AIR_GAPPED_VAULT

_VALUES_OF_A_FILTER = 200
_LEAST_PAGE, _LARGEST_PAGE = 5, 1000


class Snapshots(SimulatedService):
    """EC2, as far as the tags of snapshots go.

    Snapshots of an air-gapped vault do not belong to the account, so it does not see them (a guess).
    """

    name = "ec2"
    invalid_input_code = "InvalidParameterValue"

    def describe_snapshots(self, given: Input) -> Output:
        """Answer DescribeSnapshots: those that the filter names and that exist; the others are no error."""
        wanted = self._wanted(given)
        size = given.get("MaxResults", _LARGEST_PAGE)
        if not _LEAST_PAGE <= size <= _LARGEST_PAGE:
            raise self._invalid(f"Value ( {size} ) for parameter maxResults is invalid.")
        listing = f"DescribeSnapshots({','.join(wanted)})"
        page, position = self._place(listing, given)
        start = position or 0
        found = list(self._found(wanted))
        output = {"Snapshots": found[start : start + size]}
        return self._page(listing, page, output, start + size if start + size < len(found) else None)

    def _found(self, wanted: list[str]) -> Iterator[dict[str, Any]]:
        for identifier in wanted:
            arn = f"arn:aws:ec2:{self._account.region}::snapshot/{identifier}"
            found = self._account.vaults.find(arn, self._account.clock())
            if found is not None and found[0].vault.type != AIR_GAPPED_VAULT:
                tags = [{"Key": key, "Value": value} for key, value in found[0].group.tags.items()]
                yield {"SnapshotId": identifier, "OwnerId": self._account.account_id, "Tags": tags}

    def _wanted(self, given: Input) -> list[str]:
        filters = given.get("Filters", [])
        if [each.get("Name") for each in filters] != ["snapshot-id"] or given.get("OwnerIds") != ["self"]:
            raise self._invalid("The simulator supports only the filter snapshot-id, with the owner self")
        values: list[str] = filters[0].get("Values", [])
        if len(values) > _VALUES_OF_A_FILTER:
            raise self._invalid(f"A filter takes {_VALUES_OF_A_FILTER} values at the most")
        return values

    def _invalid(self, message: str) -> ServiceError:
        return ServiceError(self.invalid_input_code, message)
