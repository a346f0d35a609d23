"""Take the inventory of a search's scope: what the vaults hold, compared with what the search lists.

A backup that was never indexed is not in the list at all (aws-facts.md §3), so the list alone does not show that the
search left it out.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from aws_lambda_powertools import Logger

from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory
from search_coverage.inventory.comparison import Comparison
from search_coverage.inventory.ports import Snapshots, Vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.vault_contents import Unavailable
from search_coverage.inventory.vault_lists import VaultLists
from search_coverage.inventory.vault_reader import VaultReader
from search_coverage.names import SERVICE

_COMPARING = "comparing it with the list"

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class TakeInventory:
    """The use case.

    Attributes:
        vaults: Returns the vaults when they are needed.
        snapshots: Returns the snapshots when they are needed: where the scope is EBS and has tags.
        now: Returns the current time, aware.
        clock: Returns seconds that only increase.
    """

    vaults: Callable[[], Vaults]
    snapshots: Callable[[], Snapshots]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def run(self, job: SearchJob, folder: Path, seconds: float) -> "InventoryOfScope":
        """Read what the vaults hold in the scope of a search.

        Args:
            folder: Where the table is kept.
            seconds: How long the inventory may take in all, the comparison with the list included.
        """
        return InventoryOfScope(self, job, folder, TimeBudget(seconds, self.clock))

    def compare(self, job: SearchJob, table: RecoveryPointTable, budget: TimeBudget) -> Comparison | Unavailable:
        """Read the vaults into the table, and begin the comparison with the list."""
        vaults = self.vaults()
        contents = VaultReader(job, VaultLists(vaults, budget), table).read()
        if isinstance(contents, Unavailable):
            return contents
        return Comparison(job, table, contents, vaults, self.snapshots, budget)


class InventoryOfScope:
    """The inventory for the report on one search job.

    It never stops the report: an exception on the way makes it UNAVAILABLE, frees its disk space, and is logged.
    """

    def __init__(self, use_case: TakeInventory, job: SearchJob, folder: Path, budget: TimeBudget) -> None:
        self._taken_at = use_case.now()
        self._budget = budget
        self._resources = ExitStack()
        self._state: Comparison | Unavailable = Unavailable("")  # until the vaults are read
        with self._step("reading the vaults"):
            table = self._resources.enter_context(RecoveryPointTable(folder))
            self._state = use_case.compare(job, table, budget)
            budget.pause()

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Delete the table."""
        self._resources.close()

    def mark_listed(self, page: BackupsPage) -> None:
        """Record a page of the backups that the search lists."""
        with self._step(_COMPARING):
            self._state.mark_listed(page)

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Return what the vault says about a listed backup and its index."""
        index = None
        with self._step("looking up a backup"):
            index = self._state.index_of(backup)
        return index  # noqa: RET504 - None where the step failed

    def not_listed(self, seconds: float) -> Iterator[Exclusion]:
        """Yield the backups in scope that the search does not list, within this time; mark every page before."""
        self._budget.resume(at_most=seconds)
        with self._step(_COMPARING):
            yield from self._state.not_listed()

    def result(self, listed: int) -> Inventory:
        """Return the result for a search that lists this number of backups; read `not_listed` to its end before."""
        inventory = None
        with self._step(_COMPARING):
            inventory = self._state.result(listed, self._taken_at)
        return inventory or self._state.result(listed, self._taken_at)

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        """Turn whatever exception a step raises into an inventory that is UNAVAILABLE."""
        try:
            yield
        except Exception as error:
            _logger.error("the inventory is given up", step=step, exc_info=error)
            state = self._state
            where = next(iter(getattr(error, "__notes__", ())), step)  # a reader notes which vault it was reading
            reason = f"It was given up while {where}: {error!r}."
            self._state = Unavailable(reason, state.contents, state.not_listed_count)
            self._resources.close()
