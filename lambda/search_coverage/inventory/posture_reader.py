"""Reads all vaults into the table of the posture, several lists at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SEARCHED_TYPES
from search_coverage.coverage.searchability import searchability
from search_coverage.inventory.ports import Vault
from search_coverage.inventory.posture_table import PostureTable
from search_coverage.inventory.read_vaults import read_vaults
from search_coverage.inventory.vault_contents import VaultContents
from search_coverage.inventory.vault_lists import VaultLists


@dataclass(frozen=True, slots=True)
class PostureReader:
    """Reads the vaults.

    Attributes:
        at: A search job that would be created now.
    """

    at: SearchJob
    lists: VaultLists
    table: PostureTable

    def read(self) -> VaultContents:
        """Read the vaults into the table.

        Raises:
            AwsCallFailed: AWS does not list the vaults.
        """
        contents = read_vaults(self.at, self.lists, lambda _: SEARCHED_TYPES, self._read_list)
        return replace(contents, problems=tuple(dict.fromkeys(contents.problems)))  # both lists fail alike

    def _read_list(self, vault: Vault, resource_type: str) -> str | None:
        def add(page: list[RecoveryPoint]) -> bool:
            self.table.add((point, searchability(point, self.at)) for point in self._typed(page, resource_type))
            return False

        return self.lists.read(vault, add, resource_type=resource_type)

    def _typed(self, page: Iterable[RecoveryPoint], resource_type: str) -> Iterable[RecoveryPoint]:
        """Return the points with the type that they were asked for, where AWS does not say it."""
        return (point if point.resource_type else point._replace(resource_type=resource_type) for point in page)
