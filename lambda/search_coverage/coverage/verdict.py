"""How far the result of a search can be trusted. Never COMPLETE unless everything says so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from search_coverage.coverage.recovery_point import LeftOut
from search_coverage.coverage.search_job import SearchJob, SearchJobStatus

_THIN_INDEXES_NAMED = 3


class Verdict(StrEnum):
    """COMPLETE: every backup was searched. PARTIAL: some were, or it is in doubt. NONE: none was."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    NONE = "NONE"


class InventoryStatus(StrEnum):
    """How far the vaults were compared with the list; OFF where the setting ``inventory`` is false."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    OFF = "OFF"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class NotSearchable:
    """Backups of EC2 instances in a vault, in the time window of a search: no search covers the EBS volumes in them.

    Attributes:
        examples: The ARNs of the first few.
    """

    vault: str
    backups: int
    examples: tuple[str, ...] = ()

    def members(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {"vault": self.vault, "backups": self.backups, "examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class ThinIndex:
    """The index of a searched backup that holds nothing, or less than half of what the index before it holds.

    A search looks into the index alone (aws-facts.md §7), so it may have missed what the backup holds. A bucket that
    was emptied looks the same.

    Attributes:
        items: How many items the index holds.
        previous_arn: The previous backup of the same source; None where the inventory knows none with an index.
        previous_items: How many items the index of the previous backup holds.
    """

    backup_arn: str
    source_resource_arn: str | None
    vault: str | None
    items: int
    previous_arn: str | None = None
    previous_items: int | None = None

    @property
    def in_words(self) -> str:
        """What is wrong with it, in a sentence with the figures."""
        holds = f"{self.items:,} items" if self.items else "nothing"
        before = "" if self.previous_items is None else f"; that of the backup before it holds {self.previous_items:,}"
        source = f" of {self.source_resource_arn}" if self.source_resource_arn else ""
        return f"A backup{source} was searched, but its index holds {holds}{before} ({self.backup_arn})."


def is_thin(items: int, previous_items: int | None) -> bool:
    """Whether an index holds no items, or less than half as many as the index of the backup before it."""
    return items == 0 or (previous_items is not None and items * 2 < previous_items)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the vaults hold in the scope of the search, compared with what the search listed.

    Attributes:
        message: Why the inventory is not complete, and what else a person should know about it.
        vaults: How many vaults were read to the end.
        in_scope: How many backups are in the scope: those that the search lists, and the others that the vaults
            hold. There may be more if the inventory is not COMPLETE.
        not_listed: How many of them the search does not list; each is an exclusion.
        left_out: How many recovery points match the scope and do not count, by reason; the message says so, too.
        thin_indexes: The searched backups whose index may lack most of what they hold.
        not_searchable: What no search covers, by vault; it is in no scope and changes no verdict.
        not_searchable_is_all: Whether it was counted in every vault.
    """

    status: InventoryStatus
    message: str | None = None
    taken_at: datetime | None = None
    vaults: int | None = None
    in_scope: int | None = None
    not_listed: int | None = None
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    thin_indexes: tuple[ThinIndex, ...] = ()
    not_searchable: tuple[NotSearchable, ...] = ()
    not_searchable_is_all: bool = False

    @property
    def is_off(self) -> bool:
        """Whether the list was not compared with the vaults."""
        return self.status is InventoryStatus.OFF

    @property
    def scope_in_words(self) -> str | None:
        """How many backups are in the scope: ``412``, or ``at least 412``."""
        if self.in_scope is None:
            return None
        return f"{'' if self.status is InventoryStatus.COMPLETE else 'at least '}{self.in_scope:,}"


