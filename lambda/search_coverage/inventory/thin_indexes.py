"""Finds indexes of searched backups that hold less than expected (decision 0015), with a bounded number of calls."""

from collections.abc import Iterator
from dataclasses import dataclass

from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.verdict import ThinIndex, is_thin
from search_coverage.inventory.lookups import Lookups
from search_coverage.inventory.ports import Vaults
from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.time_budget import TimeBudget

_INDEXES_AT_MOST = 40  # twice the 20 backups that a search takes by default: each of them, and the previous one


@dataclass(frozen=True, slots=True)
class IndexFindings:
    """What the indexes of searched backups hold.

    Attributes:
        known: How many backups have a known content, as does the previous backup where there is one.
        without_previous: How many backups have no previous one in the table.
        refusals: What AWS answered instead of a number.
    """

    thin: tuple[ThinIndex, ...]
    known: int
    without_previous: int
    refusals: list[str]

    def notes(self, searched: int, *, is_scope_bounded: bool) -> Iterator[str]:
        """Describe for how many of the searched backups the content of the index is unknown."""
        if self.known < searched:
            yield (
                f"How much the index holds is known of {self.known} of the {searched} backups that were searched (at "
                f"most {_INDEXES_AT_MOST} indexes are looked up)."
            )
            yield from self.refusals[:1]
        if self.without_previous and is_scope_bounded:
            yield (
                f"The index of {self.without_previous} searched backups was not compared with that of the backup "
                "before: there is none in the scope."
            )


def find_thin_indexes(table: RecoveryPointTable, vaults: Vaults, budget: TimeBudget) -> IndexFindings:
    """Look up the indexes of searched backups and of the previous backups of their sources, and compare them."""
    pairs, lookups = _pairs(table), Lookups(budget)
    points = {point.arn: point for pair in pairs for point in pair if point}
    items = lookups.look_up(vaults.items_in_index, points)
    known, thin = 0, []
    for point, previous in pairs:
        held, held_before = items.get(point.arn), items.get(previous.arn) if previous else None
        known += held is not None and (previous is None or held_before is not None)
        if held is not None and is_thin(held, held_before):
            previous_arn = previous.arn if previous and held_before is not None else None
            thin.append(ThinIndex(point.arn, point.source_resource_arn, point.vault, held, previous_arn, held_before))
    return IndexFindings(tuple(thin), known, sum(previous is None for _, previous in pairs), lookups.refusals)


def _pairs(table: RecoveryPointTable) -> list[tuple[RecoveryPoint, RecoveryPoint | None]]:
    """Return searched backups, each with the previous one of its source, as many as the bound on calls allows."""
    points = table.searched(_INDEXES_AT_MOST)
    previous = table.previous(points)
    pairs, arns = [], set[str]()
    for point in points:
        pair = (point, previous.get(point.arn))
        arns |= {each.arn for each in pair if each}
        if len(arns) > _INDEXES_AT_MOST:
            break
        pairs.append(pair)
    return pairs
