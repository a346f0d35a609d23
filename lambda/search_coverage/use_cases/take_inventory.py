"""Take the inventory of a search's scope: what the vaults hold, against what the search listed.

A backup that was never indexed is not in the list at all (aws-facts.md §3), so that the list alone cannot tell that it
was left out. The inventory never stops a report: what could not be read makes it PARTIAL or UNAVAILABLE, which the
verdict takes into account, and it ends after its share of the invocation's time.
"""

import time
from collections.abc import Callable, Iterator
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
from search_coverage.coverage.recovery_point import RecoveryPoint, is_in_scope, reason_not_listed
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
        now: Gives the current time, aware.
    """

    vaults: BackupVaults
    now: Callable[[], datetime]

    def run(self, job: SearchJob, folder: Path, seconds: float) -> "InventoryOfScope":
        """Read what the vaults hold in the scope of a search.

        Args:
            folder: Where the table is kept.
            seconds: How long the inventory may take in all, the comparison with the list included.

        Returns:
            What was found; it is open, and has to be closed.
        """
        taken = InventoryOfScope(self.vaults, job, RecoveryPointTable(folder), seconds, self.now())
        with _WhateverHappens(taken, "reading the vaults"):
            taken.read()
        return taken


class InventoryOfScope:
    """The recovery points in the scope of one search job. What went wrong on the way is part of it."""

    def __init__(
        self, vaults: BackupVaults, job: SearchJob, table: RecoveryPointTable, seconds: float, taken_at: datetime
    ) -> None:
        self._vaults = vaults
        self._job = job
        self._table = table
        self._seconds = seconds  # what is left of its share of time; the reading of the list does not count
        self._until = 0.0
        self._taken_at = taken_at
        self._vaults_known = 0
        self._vaults_read = 0
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._unavailable = False
        self._not_listed = 0
        self._details_left = _DETAILS_AT_MOST

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the table."""
        self._table.close()

    def give_up(self, what: str, error: BaseException) -> None:
        """Count the inventory as not taken: it broke in a way that nobody foresaw."""
        _logger.error("the inventory is given up", step=what, exc_info=error)
        self._unavailable = True
        self._problems.append(f"It was given up while {what}: {error!r}.")

    def read(self) -> None:
        """Read the vaults, or the recovery points of the sources where that takes fewer calls."""
        started = self._start()
        try:
            vaults = self._vaults.vaults()
        except AwsCallFailed as error:
            self._unavailable = True
            self._problems.append(str(error))
            return
        self._vaults_known = len(vaults)
        sources = self._job.scope.source_arns
        with ThreadPoolExecutor(_READERS, thread_name_prefix="inventory") as pool:
            if sources and len(sources) < len(vaults):
                for _ in pool.map(self._read_source, sources):
                    pass
                self._vaults_read = len(vaults)
            else:
                self._follow(pool.map(self._read_vault, vaults))
        seconds = time.monotonic() - started
        self._seconds -= seconds
        _logger.info(
            "vaults read",
            vaults=self._vaults_read,
            of=self._vaults_known,
            in_scope=self._table.points,
            seconds=round(seconds, 3),
        )

    def mark_listed(self, arns: list[str | None]) -> None:
        """Take a page of the backups that the search listed."""
        with _WhateverHappens(self, "comparing it with the list"):
            self._table.mark_listed(arns)

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Give what the vault says of a listed backup and its index."""
        with _WhateverHappens(self, "looking up a backup"):
            return self._table.index_of(backup.backup_arn)
        return None

    def not_listed(self) -> Iterator[Exclusion]:
        """Give the backups in scope that the search did not even list. The list must have been marked to its end."""
        if self._unavailable:
            return
        self._start()
        with _WhateverHappens(self, "comparing it with the list"):
            for point in self._with_the_tags(self._table.not_listed()):
                detailed = self._detailed(point)
                if detailed is not None:
                    self._not_listed += 1
                    yield _exclusion(detailed, self._job)

    def result(self) -> Inventory:
        """Sum it up, once everything was compared."""
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
            in_scope=None if self._unavailable else self._table.points_listed + self._not_listed,
            not_listed=(self._not_listed or None) if self._unavailable else self._not_listed,
        )

    def _start(self) -> float:
        started = time.monotonic()
        self._until = started + self._seconds
        return started

    def _time_is_up(self) -> bool:
        return time.monotonic() > self._until

    def _read_vault(self, vault: Vault) -> bool:
        scope = self._job.scope
        only_type = scope.resource_types[0] if len(scope.resource_types) == 1 else None
        before = min(filter(None, (scope.created_before, self._job.creation_time)), default=None)
        return self._read_pages(
            f"vault {vault.name}", self._vaults.points_of_vault(vault, only_type, scope.created_after, before)
        )

    def _read_source(self, arn: str) -> bool:
        return self._read_pages(f"the backups of {arn}", self._vaults.points_of_resource(arn))

    def _read_pages(self, what: str, pages: Iterator[list[RecoveryPoint]]) -> bool:
        belongs = is_in_scope(self._job)
        wanted = len(self._job.scope.backup_arns)
        try:
            if self._time_is_up():
                self._problems.append(f"There was no time to read {what}.")
                return False
            for page in pages:
                self._table.add(filter(belongs, page))
                if wanted and self._table.points == wanted:
                    return True
                if self._time_is_up():
                    self._problems.append(f"There was no time to read {what} to its end.")
                    return False
        except AwsCallFailed as error:
            self._problems.append(str(error))
            return False
        return True

    def _follow(self, done: Iterator[bool]) -> None:
        told = time.monotonic()
        for is_read in done:
            self._vaults_read += is_read
            if time.monotonic() - told > _SECONDS_BETWEEN_NEWS:
                told = time.monotonic()
                _logger.info("reading vaults", read=self._vaults_read, of=self._vaults_known)

    def _with_the_tags(self, points: Iterator[RecoveryPoint]) -> Iterator[RecoveryPoint]:
        """Leave out the points that do not carry the tags of the scope; each takes a call to find out."""
        wanted = dict(self._job.scope.tags)
        if not wanted:
            yield from points
            return
        unknown, halfway = 0, 0
        with ThreadPoolExecutor(_READERS, thread_name_prefix="tags") as pool:
            while some := list(islice(points, _TAGS_AT_ONCE)):
                for point, tags in zip(some, pool.map(self._tags_of, some), strict=True):
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
        if self._time_is_up():
            return None
        try:
            return self._vaults.tags(point.arn)
        except AwsCallFailed:
            return None

    def _detailed(self, point: RecoveryPoint) -> RecoveryPoint | None:
        """Add what a source's list does not tell; None if the point turns out not to be in scope."""
        if point.role_arn is not None or point.vault is None:
            return point
        if self._details_left == 0 or self._time_is_up():
            if not self._notes:
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
        if detailed is None or not is_in_scope(self._job)(detailed):
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
