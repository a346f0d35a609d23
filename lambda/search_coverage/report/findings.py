"""What is known of a search once its list is read to the end: the values that page, mail and summary render."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, Judgement
from search_coverage.report.tally import Tally


@dataclass(frozen=True, slots=True)
class Examples:
    """The first excluded backups, as many as memory and the page have room for.

    Attributes:
        of_all: The first 2,000, for the table of the page.
        of_reason: The first 200 of each reason, for the commands of the page.
        failed: The first FAILED backup of each reason, for the mail.
    """

    of_all: Sequence[Exclusion] = ()
    of_reason: Mapping[Reason, Sequence[Exclusion]] = field(default_factory=dict)
    failed: Mapping[Reason, Exclusion] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known about a search once its list was read to the end."""

    job: SearchJob
    tally: Tally
    inventory: Inventory
    judgement: Judgement
    generated_at: datetime
    examples: Examples = Examples()

    @property
    def backups_meant(self) -> int:
        """How many backups the search was meant to look into: those that it lists, and those that it should list."""
        return self.tally.listed + (self.inventory.not_listed or 0)
