"""How far the result of a search can be trusted. Never COMPLETE unless everything says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

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
        """The doubt, in a sentence with the figures."""
        holds = f"{self.items:,} items" if self.items else "nothing"
        before = "" if self.previous_items is None else f"; that of the backup before it holds {self.previous_items:,}"
        source = f" of {self.source_resource_arn}" if self.source_resource_arn else ""
        return f"A backup{source} was searched, but its index holds {holds}{before} ({self.backup_arn})."


def is_thin(items: int, previous_items: int | None) -> bool:
    """Whether an index holds nothing, or less than half of what the index of the backup before it holds."""
    return items == 0 or (previous_items is not None and items * 2 < previous_items)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the vaults hold in the scope of the search, against what the search listed.

    Attributes:
        message: Why the inventory is not complete, and what else a person should know about it.
        vaults: How many vaults were read to the end.
        in_scope: How many backups are in the scope: those that the search lists, and those that the vaults hold
            besides. There may be more if the inventory is not COMPLETE.
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
    def scope_in_words(self) -> str | None:
        """How many backups are in the scope, and whether that is all that is known or all that there is."""
        if self.in_scope is None:
            return None
        return f"{self.in_scope}" if self.status is InventoryStatus.COMPLETE else f"at least {self.in_scope}"


@dataclass(frozen=True, slots=True)
class BackupCounts:
    """How many backups the search listed, searched and excluded; the failed are part of the excluded.

    The excluded are those that it listed and did not search, and those that the inventory found and it did not list.
    """

    listed: int
    searched: int
    excluded: int
    failed: int


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """What an earlier report on the same search job said, in its own words."""

    verdict: str
    generated_at: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and in words what kept it from COMPLETE (nothing, if it is COMPLETE)."""

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
        earlier: An earlier report on this search. A search does not get better by looking at the vaults later, when
            what was in doubt may have left them.
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


def _doubts(job: SearchJob, backups: BackupCounts, inventory: Inventory, named_not_listed: int) -> list[str]:
    doubts = []
    if job.status != SearchJobStatus.COMPLETED:
        doubts.append(f"The search job ended as {job.status or 'a job without a status'}, not as COMPLETED.")
    if job.status_message:
        doubts.append(f"AWS added a message to the search job: {job.status_message}")
    if backups.listed == 0:
        doubts.append("The search job lists no backup at all.")
    not_listed = inventory.not_listed or 0
    excluded = backups.excluded - not_listed
    if excluded:
        verb = "was" if excluded == 1 else "were"
        listed = "listed " if not_listed else ""
        doubts.append(f"{excluded} of {backups.listed} {listed}backups {verb} not searched.")
    if backups.searched + excluded != backups.listed:
        doubts.append(
            f"The counts do not add up: {backups.listed} listed, {backups.searched} searched, "
            f"{backups.excluded} excluded, {not_listed} of them not listed."
        )
    expected = job.recovery_points_to_scan
    if expected is not None and expected != backups.listed:
        doubts.append(f"AWS set out to scan {expected} backups, but lists {backups.listed}.")
    scanned = job.recovery_points_scanned
    meant = backups.listed if expected is None else expected
    if scanned is not None and scanned < meant:
        set_out = f"lists {meant} backups" if expected is None else f"set out to scan {meant} backups"
        doubts.append(f"AWS {set_out}, but says that it scanned {scanned}.")
    if named_not_listed:
        named = len(job.scope.backup_arns)
        verb = "is" if named_not_listed == 1 else "are"
        doubts.append(f"{named_not_listed} of the {named} backups that the search names {verb} not in its list.")
    doubts.extend(_inventory_doubts(inventory))
    return doubts


def _inventory_doubts(inventory: Inventory) -> list[str]:
    doubts = []
    if inventory.status not in {InventoryStatus.COMPLETE, InventoryStatus.OFF}:
        doubts.append(
            f"The inventory of the vaults is {inventory.status}: {inventory.message or 'no reason was given'}"
        )
    if inventory.not_listed:
        verb, them = ("is", "it") if inventory.not_listed == 1 else ("are", "them")
        of_all = f" of {inventory.scope_in_words}" if inventory.scope_in_words else ""
        doubts.append(
            f"{inventory.not_listed}{of_all} backups in the scope of the search {verb} not in its list, "
            f"so it did not look at {them}."
        )
    if gone := inventory.left_out.get(LeftOut.DELETING, 0) + inventory.left_out.get(LeftOut.GONE, 0):
        verb, they = ("is", "it was") if gone == 1 else ("are", "they were")
        doubts.append(
            f"{gone} backups that match the scope of the search and {verb} not in its list {verb} being deleted or "
            f"already deleted, so it can no longer be determined whether {they} to be searched."
        )
    doubts.extend(index.in_words for index in inventory.thin_indexes[:_THIN_INDEXES_NAMED])
    if more := len(inventory.thin_indexes[_THIN_INDEXES_NAMED:]):
        backups = "1 more backup that was searched has" if more == 1 else f"{more} more backups that were searched have"
        doubts.append(f"{backups} an index that holds nothing, or less than half of the one before it.")
    return doubts
