"""A search job: what this product needs of it."""

import datetime as dt
import re
from dataclasses import dataclass, field
from enum import StrEnum

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.fingerprint import fingerprint
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_scope import SearchScope

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class InvalidIdentifier(SearchCoverageError):
    """A text is not the identifier of a search job."""


class SearchJobStatus(StrEnum):
    """The statuses of AWS's own enumeration; a search job may carry others (aws-facts.md §2)."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


NOT_ENDED = frozenset({SearchJobStatus.RUNNING, SearchJobStatus.STOPPING})
ENDED = frozenset({SearchJobStatus.COMPLETED, SearchJobStatus.FAILED, SearchJobStatus.STOPPED})


def search_job_identifier(text: object) -> str:
    """Check that ``text`` is a search job's identifier (a UUID, aws-facts.md §2) and return it in lower case.

    Raises:
        InvalidIdentifier: It is not.
    """
    if isinstance(text, str) and _UUID.fullmatch(text.lower()):
        return text.lower()
    found = "missing" if text is None else repr(str(text)[:100])
    raise InvalidIdentifier(
        f"searchJobIdentifier is {found}; expected the UUID of a search job, "
        "such as 11111111-2222-3333-4444-555555555555."
    )


def is_terminal(status: str) -> bool:
    """Whether a job with this status has ended. An unknown status counts as ended (aws-facts.md §2)."""
    return status not in NOT_ENDED


@dataclass(frozen=True, slots=True)
class SearchJob:
    """A search job as AWS Backup describes it; what AWS did not send is None or empty.

    Attributes:
        status: One of `SearchJobStatus`, or whatever else AWS sent.
        item_filters: What it looked for.
        tags: The tags of the search job, as pairs of key and value, such as a case number; None if they are not known.
        recovery_points_to_scan: How many backups AWS said it would look into.
        recovery_points_scanned: How many it said it looked into.
    """

    identifier: str
    arn: Arn
    status: str
    name: str | None = None
    status_message: str | None = None
    creation_time: dt.datetime | None = None
    completion_time: dt.datetime | None = None
    scope: SearchScope = field(default_factory=SearchScope)
    item_filters: ItemFilters = field(default_factory=ItemFilters)
    tags: tuple[tuple[str, str], ...] | None = None
    encryption_key_arn: str | None = None
    recovery_points_to_scan: int | None = None
    items_to_scan: int | None = None
    recovery_points_scanned: int | None = None
    items_scanned: int | None = None
    items_matched: int | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended, with any status."""
        return is_terminal(self.status)

    @property
    def fingerprint(self) -> str:
        """What it has in common with other searches for the same items in the same backups."""
        return fingerprint(self.scope, self.item_filters)

    @property
    def ended(self) -> dt.datetime | None:
        """When it ended, or when it was created if AWS sends no completion time."""
        return self.completion_time or self.creation_time

    @property
    def date(self) -> dt.date | None:
        """The UTC day of its completion, or of its creation if AWS sends no completion time."""
        return _utc_day(self.ended)

    @property
    def first_date(self) -> dt.date | None:
        """The UTC day of its creation, or of its completion if AWS sends no creation time."""
        return _utc_day(self.creation_time or self.completion_time)


def _utc_day(moment: dt.datetime | None) -> dt.date | None:
    return moment.astimezone(dt.UTC).date() if moment else None