@dataclass(frozen=True, slots=True)
class BackupCounts:
    """How many backups the search listed, searched and excluded; the failed are part of the excluded.

    Excluded are the listed backups that it did not search, and the backups of the inventory that it did not list.
    """

    listed: int
    searched: int
    excluded: int
    failed: int


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """The verdict and the time of an earlier report on the same search job."""

    verdict: str
    generated_at: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the sentences that say what kept it from COMPLETE."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judge(
    job: SearchJob,
    backups: BackupCounts,
    inventory: Inventory,
    named_not_listed: int = 0,
    earlier: EarlierReport | None = None,
) -> Judgement:
    """Judge a search from its job, its backups and the inventory of the vaults.

    Args:
        named_not_listed: How many of the backups that the scope names one by one are not in the list.
        earlier: An earlier report on this search. A later look at the vaults does not make a search better: what was
            in doubt may have left them.
    """
    reasons = tuple(_doubts(job, backups, inventory, named_not_listed))
    if not reasons and earlier and earlier.verdict != Verdict.COMPLETE:
        sentence = (
            f"The report of {earlier.generated_at} on this search was {earlier.verdict}, and what was in doubt then "
            "may have left the vaults since. Only a new search can be COMPLETE."
        )
        reasons = (sentence,)
    if backups.searched == 0:
        return Judgement(Verdict.NONE, reasons or ("No backup was searched.",))
    return Judgement(Verdict.PARTIAL if reasons else Verdict.COMPLETE, reasons)


def _doubts(job: SearchJob, backups: BackupCounts, inventory: Inventory, named_not_listed: int) -> Iterator[str]:
    if job.status != SearchJobStatus.COMPLETED:
        yield f"The search job ended as {job.status or 'a job without a status'}, not as COMPLETED."
    if job.status_message:
        yield f"AWS added a message to the search job: {job.status_message}"
    if backups.listed == 0:
        yield "The search job lists no backup at all."
    not_listed = inventory.not_listed or 0
    if excluded := backups.excluded - not_listed:
        listed = "listed " if not_listed else ""
        yield f"{excluded:,} of {backups.listed:,} {listed}backups {_plural(excluded, 'was', 'were')} not searched."
    if backups.searched + excluded != backups.listed:
        yield (
            f"The counts do not add up: {backups.listed:,} listed, {backups.searched:,} searched, "
            f"{backups.excluded:,} excluded, {not_listed:,} of them not listed."
        )
    yield from _doubts_by_aws_counts(job, backups.listed)
    if named_not_listed:
        are = _plural(named_not_listed, "is", "are")
        named = len(job.scope.backup_arns)
        yield f"{named_not_listed:,} of the {named:,} backups that the search names {are} not in its list."
    yield from _doubts_by_inventory(inventory)


def _doubts_by_aws_counts(job: SearchJob, listed: int) -> Iterator[str]:
    expected, scanned = job.recovery_points_to_scan, job.recovery_points_scanned
    if expected is not None and expected != listed:
        yield f"AWS set out to scan {expected:,} backups, but lists {listed:,}."
    if scanned is not None and scanned < (listed if expected is None else expected):
        meant = f"lists {listed:,} backups" if expected is None else f"set out to scan {expected:,} backups"
        yield f"AWS {meant}, but says that it scanned {scanned:,}."


def _doubts_by_inventory(inventory: Inventory) -> Iterator[str]:
    if inventory.status not in {InventoryStatus.COMPLETE, InventoryStatus.OFF}:
        yield f"The inventory of the vaults is {inventory.status}: {inventory.message or 'no reason was given'}"
    if not_listed := inventory.not_listed:
        are, them = _plural(not_listed, "is", "are"), _plural(not_listed, "it", "them")
        of_all = f" of {inventory.scope_in_words}" if inventory.scope_in_words else ""
        yield (
            f"{not_listed:,}{of_all} backups in the scope of the search {are} not in its list, "
            f"so it did not look at {them}."
        )
    if gone := inventory.left_out.get(LeftOut.DELETING, 0) + inventory.left_out.get(LeftOut.GONE, 0):
        backups, are = _plural(gone, "backup that matches", "backups that match"), _plural(gone, "is", "are")
        yield (
            f"{gone:,} {backups} the scope of the search and {are} not in its list {are} being deleted or already "
            f"gone. Whether the search should have looked at {_plural(gone, 'it', 'them')} is unknown."
        )
    yield from (index.in_words for index in inventory.thin_indexes[:_THIN_INDEXES_NAMED])
    if more := len(inventory.thin_indexes[_THIN_INDEXES_NAMED:]):
        backups = _plural(more, "more backup that was searched has", "more backups that were searched have")
        yield f"{more:,} {backups} an index that holds nothing, or less than half of the one before it."


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
