"""What is known of a search once its list is read to the end: the values that page, mail and summary render."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_result import ResultsStatus
from search_coverage.coverage.verdict import Inventory, Judgement
from search_coverage.report.stored_file import StoredFile
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
class KeptResults:
    """The results of a search, as they are kept in a bucket of their own.

    Attributes:
        message: Why they are not all, if so.
        rows: How many are kept.
        files: ``csv`` and ``jsonl``.
    """

    status: ResultsStatus = ResultsStatus.OFF
    message: str | None = None
    rows: int | None = None
    bucket: str | None = None
    files: Mapping[str, StoredFile] = field(default_factory=dict)

    @property
    def are_missing(self) -> bool:
        """Whether they should be kept, and are not."""
        return self.status is ResultsStatus.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known about a search once its list was read to the end."""

    job: SearchJob
    tally: Tally
    inventory: Inventory
    judgement: Judgement
    generated_at: datetime
    examples: Examples = Examples()
    results: KeptResults = KeptResults()

    @property
    def backups_meant(self) -> int:
        """How many backups the search was meant to look into: those that it lists, and those that it should list."""
        return self.tally.listed + (self.inventory.not_listed or 0)
