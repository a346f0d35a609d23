"""Take the inventory of a search's scope: what the vaults hold, against what the search listed.

A backup that was never indexed is not in the list at all (aws-facts.md §3), so that the list alone cannot tell that it
was left out. The inventory never stops a report: what could not be read makes it PARTIAL or UNAVAILABLE, which the
verdict takes into account, and it ends after its share of the invocation's time.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Self

from aws_lambda_powertools import Logger

from search_coverage.aws.backup_vaults import BackupVaults, Vault
from search_coverage.aws.long_lists import PAGE_SIZE
from search_coverage.aws.snapshots import SNAPSHOTS_AT_ONCE, Snapshots
from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.recovery_point import (
    LeftOut,
    RecoveryPoint,
    is_cold,
    is_in_window,
    left_out,
    matches_scope,
    reason_not_listed,
    was_still_being_made,
)
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import (
    Inventory,
    InventoryStatus,
    NotSearchable,
    ThinIndex,
    is_thin,
)
from search_coverage.names import SERVICE
from search_coverage.report.recovery_point_table import RecoveryPointTable

_READERS = 4  # calls side by side: enough to hide the latency, few enough not to be throttled
_DETAILS_AT_MOST = 1000  # calls for what a list does not tell for sure: storage class, completion
_INDEXES_AT_MOST = 40  # twice the 20 backups that a search takes by default: each, and the one before it
_TAGS_REFUSED_AT_MOST = 40  # after so many refusals, nobody asks for more
_SECONDS_BETWEEN_NEWS = 10.0
_EXAMPLES = 3
_EBS, _INSTANCES = "EBS", "EC2"
_MESSAGES_AT_MOST = 5

_LEFT_OUT_IN_WORDS = {
    LeftOut.TOO_LATE: "made or completed after the search began",
    LeftOut.BEING_MADE: "still being made",
    LeftOut.DELETING: "being deleted",
    LeftOut.GONE: "deleted while the inventory was taken",
}

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class TakeInventory:
    """The use case, with what it works on.

    Attributes:
        vaults: Gives the vaults when they are needed.
        snapshots: Gives the snapshots when they are needed, which is where the scope is of EBS and has tags.
        now: Gives the current time, aware.
    """

    vaults: Callable[[], BackupVaults]
    snapshots: Callable[[], Snapshots]
    now: Callable[[], datetime]

    def run(self, job: SearchJob, folder: Path, seconds: float) -> "InventoryOfScope":
        """Read what the vaults hold in the scope of a search.

        Args:
            folder: Where the table is kept.
            seconds: How long the inventory may take in all, the comparison with the list included.

        Returns:
            What was found; it is open, and has to be closed.
        """
        taken = InventoryOfScope(job, self.snapshots, seconds, self.now())
        with _WhateverHappens(taken, "reading the vaults"):
            taken.read(self.vaults(), RecoveryPointTable(folder))
        return taken


class InventoryOfScope:
    """The recovery points in the scope of one search job. What went wrong on the way is part of it."""

    def __init__(self, job: SearchJob, snapshots: Callable[[], Snapshots], seconds: float, taken_at: datetime) -> None:
        self._job = job
        self._snapshots = snapshots
        self._seconds = seconds  # what is left of its share of time; the reading of the list does not count
        self._until = 0.0
        self._taken_at = taken_at
        self._table: RecoveryPointTable | None = None
        self._vaults_read = 0
        self._lists_read = 0
        self._told = 0.0
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._unavailable = False
        self._not_listed = 0
        self._not_named = 0
        self._left_out: Counter[LeftOut] = Counter()
        self._details_left = _DETAILS_AT_MOST
        self._without_details = 0
        self._searched = 0
        self._not_searchable: list[NotSearchable] = []
        self._not_counted: list[str] = []
        self._thin_indexes: list[ThinIndex] = []
        self._indexes_known = 0
        self._indexes_alone = 0
        self._indexes_refused: list[str] = []
        self._tags_refused: list[str] = []
        self._tags_unknown = 0
        self._tags_halfway = 0

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the table."""
        self._close()

    def give_up(self, what: str, error: BaseException) -> None:
        """Count the inventory as not taken: it broke in a way that nobody foresaw."""
        if self._unavailable:
            return
        _logger.error("the inventory is given up", step=what, exc_info=error)
        self._unavailable = True
        self._problems.append(f"It was given up while {what}: {error!r}.")
        self._close()

    def read(self, vaults: BackupVaults, table: RecoveryPointTable) -> None:
        """Read the vaults, or of those that are large only the recovery points of the sources that the scope names."""
        self._vaults, self._table = vaults, table
        self._told = started = self._start()
        known = self._list_vaults()
        if known is None:
            return
        lists = [part for vault in known for part in self._lists_of(vault)]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="inventory") as pool:
            were_read = list(pool.map(self._read_list, lists))
            if _EBS in self._job.scope.resource_types:
                self._not_searchable = [held for held in pool.map(self._count_instances, known) if held]
        unread = {part.vault.name for part, was_read in zip(lists, were_read, strict=True) if not was_read}
        self._vaults_read = len(known) - len(unread)
        seconds = time.monotonic() - started
        self._seconds -= seconds
        _logger.info(
            "vaults read", vaults=self._vaults_read, of=len(known), in_scope=self._points, seconds=round(seconds, 3)
        )

    def mark_listed(self, page: BackupsPage) -> None:
        """Take a page of the backups that the search listed."""
        self._searched += len(page.listed) - len(page.not_searched)
        if self._table is not None:
            with _WhateverHappens(self, "comparing it with the list"):
                not_searched = {backup.backup_arn for backup in page.not_searched}
                self._table.mark_listed((arn, arn not in not_searched) for arn in page.listed)

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Give what the vault says of a listed backup and its index."""
        if self._table is not None:
            with _WhateverHappens(self, "looking up a backup"):
                return self._table.index_of(backup.backup_arn)
        return None

    def not_listed(self, seconds: float) -> Iterator[Exclusion]:
        """Give the backups in scope that the search did not even list. The list must have been marked to its end.

        Args:
            seconds: How long this may take, even if its share of time is not used up.
        """
        if self._table is None:
            return
        self._seconds = min(self._seconds, seconds)
        self._start()
        with _WhateverHappens(self, "comparing it with the list"):
            for point in self._in_scope_not_listed(self._table):
                self._not_listed += 1
                yield _exclusion(point, self._job)

    def result(self, listed: int) -> Inventory:
        """Sum it up, once everything was compared.

        Args:
            listed: How many backups the search listed.
        """
        if self._table is not None:
            with _WhateverHappens(self, "comparing it with the list"):
                self._look_for_the_listed(listed, self._table.points_listed)
                self._look_for_thin_indexes(self._table)
        if self._unavailable:
            status = InventoryStatus.UNAVAILABLE
        else:
            status = InventoryStatus.PARTIAL if self._problems else InventoryStatus.COMPLETE
        messages = [
            *_first_few(self._problems),
            *self._told_besides(),
            *_first_few(self._notes),
            *self._told_of_indexes(),
        ]
        return Inventory(
            status,
            " ".join(messages) or None,
            taken_at=self._taken_at,
            vaults=self._vaults_read,
            in_scope=None if self._unavailable else listed + self._not_listed + self._not_named,
            not_listed=(self._not_listed or None) if self._unavailable else self._not_listed,
            left_out=dict(self._left_out),
            thin_indexes=tuple(self._thin_indexes),
            not_searchable=tuple(self._not_searchable),
            not_searchable_is_all=not (self._not_counted or self._unavailable or self._problems),
        )

    def _told_besides(self) -> Iterator[str]:
        """Say what the inventory leaves out and what it did not look up; it is no doubt, but never silent."""
        if counted := [
            f"{self._left_out[reason]} {words}"
            for reason, words in _LEFT_OUT_IN_WORDS.items()
            if self._left_out[reason]
        ]:
            yield f"Of the backups that match the scope, these are left out: {', '.join(counted)}."
        if self._not_counted:
            vaults = "1 vault" if len(self._not_counted) == 1 else f"{len(self._not_counted)} vaults"
            first = self._not_counted[0].rstrip(".")
            yield f"The backups of EC2 instances in {vaults} could not be counted: {first}."
        if self._without_details:
            yield (
                f"The storage class and the completion of {self._without_details} backups that the search does not "
                "list were not looked up."
            )

    def _told_of_indexes(self) -> Iterator[str]:
        """Say of how many searched backups nobody knows how much their index holds."""
        if self._indexes_known < self._searched and not self._unavailable:
            yield (
                f"How much the index holds is known of {self._indexes_known} of the {self._searched} backups that were "
                f"searched (at most {_INDEXES_AT_MOST} indexes are looked up)."
            )
            yield from self._indexes_refused[:1]
        scope = self._job.scope
        if self._indexes_alone and (scope.created_after or scope.backup_arns):
            yield (
                f"The index of {self._indexes_alone} searched backups was not compared with that of the backup before: "
                "there is none in the scope."
            )

    def _look_for_the_listed(self, listed: int, found: int) -> None:
        """See whether the vaults hold what the search listed: if they hold nothing of it, they were not really read."""
        if listed and not found:
            self._problems.append(
                f"None of the {listed} backups that the search lists was found in the vaults, so that what else is in "
                "its scope may not have been found either."
            )
        elif listed > found:
            self._notes.append(
                f"{listed - found} of the {listed} backups that the search lists are in no vault that was read, or not "
                "as what its scope says: they may have been deleted since."
            )

    def _look_for_thin_indexes(self, table: RecoveryPointTable) -> None:
        """See whether the indexes of searched backups hold as much as is to be expected; it is bounded, and says so."""
        some = table.searched(_INDEXES_AT_MOST)
        previous = table.before(some)
        asked: dict[str, RecoveryPoint] = {}
        looked_at = 0
        for point in some:
            needed = {each.arn: each for each in (point, previous.get(point.arn)) if each is not None}
            if len(asked | needed) > _INDEXES_AT_MOST:
                break
            asked |= needed
            looked_at += 1
        with ThreadPoolExecutor(_READERS, thread_name_prefix="indexes") as pool:
            items = dict(zip(asked, pool.map(self._items_in_index, asked.values()), strict=True))
        known = 0
        for point in some[:looked_at]:
            before = previous.get(point.arn)
            held, held_before = items[point.arn], items[before.arn] if before else None
            known += held is not None and (before is None or held_before is not None)
            self._indexes_alone += before is None
            if held is not None and is_thin(held, held_before):
                self._thin_indexes.append(
                    ThinIndex(
                        point.arn,
                        point.source_resource_arn,
                        point.vault,
                        held,
                        before.arn if before and held_before is not None else None,
                        held_before,
                    )
                )
        self._indexes_known = known

    def _items_in_index(self, point: RecoveryPoint) -> int | None:
        if self._time_is_up():
            return None
        try:
            return self._vaults.items_in_index(point)
        except AwsCallFailed as error:
            self._indexes_refused.append(str(error))
            return None

    def _close(self) -> None:
        table, self._table = self._table, None
        if table is not None:
            table.close()

    @property
    def _points(self) -> int:
        return self._table.points if self._table is not None else 0

    def _start(self) -> float:
        started = time.monotonic()
        self._until = started + self._seconds
        return started

    def _time_is_up(self) -> bool:
        return time.monotonic() > self._until

    def _list_vaults(self) -> list[Vault] | None:
        known: list[Vault] = []
        try:
            for page in self._vaults.vaults():
                known += page
                if self._time_is_up():
                    self._problems.append("There was no time to list the vaults to the end.")
                    break
        except AwsCallFailed as error:
            self._unavailable = True
            self._problems.append(str(error))
            self._close()
            return None
        return known

    def _lists_of(self, vault: Vault) -> list["_List"]:
        """Name the lists to read of a vault: one for each source where that takes no more calls than reading it all."""
        sources = self._job.scope.source_arns
        calls = 1 if vault.points is None else max(1, -(-vault.points // PAGE_SIZE))
        return [_List(vault, source) for source in (sources if 0 < len(sources) <= calls else (None,))]

    def _read_list(self, part: "_List") -> bool:
        scope, job, what = self._job.scope, self._job, f"vault {part.vault.name}"
        matches = matches_scope(job)
        wanted = len(scope.backup_arns)
        with _WhateverHappens(self, f"reading {what}"):
            try:
                if self._time_is_up() or self._table is None:
                    self._problems.append(f"There was no time to read {what}.")
                    return False
                for page in self._vaults.points_of_vault(
                    part.vault,
                    resource_type=self._only_type,
                    source=part.source,
                    after=scope.created_after,
                    before=scope.created_before,  # what came after the start of the search is counted, too
                ):
                    self._table.add((point, left_out(point, job)) for point in page if matches(point))
                    if wanted and self._table.points == wanted:
                        break
                    if self._time_is_up():
                        self._problems.append(f"There was no time to read {what} to its end.")
                        return False
                    self._tell_how_far()
            except AwsCallFailed as error:
                self._problems.append(str(error))
                return False
            self._lists_read += 1
            return True
        return False

    def _count_instances(self, vault: Vault) -> NotSearchable | None:
        """Count the backups of EC2 instances: their volumes are in no search for EBS (aws-facts.md §7)."""
        scope, job = self._job.scope, self._job
        in_window = is_in_window(job)
        before = min(filter(None, (scope.created_before, job.creation_time)), default=None)
        backups, examples = 0, list[str]()
        if self._time_is_up():
            self._not_counted.append(f"there was no time to read vault {vault.name}")
            return None
        try:
            for page in self._vaults.points_of_vault(
                vault, resource_type=_INSTANCES, after=scope.created_after, before=before
            ):
                held = [point.arn for point in page if in_window(point) and left_out(point, job) is None]
                backups += len(held)
                examples += held[: _EXAMPLES - len(examples)]
                if self._time_is_up():
                    self._not_counted.append(f"there was no time to read vault {vault.name}")
                    return None
        except AwsCallFailed as error:
            self._not_counted.append(str(error))
            return None
        return NotSearchable(vault.name, backups, tuple(examples)) if backups else None

    @property
    def _only_type(self) -> str | None:
        types = self._job.scope.resource_types
        return types[0] if len(types) == 1 else None

    def _tell_how_far(self) -> None:
        if time.monotonic() - self._told > _SECONDS_BETWEEN_NEWS:
            self._told = time.monotonic()
            _logger.info("reading vaults", lists_read=self._lists_read, in_scope=self._points)

    def _in_scope_not_listed(self, table: RecoveryPointTable) -> Iterator[RecoveryPoint]:
        counts = table.count_not_listed()
        to_name = counts.pop(None, 0)
        self._left_out.update({reason: count for reason, count in counts.items() if reason})
        points = self._while_there_is_time(table, to_name)
        with ThreadPoolExecutor(_READERS, thread_name_prefix="details") as pool:
            while some := list(islice(points, SNAPSHOTS_AT_ONCE)):
                # Completion first: of what turns out to have come too late, nobody has to know the tags.
                some = self._with_details(pool, some)
                yield from self._with_the_tags(pool, some) if self._job.scope.tags else some
        if self._tags_unknown:
            self._problems.append(
                f"The tags of {self._tags_unknown} backups that the search does not list could not be read, so it is "
                "not known whether they are in its scope."
            )
            self._notes.extend(self._tags_refused[:1])
        if self._tags_halfway:
            self._problems.append(
                f"{self._tags_halfway} backups that the search does not list carry some of its tags, but not all; AWS "
                "does not document whether they are in its scope."
            )

    def _while_there_is_time(self, table: RecoveryPointTable, left: int) -> Iterator[RecoveryPoint]:
        """Give the points that the list lacks; when the time is up, count the rest."""
        for point in table.not_listed():
            if self._time_is_up():
                if self._job.scope.tags:
                    self._tags_unknown += left
                    return
                self._not_named = left
                self._problems.append(f"There was no time to name {left} more backups that the search does not list.")
                return
            left -= 1
            yield point

    def _with_details(self, pool: ThreadPoolExecutor, points: list[RecoveryPoint]) -> list[RecoveryPoint]:
        """Add what lists do not tell for sure, and leave out what turns out to have come too late, or to be gone."""
        job = self._job
        matches = matches_scope(job)
        in_doubt = [
            point
            for point in points
            if None in {point.role_arn, point.completed} or is_cold(point, job) or was_still_being_made(point, job)
        ]
        asked = in_doubt[: self._details_left]
        self._details_left -= len(asked)
        self._without_details += len(in_doubt) - len(asked)
        answers = dict(zip((point.arn for point in asked), pool.map(self._details_of, asked), strict=True))
        kept = []
        for point in points:
            detailed = answers.get(point.arn, point)
            if detailed is None:
                self._without_details += 1
                kept.append(point)
            elif isinstance(detailed, LeftOut):
                self._left_out[detailed] += 1
            elif matches(detailed):
                kept.append(detailed)
        return kept

    def _details_of(self, point: RecoveryPoint) -> RecoveryPoint | LeftOut | None:
        if self._time_is_up():
            return None
        try:
            detailed = self._vaults.with_details(point)
        except AwsCallFailed as error:
            self._notes.append(str(error))
            return point
        if detailed is None:
            return LeftOut.GONE
        if was_still_being_made(detailed, self._job):
            return LeftOut.TOO_LATE
        return left_out(detailed, self._job) or detailed

    def _with_the_tags(self, pool: ThreadPoolExecutor, points: list[RecoveryPoint]) -> Iterator[RecoveryPoint]:
        """Leave out the points that do not carry the tags of the scope."""
        wanted = dict(self._job.scope.tags)
        snapshots = [point for point in points if point.is_snapshot]
        of_snapshots = self._tags_of_snapshots(snapshots) if snapshots else {}
        others = [point for point in points if not point.is_snapshot]
        of_others = dict(zip((point.arn for point in others), pool.map(self._tags_of, others), strict=True))
        for point in points:
            tags = of_snapshots.get(point.arn) if point.is_snapshot else of_others[point.arn]
            if tags is None:
                self._tags_unknown += 1
                continue
            matching = sum(tags.get(key) == value for key, value in wanted.items())
            if matching == len(wanted):
                yield point
            elif matching:
                self._tags_halfway += 1

    def _tags_of_snapshots(self, points: list[RecoveryPoint]) -> dict[str, dict[str, str]]:
        """Read the tags of snapshots in one call; a snapshot that EC2 does not show has tags that nobody knows."""
        if self._time_is_up():
            return {}
        try:
            return self._snapshots().tags([point.arn for point in points])
        except AwsCallFailed as error:
            self._tags_refused.append(str(error))
            return {}

    def _tags_of(self, point: RecoveryPoint) -> dict[str, str] | None:
        tags: dict[str, str] = {}
        try:
            if self._time_is_up() or len(self._tags_refused) >= _TAGS_REFUSED_AT_MOST:
                return None
            for page in self._vaults.tags(point.arn):
                tags.update(page)
                if self._time_is_up():
                    return None
        except AwsCallFailed as error:
            self._tags_refused.append(str(error))
            return None
        return tags


@dataclass(frozen=True, slots=True)
class _List:
    """What one reader reads: a vault, or what it holds of one source."""

    vault: Vault
    source: str | None


class _WhateverHappens:
    """Lets no error out of a block: a report without an inventory is better than none, and it says so."""

    def __init__(self, inventory: InventoryOfScope, what: str) -> None:
        self._inventory = inventory
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._inventory.give_up(self._what, error)
        return True


def _first_few(messages: list[str]) -> list[str]:
    if len(messages) <= _MESSAGES_AT_MOST:
        return messages
    return [*messages[:_MESSAGES_AT_MOST], f"And {len(messages) - _MESSAGES_AT_MOST} more of the kind."]


def _exclusion(point: RecoveryPoint, job: SearchJob) -> Exclusion:
    backup = Backup(
        resource_type=point.resource_type,
        backup_arn=point.arn,
        source_resource_arn=point.source_resource_arn,
        created=point.created,
    )
    index = BackupIndex(point.vault, point.index_status, point.index_status_message, point.role_arn)
    return Exclusion(backup, reason_not_listed(point, job), index, listed=False)
