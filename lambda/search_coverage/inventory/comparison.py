"""Compares the list of a search with what the vaults hold in its scope."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.recovery_point import LeftOut, RecoveryPoint, reason_not_listed
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.inventory.ports import SNAPSHOTS_PER_CALL, Snapshots, Vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.thin_indexes import find_thin_indexes
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.unlisted import UnlistedPoints
from search_coverage.inventory.vault_contents import VaultContents, first_few

_LEFT_OUT_IN_WORDS = {
    LeftOut.TOO_LATE: "made or completed after the search began",
    LeftOut.BEING_MADE: "still being made",
    LeftOut.DELETING: "being deleted",
    LeftOut.GONE: "deleted while the inventory was taken",
}


@dataclass(slots=True)
class Comparison:
    """The recovery points in scope, and which of them the search lists.

    Mark every page of the list, then read `not_listed` to its end, then take the `result`.

    Attributes:
        contents: What was read of the vaults, apart from the recovery points.
        not_listed_count: How many backups `not_listed` has yielded so far.
    """

    job: SearchJob
    table: RecoveryPointTable
    contents: VaultContents
    vaults: Vaults
    snapshots: Callable[[], Snapshots]
    budget: TimeBudget
    not_listed_count: int = 0
    _searched: int = 0
    _not_named: int = 0
    _unlisted: UnlistedPoints = field(init=False)

    def __post_init__(self) -> None:
        self._unlisted = UnlistedPoints(self.job, self.vaults, self.snapshots, self.budget)

    def mark_listed(self, page: BackupsPage) -> None:
        """Record a page of the list."""
        self._searched += len(page.listed) - len(page.not_searched)
        not_searched = {backup.backup_arn for backup in page.not_searched}
        self.table.mark_listed((arn, arn not in not_searched) for arn in page.listed)

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Return what the vault says about a listed backup and its index."""
        return self.table.index_of(backup.backup_arn)

    def not_listed(self) -> Iterator[Exclusion]:
        """Yield the backups in scope that the search does not list."""
        counts = self.table.count_not_listed()
        points = self._while_there_is_time(counts.pop(None, 0))
        self._unlisted.left_out.update({reason: count for reason, count in counts.items() if reason})
        while some := list(islice(points, SNAPSHOTS_PER_CALL)):
            for point in self._unlisted.in_scope(some):
                self.not_listed_count += 1
                yield point.left_out_for(reason_not_listed(point, self.job))

    def result(self, listed: int, taken_at: datetime) -> Inventory:
        """Return the result for a search that lists this number of backups."""
        found, scope = self.table.points_listed, self.job.scope
        indexes = find_thin_indexes(self.table, self.vaults, self.budget)
        problems = [*self.contents.problems, *self._problems(listed, found)]
        messages = [
            *first_few(problems),
            *self._notes(listed, found),
            *indexes.notes(self._searched, is_scope_bounded=bool(scope.created_after or scope.backup_arns)),
        ]
        return Inventory(
            InventoryStatus.PARTIAL if problems else InventoryStatus.COMPLETE,
            " ".join(messages) or None,
            taken_at=taken_at,
            vaults=self.contents.vaults_read,
            in_scope=listed + self.not_listed_count + self._not_named,
            not_listed=self.not_listed_count,
            left_out=dict(self._unlisted.left_out),
            thin_indexes=indexes.thin,
            not_searchable=self.contents.not_searchable,
            not_searchable_is_all=not (self.contents.not_counted or problems),
        )

    def _while_there_is_time(self, left: int) -> Iterator[RecoveryPoint]:
        """Yield the points that the list lacks; when the time is used up, count the rest."""
        for point in self.table.not_listed():
            if self.budget.is_used_up():
                if self.job.scope.tags:
                    self._unlisted.tags_unknown += left
                else:
                    self._not_named = left
                return
            left -= 1
            yield point

    def _problems(self, listed: int, found: int) -> Iterator[str]:
        if self._not_named:
            yield f"There was no time to name {self._not_named} more backups that the search does not list."
        yield from self._unlisted.problems()
        if listed and not found:
            yield (
                f"None of the {listed} backups that the search lists was found in the vaults, so other backups in its "
                "scope may not have been found either."
            )

    def _notes(self, listed: int, found: int) -> Iterator[str]:
        left_out = self._unlisted.left_out
        if counted := [
            f"{left_out[reason]} {words}" for reason, words in _LEFT_OUT_IN_WORDS.items() if left_out[reason]
        ]:
            yield f"Of the backups that match the scope, these are left out: {', '.join(counted)}."
        yield from self.contents.not_counted_in_words()
        if unknown := self._unlisted.without_details:
            yield (
                f"The storage class and the completion of {unknown} backups that the search does not list were not "
                "looked up."
            )
        notes = self._unlisted.refusals()
        if listed > found > 0:
            notes.append(
                f"{listed - found} of the {listed} backups that the search lists are in no vault that was read, or do "
                "not match the scope there. They may have been deleted since."
            )
        yield from first_few(notes)
