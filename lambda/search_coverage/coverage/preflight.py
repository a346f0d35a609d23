"""What a search would look into, and what it would miss, before anyone starts it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.posture import Counts
from search_coverage.coverage.recovery_point import LeftOut
from search_coverage.coverage.remedies import BACKUPS_IN_A_SEARCH, remedy_of
from search_coverage.coverage.remedy_commands import commands
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.searchability import Searchability
from search_coverage.coverage.timestamp import utc_text
from search_coverage.coverage.verdict import InventoryStatus, NotSearchable


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """What is in the scope of a search.

    Attributes:
        status: COMPLETE; PARTIAL if something in the scope may not be known; UNAVAILABLE if the vaults were not read.
        problems: What kept it from COMPLETE, in sentences.
        notes: What else is known, in sentences.
        counts: The backups in scope.
        named_missing: How many backups that the scope names are in no vault, or do not match the rest of the scope.
        examples: The first backups that the search would miss, by why.
        left_out: How many backups match the scope and do not count, by why.
        first_searchable: The ARNs of the first backups that a search would look into, at most 500.
        unreachable: Backups of EC2 instances in the window, whose volumes no search for EBS covers.
    """

    scope: SearchScope
    region: str
    taken_at: datetime
    status: InventoryStatus
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    named_missing: int = 0
    examples: Mapping[Searchability, tuple[Exclusion, ...]] = field(default_factory=dict)
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    unreachable: tuple[NotSearchable, ...] = ()
    first_searchable: tuple[str, ...] = ()

    @property
    def searches(self) -> int:
        """How many searches it takes, since one takes 20 backups (aws-facts.md §2)."""
        return -(-self.counts.backups // BACKUPS_IN_A_SEARCH)

    @property
    def sees_all(self) -> bool:
        """Whether one search would look into every backup in scope, as far as indexes go."""
        return (
            self.status is InventoryStatus.COMPLETE
            and 0 < self.counts.backups == self.counts.searchable
            and self.searches == 1
            and not self.named_missing
        )

    def as_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "version": 1,
            "seesAll": self.sees_all,
            "status": self.status.value,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "scope": self.scope.members(),
            "region": self.region,
            "takenAt": utc_text(self.taken_at),
            "inScope": self.counts.backups,
            "searchable": self.counts.searchable,
            "bySearchability": self.counts.members(),
            "namedMissing": self.named_missing,
            "searches": self.searches,
            "backupsInASearch": BACKUPS_IN_A_SEARCH,
            "leftOut": {reason.value: count for reason, count in sorted(self.left_out.items()) if count},
            "unreachable": [each.members() for each in self.unreachable],
            "gaps": [gap_members(self, state, examples) for state, examples in self.examples.items()],
        }


def gap_members(result: PreflightResult, state: Searchability, examples: tuple[Exclusion, ...]) -> dict[str, Any]:
    """Write one reason why backups would be missed, with its remedy and the commands for the first of them."""
    remedy = remedy_of(examples[0].reason, result.scope.resource_type)
    return {
        "searchability": state.value,
        "backups": result.counts.by_searchability[state],
        "title": remedy.title,
        "remedy": remedy.remedy,
        "commands": commands(examples[0]),
        "examples": [example.backup.backup_arn for example in examples],
    }
