"""Say what a search would look into and what it would miss, before anyone pays for it.

It asks what the inventory of a report asks later, with a search job that would be created now: so both agree on what
is in the scope, and on what can be searched.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.posture import Counts
from search_coverage.coverage.preflight import PreflightResult
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.searchability import Searchability, search_now, searchability
from search_coverage.coverage.verdict import InventoryStatus
from search_coverage.inventory.ports import SNAPSHOTS_PER_CALL, Snapshots, Vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.unlisted import UnlistedPoints
from search_coverage.inventory.vault_contents import Unavailable, VaultContents
from search_coverage.inventory.vault_lists import VaultLists
from search_coverage.inventory.vault_reader import VaultReader
from search_coverage.report.files.spool import spool_folder

_EXAMPLES = 20
_SEARCHABLE_NAMED = 500
_SHARE_OF_THE_TIME = 0.9


@dataclass(frozen=True, slots=True)
class Preflight:
    """The use case.

    Attributes:
        vaults: Returns the vaults when they are needed.
        snapshots: Returns the snapshots when they are needed: where the scope is EBS and has tags.
        now: Returns the current time, aware.
    """

    vaults: Callable[[], Vaults]
    snapshots: Callable[[], Snapshots]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def run(self, scope: SearchScope, account: str, region: str, seconds: float) -> PreflightResult:
        """Read the vaults, and say what the search would look into.

        Args:
            seconds: How long it may take; what it could not read until then makes it PARTIAL.
        """
        budget = TimeBudget(seconds * _SHARE_OF_THE_TIME, self.clock)
        job = search_now(account, region, self.now(), scope)
        with spool_folder() as folder, RecoveryPointTable(folder) as table:
            return self._run_in(table, job, budget)

    def _run_in(self, table: RecoveryPointTable, job: SearchJob, budget: TimeBudget) -> PreflightResult:
        vaults, started = self.vaults(), self.now()
        contents = VaultReader(job, VaultLists(vaults, budget), table).read()
        if isinstance(contents, Unavailable):
            return PreflightResult(job.scope, job.arn.region, started, InventoryStatus.UNAVAILABLE, (contents.reason,))
        points = UnlistedPoints(job, vaults, self.snapshots, budget, which="in the vaults", doubts_indexes=True)
        points.left_out.update({reason: count for reason, count in table.count_not_listed().items() if reason})
        counted, examples = Counter[Searchability](), defaultdict[Searchability, list[Exclusion]](list)
        searchable: list[str] = []
        unread, named = table.not_listed(), set(job.scope.backup_arns)
        while some := list(islice(unread, SNAPSHOTS_PER_CALL)):
            for point in points.in_scope(some):
                state = searchability(point, job)
                if state is None:
                    continue
                counted[state] += 1
                named.discard(point.arn)
                if state is Searchability.SEARCHABLE and len(searchable) < _SEARCHABLE_NAMED:
                    searchable.append(point.arn)
                if state.reason and len(examples[state]) < _EXAMPLES:
                    examples[state].append(point.left_out_for(state.reason))
        problems = (*contents.problems, *points.problems())
        return PreflightResult(
            scope=job.scope,
            region=job.arn.region,
            taken_at=started,
            status=InventoryStatus.PARTIAL if problems else InventoryStatus.COMPLETE,
            problems=problems,
            notes=tuple(_notes(contents, points)),
            counts=Counts(dict(counted)),
            named_missing=len(named),
            examples={state: tuple(examples[state]) for state in Searchability if examples.get(state)},
            left_out=dict(points.left_out),
            unreachable=contents.not_searchable,
            first_searchable=tuple(searchable),
        )


def _notes(contents: VaultContents, points: UnlistedPoints) -> list[str]:
    notes = list(points.refusals()[:1])
    if points.without_details:
        notes.append(
            f"The storage class and the completion of {points.without_details} backups were not looked up; what the "
            "list of the vault says of them is what counts."
        )
    if contents.not_counted:
        notes.append(f"The backups of EC2 instances could not be counted everywhere: {contents.not_counted[0]}")
    return notes
