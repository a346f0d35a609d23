"""What is known of a search once its list is read to the end: the values that page, mail and summary render."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_result import ResultsStatus
from search_coverage.coverage.verdict import Inventory, Judgement, Verdict
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
class Changes:
    """What became of the backups that the previous search left out, and what this one newly leaves out.

    Attributes:
        still_excluded_since: Since when the first of them is left out, as text.
        now_searched: Those that this search looked at.
        not_in_this_search: Those that this search does not even list: it did not look at them.
        examples_new: The ARNs of the first ones; the same for the other two.
    """

    newly_excluded: int = 0
    still_excluded: int = 0
    still_excluded_since: str | None = None
    now_searched: int = 0
    not_in_this_search: int = 0
    examples_new: Sequence[str] = ()
    examples_searched: Sequence[str] = ()
    examples_not_in_this_search: Sequence[str] = ()

    @property
    def no_longer_excluded(self) -> int:
        """How many this search does not leave out: it looked at them, or they are not in it."""
        return self.now_searched + self.not_in_this_search


@dataclass(frozen=True, slots=True)
class Previous:
    """The previous search with the same question; what is not known of it is None.

    Attributes:
        ended: When it ended, as text.
        message: Why it could not be compared with this search, if so.
        without_arn: How many backups of both searches AWS did not name, so that they could not be compared.
    """

    identifier: str | None = None
    ended: str | None = None
    summary_key: str | None = None
    verdict: str | None = None
    changes: Changes | None = None
    message: str | None = None
    without_arn: int = 0


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
    previous: Previous | None = None

    @property
    def closes_previous(self) -> bool:
        """Whether this search is COMPLETE, and the previous one with the same question was not."""
        is_complete = self.judgement.verdict is Verdict.COMPLETE
        return bool(is_complete and self.previous and self.previous.verdict not in {None, Verdict.COMPLETE})

    @property
    def backups_meant(self) -> int:
        """How many backups the search was meant to look into: those that it lists, and those that it should list."""
        return self.tally.listed + (self.inventory.not_listed or 0)
