"""Reads what the vaults hold in the scope of a search into the table."""

from dataclasses import dataclass

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint, left_out, matches_scope
from search_coverage.coverage.search_job import SearchJob
from search_coverage.inventory.ports import POINTS_PER_PAGE, Vault
from search_coverage.inventory.read_vaults import read_vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.vault_contents import Unavailable, VaultContents
from search_coverage.inventory.vault_lists import VaultLists
from search_coverage.names import SERVICE

_EBS = "EBS"

_logger = Logger(service=SERVICE, child=True)


@dataclass(slots=True)
class VaultReader:
    """Reads whole vaults, or only the recovery points of the sources in the scope if a vault is large."""

    job: SearchJob
    lists: VaultLists
    table: RecoveryPointTable

    def read(self) -> VaultContents | Unavailable:
        """Read the vaults into the table."""
        clock = self.lists.budget.clock
        started = clock()
        is_for_ebs = _EBS in self.job.scope.resource_types
        try:
            contents = read_vaults(self.job, self.lists, self._sources_of, self._read_list, counts_instances=is_for_ebs)
        except AwsCallFailed as error:
            return Unavailable(str(error))
        seconds = round(clock() - started, 3)
        _logger.info(
            "vaults read",
            vaults=contents.vaults_read,
            of=len(contents.vaults),
            in_scope=self.table.points,
            seconds=seconds,
        )
        return contents

    def _sources_of(self, vault: Vault) -> tuple[str | None, ...]:
        """Return the sources to read one by one; None for all, where it takes fewer calls to read the whole vault."""
        sources = self.job.scope.source_arns
        calls = 1 if vault.points is None else max(1, -(-vault.points // POINTS_PER_PAGE))
        return sources if 0 < len(sources) <= calls else (None,)

    def _read_list(self, vault: Vault, source: str | None) -> str | None:
        """Read a list into the table; return the problem if it was not read to its end."""
        scope, job, matches = self.job.scope, self.job, matches_scope(self.job)

        def add(page: list[RecoveryPoint]) -> bool:
            self.table.add((point, left_out(point, job)) for point in page if matches(point))
            return bool(scope.backup_arns) and self.table.points == len(scope.backup_arns)

        # Not until the start of the search alone: what came after it is counted, too.
        return self.lists.read(
            vault,
            add,
            resource_type=scope.resource_type,
            source=source,
            after=scope.created_after,
            before=scope.created_before,
        )
