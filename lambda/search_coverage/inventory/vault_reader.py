"""Reads what the vaults hold in the scope of a search into the table, several lists at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint, is_in_window, left_out, matches_scope
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.inventory.lookups import CALLS_AT_ONCE
from search_coverage.inventory.ports import POINTS_PER_PAGE, Vault, Vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.vault_contents import Unavailable, VaultContents
from search_coverage.names import SERVICE

_EBS, _INSTANCES = "EBS", "EC2"
_EXAMPLES = 3
_SECONDS_BETWEEN_PROGRESS_LOGS = 10.0

_logger = Logger(service=SERVICE, child=True)


@dataclass(slots=True)
class VaultReader:
    """Reads whole vaults, or only the recovery points of the sources in the scope if a vault is large."""

    job: SearchJob
    vaults: Vaults
    table: RecoveryPointTable
    budget: TimeBudget
    _lists_read: int = 0
    _logged_at: float = field(init=False)

    def read(self) -> VaultContents | Unavailable:
        """Read the vaults into the table."""
        self._logged_at = started = self.budget.clock()
        try:
            vaults, problems = self._list_vaults()
        except AwsCallFailed as error:
            return Unavailable(str(error))
        lists = [(vault, source) for vault in vaults for source in self._sources_of(vault)]
        is_for_ebs = _EBS in self.job.scope.resource_types
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="inventory") as pool:
            outcomes = list(pool.map(lambda each: self._read_list(*each), lists))
            counts = list(pool.map(self._count_instances, vaults if is_for_ebs else ()))
        unread = {vault.name for (vault, _), problem in zip(lists, outcomes, strict=True) if problem}
        contents = VaultContents(
            vaults_read=len(vaults) - len(unread),
            problems=(*problems, *filter(None, outcomes)),
            not_searchable=tuple(count for count in counts if isinstance(count, NotSearchable)),
            not_counted=tuple(count for count in counts if isinstance(count, str)),
        )
        seconds = round(self.budget.clock() - started, 3)
        _logger.info(
            "vaults read", vaults=contents.vaults_read, of=len(vaults), in_scope=self.table.points, seconds=seconds
        )
        return contents

    def _list_vaults(self) -> tuple[list[Vault], list[str]]:
        """Return the vaults, and the problem if there was no time for all of them."""
        vaults: list[Vault] = []
        for page in self.vaults.vaults():
            vaults += page
            if self.budget.is_used_up():
                return vaults, ["There was no time to list the vaults to the end."]
        return vaults, []

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
        problem = self._read_pages(vault, add, scope.resource_type, source, scope.created_before)
        self._lists_read += problem is None
        return problem

    def _count_instances(self, vault: Vault) -> NotSearchable | str | None:
        """Count the backups of EC2 instances, whose volumes no search for EBS covers (aws-facts.md §7).

        Returns:
            The count, None for zero, or the problem if they were not read to the end.
        """
        job, in_window, examples = self.job, is_in_window(self.job), list[str]()
        before = min(filter(None, (job.scope.created_before, job.creation_time)), default=None)
        backups = 0

        def count(page: list[RecoveryPoint]) -> bool:
            nonlocal backups
            held = [point.arn for point in page if in_window(point) and left_out(point, job) is None]
            backups += len(held)
            examples.extend(held[: _EXAMPLES - len(examples)])
            return False

        problem = self._read_pages(vault, count, _INSTANCES, None, before)
        return problem or (NotSearchable(vault.name, backups, tuple(examples)) if backups else None)

    def _read_pages(
        self,
        vault: Vault,
        take: Callable[[list[RecoveryPoint]], bool],
        resource_type: str | None,
        source: str | None,
        before: datetime | None,
    ) -> str | None:
        """Read pages until one of them is enough; return the problem if there was one."""
        what, after = f"vault {vault.name}", self.job.scope.created_after
        if self.budget.is_used_up():
            return f"There was no time to read {what}."
        try:
            for page in self.vaults.points_of_vault(
                vault, resource_type=resource_type, source=source, after=after, before=before
            ):
                if take(page):
                    break
                if self.budget.is_used_up():
                    return f"There was no time to read {what} to its end."
                self._log_progress()
        except AwsCallFailed as error:
            return str(error)
        except Exception as error:
            error.add_note(f"reading {what}")
            raise
        return None

    def _log_progress(self) -> None:
        now = self.budget.clock()
        if now - self._logged_at > _SECONDS_BETWEEN_PROGRESS_LOGS:
            self._logged_at = now
            _logger.info("reading vaults", lists_read=self._lists_read, in_scope=self.table.points)
