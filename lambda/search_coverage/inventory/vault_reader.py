"""Reads what the vaults hold in the scope of a search into the table, several lists at a time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import is_in_window, left_out, matches_scope
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.inventory.ports import CALLS_AT_ONCE, POINTS_PER_PAGE, Vault, Vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.vault_contents import Unavailable, VaultContents
from search_coverage.names import SERVICE

_EBS, _INSTANCES = "EBS", "EC2"
_EXAMPLES = 3
_SECONDS_BETWEEN_PROGRESS_LOGS = 10.0

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class _PointList:
    """What one reader reads: a vault, or what it holds of one source."""

    vault: Vault
    source: str | None


def read_vaults(
    job: SearchJob, vaults: Vaults, table: RecoveryPointTable, budget: TimeBudget
) -> VaultContents | Unavailable:
    """Read the vaults into the table; of large ones only the recovery points of the sources that the scope names."""
    return _VaultReader(job, vaults, table, budget).read()


class _VaultReader:
    def __init__(self, job: SearchJob, vaults: Vaults, table: RecoveryPointTable, budget: TimeBudget) -> None:
        self._job = job
        self._vaults = vaults
        self._table = table
        self._budget = budget
        self._lists_read = 0
        self._logged_at = self._started_at = budget.clock()

    def read(self) -> VaultContents | Unavailable:
        try:
            known, cut_short = self._list_vaults()
        except AwsCallFailed as error:
            return Unavailable(str(error))
        lists = [each for vault in known for each in self._lists_of(vault)]
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="inventory") as pool:
            problems = list(pool.map(self._read_list, lists))
            counts = list(pool.map(self._count_instances, known if self._is_for_ebs else ()))
        unread = {each.vault.name for each, problem in zip(lists, problems, strict=True) if problem}
        contents = VaultContents(
            vaults_read=len(known) - len(unread),
            problems=tuple(filter(None, chain(cut_short, problems))),
            not_searchable=tuple(count for count in counts if isinstance(count, NotSearchable)),
            not_counted=tuple(count for count in counts if isinstance(count, str)),
        )
        seconds = round(self._budget.clock() - self._started_at, 3)
        _logger.info(
            "vaults read", vaults=contents.vaults_read, of=len(known), in_scope=self._table.points, seconds=seconds
        )
        return contents

    @property
    def _is_for_ebs(self) -> bool:
        return _EBS in self._job.scope.resource_types

    def _list_vaults(self) -> tuple[list[Vault], list[str]]:
        """Give the vaults, and the problem if there was no time for all of them."""
        known: list[Vault] = []
        for page in self._vaults.vaults():
            known += page
            if self._budget.is_used_up():
                return known, ["There was no time to list the vaults to the end."]
        return known, []

    def _lists_of(self, vault: Vault) -> list[_PointList]:
        """Give one list per source where that takes no more calls than to read the whole vault."""
        sources = self._job.scope.source_arns
        calls = 1 if vault.points is None else max(1, -(-vault.points // POINTS_PER_PAGE))
        read_by_source = 0 < len(sources) <= calls
        return [_PointList(vault, source) for source in (sources if read_by_source else (None,))]

    def _read_list(self, points: _PointList) -> str | None:
        """Read a list into the table; give the problem if it was not read to its end."""
        what = f"vault {points.vault.name}"
        if self._budget.is_used_up():
            return f"There was no time to read {what}."
        scope, job, matches = self._job.scope, self._job, matches_scope(self._job)
        try:
            for page in self._vaults.points_of_vault(
                points.vault,
                resource_type=scope.resource_type,
                source=points.source,
                after=scope.created_after,
                before=scope.created_before,  # not the start of the search: what came after it is counted, too
            ):
                self._table.add((point, left_out(point, job)) for point in page if matches(point))
                if scope.backup_arns and self._table.points == len(scope.backup_arns):
                    break
                if self._budget.is_used_up():
                    return f"There was no time to read {what} to its end."
                self._log_progress()
        except AwsCallFailed as error:
            return str(error)
        except Exception as error:
            error.add_note(f"while reading {what}")
            raise
        self._lists_read += 1
        return None

    def _count_instances(self, vault: Vault) -> NotSearchable | str | None:
        """Count the backups of EC2 instances, whose volumes no search for EBS covers (aws-facts.md §7).

        Returns:
            The count, None for zero, or why there is none.
        """
        no_time = f"there was no time to read vault {vault.name}"
        if self._budget.is_used_up():
            return no_time
        scope, job, in_window = self._job.scope, self._job, is_in_window(self._job)
        before = min(filter(None, (scope.created_before, job.creation_time)), default=None)
        backups, examples = 0, list[str]()
        try:
            for page in self._vaults.points_of_vault(
                vault, resource_type=_INSTANCES, after=scope.created_after, before=before
            ):
                held = [point.arn for point in page if in_window(point) and left_out(point, job) is None]
                backups += len(held)
                examples += held[: _EXAMPLES - len(examples)]
                if self._budget.is_used_up():
                    return no_time
        except AwsCallFailed as error:
            return str(error)
        return NotSearchable(vault.name, backups, tuple(examples)) if backups else None

    def _log_progress(self) -> None:
        now = self._budget.clock()
        if now - self._logged_at > _SECONDS_BETWEEN_PROGRESS_LOGS:
            self._logged_at = now
            _logger.info("reading vaults", lists_read=self._lists_read, in_scope=self._table.points)
