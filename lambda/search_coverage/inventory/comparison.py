"""Compares the list of a search with what the vaults hold in its scope."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.recovery_point import LeftOut, RecoveryPoint, reason_not_listed
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.inventory.details import DetailsLookup
from search_coverage.inventory.ports import CALLS_AT_ONCE, SNAPSHOTS_PER_CALL, Snapshots, Vaults
from search_coverage.inventory.sentences import first_few, left_out_sentence, not_counted_sentence
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.tag_filter import TagFilter
from search_coverage.inventory.thin_indexes import find_thin_indexes
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.vault_contents import VaultContents


@dataclass(slots=True)
class Comparison:
    """The recovery points in scope, and which of them the search lists.

    Mark every page of the list, then read `not_listed` to its end, then take the `result`.

    Attributes:
        contents: What was read of the vaults besides the recovery points.
        not_listed_count: How many backups `not_listed` has given so far.
    """

    job: SearchJob
    table: RecoveryPointTable
    contents: VaultContents
    vaults: Vaults
    snapshots: Callable[[], Snapshots]
    budget: TimeBudget
    not_listed_count: int = 0
    _details: DetailsLookup = field(init=False)
    _tags: TagFilter = field(init=False)
    _left_out: Counter[LeftOut] = field(default_factory=Counter)
    _searched: int = 0
    _not_named: int = 0

    def __post_init__(self) -> None:
        self._details = DetailsLookup(self.job, self.vaults, self.budget)
        self._tags = TagFilter(self.job, self.vaults, self.snapshots, self.budget)

    def mark_listed(self, page: BackupsPage) -> None:
        """Record a page of the list."""
        self._searched += len(page.listed) - len(page.not_searched)
        not_searched = {backup.backup_arn for backup in page.not_searched}
        self.table.mark_listed((arn, arn not in not_searched) for arn in page.listed)

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Give what the vault says about a listed backup and its index."""
        return self.table.index_of(backup.backup_arn)

    def not_listed(self) -> Iterator[Exclusion]:
        """Give the backups in scope that the search does not list."""
        counts = self.table.count_not_listed()
        to_name = counts.pop(None, 0)
        self._left_out.update({reason: count for reason, count in counts.items() if reason})
        points = self._while_there_is_time(to_name)
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="details") as pool:
            while some := list(islice(points, SNAPSHOTS_PER_CALL)):
                # Details first: the tags of a point that came too late for the search are not needed.
                some = self._details.complete(some, pool)
                for point in self._tags.keep(some, pool) if self._tags.is_needed else some:
                    self.not_listed_count += 1
                    yield _exclusion(point, self.job)

    def result(self, listed: int, taken_at: datetime) -> Inventory:
        """Give the result.

        Args:
            listed: How many backups the search lists.
        """
        found, scope = self.table.points_listed, self.job.scope
        indexes = find_thin_indexes(self.table, self.vaults, self.budget)
        left_out = self._left_out + self._details.left_out
        problems = [*self.contents.problems, *self._problems(listed, found)]
        messages = [
            *first_few(problems),
            *left_out_sentence(left_out),
            *not_counted_sentence(self.contents.not_counted),
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
            left_out=left_out,
            thin_indexes=indexes.thin,
            not_searchable=self.contents.not_searchable,
            not_searchable_is_all=not (self.contents.not_counted or problems),
        )

    def _while_there_is_time(self, left: int) -> Iterator[RecoveryPoint]:
        """Give the points that the list lacks; when the time is used up, count the rest."""
        for point in self.table.not_listed():
            if self.budget.is_used_up():
                if self._tags.is_needed:
                    self._tags.unknown += left
                else:
                    self._not_named = left
                return
            left -= 1
            yield point

    def _problems(self, listed: int, found: int) -> Iterator[str]:
        if self._not_named:
            yield f"There was no time to name {self._not_named} more backups that the search does not list."
        yield from self._tags.problems()
        if listed and not found:
            yield (
                f"None of the {listed} backups that the search lists was found in the vaults, so other backups in its "
                "scope may not have been found either."
            )

    def _notes(self, listed: int, found: int) -> Iterator[str]:
        if skipped := self._details.not_looked_up:
            yield (
                f"The storage class and the completion of {skipped} backups that the search does not list were not "
                "looked up."
            )
        notes = [*self._details.refusals, *self._tags.refusals[:1]]
        if listed > found > 0:
            notes.append(
                f"{listed - found} of the {listed} backups that the search lists are in no vault that was read, or do "
                "not match the scope there. They may have been deleted since."
            )
        yield from first_few(notes)


def _exclusion(point: RecoveryPoint, job: SearchJob) -> Exclusion:
    backup = Backup(
        resource_type=point.resource_type,
        backup_arn=point.arn,
        source_resource_arn=point.source_resource_arn,
        created=point.created,
    )
    index = BackupIndex(point.vault, point.index_status, point.index_status_message, point.role_arn)
    return Exclusion(backup, reason_not_listed(point, job), index, listed=False)
