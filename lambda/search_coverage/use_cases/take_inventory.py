"""Take the inventory of a search's scope: what the vaults hold, against what the search listed.

A backup that was never indexed is not in the list at all (aws-facts.md §3), so that the list alone cannot tell that it
was left out. The inventory never stops a report: what could not be read makes it PARTIAL or UNAVAILABLE, which the
verdict takes into account, and it ends after its share of the invocation's time.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Self

from aws_lambda_powertools import Logger

from search_coverage import SERVICE
from search_coverage.aws.backup_vaults import BackupVaults, Vault
from search_coverage.aws.errors import AwsCallFailed
from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.recovery_point import (
    RecoveryPoint,
    is_cold,
    is_in_scope,
    reason_not_listed,
    was_still_being_made,
)
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.report.recovery_point_table import RecoveryPointTable

_READERS = 4  # lists read side by side: enough to hide the latency, few enough not to be throttled
_DETAILS_AT_MOST = 100  # calls for what the list of a resource does not tell: role, storage class
_SECONDS_BETWEEN_NEWS = 10.0
_MESSAGES_AT_MOST = 5
_TAGS_AT_ONCE = 40

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class TakeInventory:
    """The use case, with what it works on.

    Attributes:
        vaults: Gives the vaults when they are needed.
        now: Gives the current time, aware.
    """

    vaults: Callable[[], BackupVaults]
    now: Callable[[], datetime]

    def run(self, job: SearchJob, folder: Path, seconds: float) -> "InventoryOfScope":
        """Read what the vaults hold in the scope of a search.

        Args:
            folder: Where the table is kept.
            seconds: How long the inventory may take in all, the comparison with the list included.

        Returns:
            What was found; it is open, and has to be closed.
        """
        taken = InventoryOfScope(job, seconds, self.now())
        with _WhateverHappens(taken, "reading the vaults"):
            taken.read(self.vaults(), RecoveryPointTable(folder))
        return taken


class InventoryOfScope:
    """The recovery points in the scope of one search job. What went wrong on the way is part of it."""

    def __init__(self, job: SearchJob, seconds: float, taken_at: datetime) -> None:
        self._job = job
        self._seconds = seconds  # what is left of its share of time; the reading of the list does not count
        self._until = 0.0
        self._taken_at = taken_at
        self._table: RecoveryPointTable | None = None
        self._vaults_known = 0
        self._vaults_read = 0
        self._told = 0.0
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._unavailable = False
        self._not_listed = 0
        self._not_named = 0
        self._details_left = _DETAILS_AT_MOST
        self._some_without_details = False

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
        """Read the vaults, or the recovery points of the sources where that takes fewer calls."""
        self._vaults, self._table = vaults, table
        self._told = started = self._start()
        known = self._list_vaults()
        if known is None:
            return
        self._vaults_known = len(known)
        sources = self._job.scope.source_arns
        with ThreadPoolExecutor(_READERS, thread_name_prefix="inventory") as pool:
            if sources and len(sources) < len(known):
                all_read = all(list(pool.map(self._read_source, sources)))
                self._vaults_read = len(known) if all_read else 0
            else:
                self._vaults_read = sum(pool.map(self._read_vault, known))
        seconds = time.monotonic() - started
        self._seconds -= seconds
        _logger.info(
            "vaults read",
            vaults=self._vaults_read,
            of=self._vaults_known,
            in_scope=self._points,
            seconds=round(seconds, 3),
        )

    def mark_listed(self, arns: list[str | None]) -> None:
        """Take a page of the backups that the search listed."""
        if self._table is not None:
            with _WhateverHappens(self, "comparing it with the list"):
                self._table.mark_listed(arns)

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
                detailed = self._detailed(point)
                if detailed is not None:
                    self._not_listed += 1
                    yield _exclusion(detailed, self._job)

    def result(self, listed: int) -> Inventory:
        """Sum it up, once everything was compared.

        Args:
            listed: How many backups the search listed.
        """
        if self._table is not None:
            with _WhateverHappens(self, "comparing it with the list"):
                self._look_for_the_listed(listed, self._table.points_listed)
        if self._unavailable:
            status = InventoryStatus.UNAVAILABLE
        else:
            status = InventoryStatus.PARTIAL if self._problems else InventoryStatus.COMPLETE
        messages = [*self._problems, *self._notes]
        if len(messages) > _MESSAGES_AT_MOST:
            more = len(messages) - _MESSAGES_AT_MOST
            messages = [*messages[:_MESSAGES_AT_MOST], f"And {more} more of the kind."]
        return Inventory(
            status,
            " ".join(messages) or None,
            taken_at=self._taken_at,
            vaults=self._vaults_read,
            in_scope=None if self._unavailable else listed + self._not_listed + self._not_named,
            not_listed=(self._not_listed or None) if self._unavailable else self._not_listed,
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

    def _read_vault(self, vault: Vault) -> bool:
        scope = self._job.scope
        before = min(filter(None, (scope.created_before, self._job.creation_time)), default=None)
        pages = self._vaults.points_of_vault(vault, self._only_type, scope.created_after, before)
        if not self._read_pages(f"vault {vault.name}", pages):
            return False
        self._vaults_read += 1  # so that the log can tell how far it is
        return True

    def _read_source(self, arn: str) -> bool:
        # The list of a source does not tell the type; DescribeRecoveryPoint does, where it is asked.
        pages = self._vaults.points_of_resource(arn)
        return self._read_pages(
            f"the backups of {arn}", ([p._replace(resource_type=self._only_type) for p in page] for page in pages)
        )

    @property
    def _only_type(self) -> str | None:
        types = self._job.scope.resource_types
        return types[0] if len(types) == 1 else None

    def _read_pages(self, what: str, pages: Iterable[list[RecoveryPoint]]) -> bool:
        belongs = is_in_scope(self._job)
        wanted = len(self._job.scope.backup_arns)
        with _WhateverHappens(self, f"reading {what}"):
            try:
                if self._time_is_up() or self._table is None:
                    self._problems.append(f"There was no time to read {what}.")
                    return False
                for page in pages:
                    self._table.add(filter(belongs, page))
                    if wanted and self._table.points == wanted:
                        return True
                    if self._time_is_up():
                        self._problems.append(f"There was no time to read {what} to its end.")
                        return False
                    self._tell_how_far()
            except AwsCallFailed as error:
                self._problems.append(str(error))
                return False
            return True
        return False

    def _tell_how_far(self) -> None:
        if time.monotonic() - self._told > _SECONDS_BETWEEN_NEWS:
            self._told = time.monotonic()
            _logger.info("reading vaults", read=self._vaults_read, of=self._vaults_known, in_scope=self._points)

    def _in_scope_not_listed(self, table: RecoveryPointTable) -> Iterator[RecoveryPoint]:
        if tags := dict(self._job.scope.tags):
            return self._with_the_tags(table.not_listed(), tags)
        return self._while_there_is_time(table)

    def _while_there_is_time(self, table: RecoveryPointTable) -> Iterator[RecoveryPoint]:
        """Give the points that the list lacks; when the time is up, count the rest."""
        left = table.points - table.points_listed
        for point in table.not_listed():
            if self._time_is_up():
                self._not_named = left
                self._problems.append(f"There was no time to name {left} more backups that the search does not list.")
                return
            left -= 1
            yield point

    def _with_the_tags(self, points: Iterator[RecoveryPoint], wanted: dict[str, str]) -> Iterator[RecoveryPoint]:
        """Leave out the points that do not carry the tags of the scope; each takes a call to find out."""
        unknown, halfway, any_read = 0, 0, True
        with ThreadPoolExecutor(_READERS, thread_name_prefix="tags") as pool:
            while some := list(islice(points, _TAGS_AT_ONCE)):
                # Where none of so many could be read, none will be: AWS gives no tags of some types.
                tags_of_some = list(pool.map(self._tags_of, some)) if any_read else [None] * len(some)
                any_read = any(tags is not None for tags in tags_of_some)
                for point, tags in zip(some, tags_of_some, strict=True):
                    if tags is None:
                        unknown += 1
                        continue
                    matching = sum(tags.get(key) == value for key, value in wanted.items())
                    if matching == len(wanted):
                        yield point
                    elif matching:
                        halfway += 1
        if unknown:
            self._problems.append(
                f"The tags of {unknown} backups that the search does not list could not be read, so it is not known "
                "whether they are in its scope."
            )
        if halfway:
            self._problems.append(
                f"{halfway} backups that the search does not list carry some of its tags, but not all; AWS does not "
                "document whether they are in its scope."
            )

    def _tags_of(self, point: RecoveryPoint) -> dict[str, str] | None:
        tags: dict[str, str] = {}
        try:
            if self._time_is_up():
                return None
            for page in self._vaults.tags(point.arn):
                tags.update(page)
                if self._time_is_up():
                    return None
        except AwsCallFailed:
            return None
        return tags

    def _detailed(self, point: RecoveryPoint) -> RecoveryPoint | None:
        """Add what lists do not tell; None if the point turns out not to be in scope, or to be made only later."""
        job = self._job
        is_told = point.role_arn is not None and not is_cold(point, job) and not was_still_being_made(point, job)
        if is_told or point.vault is None:
            return point
        if self._details_left == 0 or self._time_is_up():
            if not self._some_without_details:
                self._some_without_details = True
                self._notes.append(
                    "The role and the storage class of some backups that the search does not list were not looked up."
                )
            return point
        self._details_left -= 1
        try:
            detailed = self._vaults.with_details(point)
        except AwsCallFailed as error:
            self._notes.append(str(error))
            return point
        if detailed is None or not is_in_scope(job)(detailed) or was_still_being_made(detailed, job):
            return None
        return detailed


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


def _exclusion(point: RecoveryPoint, job: SearchJob) -> Exclusion:
    backup = Backup(
        resource_type=point.resource_type,
        backup_arn=point.arn,
        source_resource_arn=point.source_resource_arn,
        created=point.created,
    )
    index = BackupIndex(point.vault, point.index_status, point.index_status_message, point.role_arn)
    return Exclusion(backup, reason_not_listed(point, job), index, listed=False)
