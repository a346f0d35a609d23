"""The ports: what the use cases need from outside, and the values and errors that come back.

The adapters in `aws/` implement them, and the handlers connect the two. Tests use the fakes in `tests/fakes.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_result import ResultsStatus, SearchResult

if TYPE_CHECKING:
    from search_coverage.coverage.verdict import Inventory
    from search_coverage.report.findings import KeptResults
    from search_coverage.report.mail.messages import Message


class SearchJobUnknown(SearchCoverageError):
    """AWS Backup does not know the search job: a wrong identifier, or one that ended more than 7 days ago."""


class SearchKeyDenied(AwsCallFailed):
    """AWS refuses to return a search job, because this function may not use the key that it is encrypted with."""


class LeaseLost(SearchCoverageError):
    """Another attempt has taken over the report: this one must not write any more."""


class ReportInProgress(SearchCoverageError):
    """Another invocation is making the report, and is alive.

    Attributes:
        request_id: The request that it works for.
    """

    def __init__(self, what: str, request_id: str | None) -> None:
        super().__init__(
            f"Another invocation is making {what}. Lambda tries this one again, in case the other does not finish."
        )
        self.request_id = request_id


class NotPublished(AwsCallFailed):
    """SNS did not take a message, after the SDK's own retries."""


@dataclass(frozen=True, slots=True)
class SearchJobList:
    """The search jobs that AWS lists.

    Attributes:
        unreadable: The entries that cannot be read, or do not say which search job they are.
        broken_off: Why the list could not be read to its end, if so. What was read is not all.
    """

    jobs: list[SearchJob]
    unreadable: list[str]
    broken_off: AwsCallFailed | None = None


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A summary in the bucket, and the request that it was made for.

    Attributes:
        content: None where the object is not a summary: it was damaged.
    """

    content: dict[str, Any] | None
    request_id: str | None
    etag: str

    @property
    def pending(self) -> str | None:
        """Why its messages could not be sent, if so."""
        return self.content["notification"].get("pending") if self.content else None

    @property
    def results_pending(self) -> str | None:
        """Why the results of the search could not be kept, if so."""
        results = (self.content or {}).get("results") or {}
        return results["message"] if results.get("status") == ResultsStatus.UNAVAILABLE else None

    @property
    def results(self) -> "KeptResults":
        """What it says of the results of the search."""
        from search_coverage.report.findings import KeptResults  # noqa: PLC0415 - the watch function does not need it

        said = (self.content or {}).get("results") or {"status": ResultsStatus.OFF}
        return KeptResults(ResultsStatus(said["status"]), said.get("message"), said.get("rows"), said.get("bucket"))


@dataclass(frozen=True, slots=True)
class StoredJson:
    """A JSON object in the bucket, and the request that it was written for; without content where it was damaged."""

    content: dict[str, Any] | None
    request_id: str | None
    etag: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that the bus took, under the id that the report function receives it with."""

    job: SearchJob
    event_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that the bus did not take."""

    job: SearchJob
    error: str


class SearchJobLister(Protocol):
    """The list of search jobs."""

    def search_jobs(self, time_is_up: Callable[[], bool]) -> SearchJobList:
        """List all search jobs that AWS knows, whatever their status, until ``time_is_up``.

        Raises:
            AwsCallFailed: Not even the first page could be read.
        """


class SearchJobReader(Protocol):
    """One search job, and the backups that it lists."""

    def search_job(self, identifier: str) -> SearchJob:
        """Read one search job.

        Raises:
            SearchJobUnknown: AWS Backup does not know it (any more).
            SearchKeyDenied: The function may not use the key that it is encrypted with.
            AwsCallFailed: It could not be read.
        """

    def tags(self, search_job: Arn) -> tuple[tuple[str, str], ...]:
        """Read the tags of a search job, as pairs of key and value.

        Raises:
            AwsCallFailed: They could not be read.
        """

    def pages_of_backups(self, identifier: str, key_arn: str | None) -> Iterator[BackupsPage]:
        """Read the backups that it lists, page by page; ``key_arn`` is the key that the search job is encrypted with.

        Raises:
            SearchKeyDenied: The function may not use that key.
            AwsCallFailed: The list could not be read to its end; what came before is not the whole list.
        """


class SearchResultsReader(Protocol):
    """What a search found."""

    def pages_of_results(self, identifier: str, key_arn: str | None) -> Iterator[list[SearchResult]]:
        """Read the results, page by page; ``key_arn`` is the key that the search job is encrypted with.

        Raises:
            AwsCallFailed: They could not be read to their end. The text quotes none of them.
        """


class Lease(Protocol):
    """The right to make the report of a search job."""

    def confirm(self) -> None:
        """Make sure that this attempt still holds the lease, and renew it.

        Raises:
            LeaseLost: Another attempt holds it.
            AwsCallFailed: It is not known.
        """


class Leases(Protocol):
    """The leases on reports."""

    def hold(self, name: str, request_id: str) -> AbstractContextManager[Lease]:
        """Acquire a lease, or take over that of a dead attempt; renew it in the block and release it at its end.

        Raises:
            ReportInProgress: Its owner is alive.
            AwsCallFailed: It is not known who holds it.
        """


class ReportedJobs(Protocol):
    """The search jobs that have a report."""

    def reported(self, jobs: Iterable[SearchJob], earliest: date) -> set[str]:
        """Return the identifiers of those with a whole report, whose messages are sent and whose results are kept.

        Args:
            earliest: The first day to look at for a job that has no date.
        """


class FileStore(Protocol):
    """A bucket. Every write raises `LeaseLost` where another attempt has written in between."""

    @property
    def name(self) -> str:
        """The bucket's name."""

    def put_file(self, key: str, path: Path, content_type: str, lease: Lease) -> str | None:
        """Upload a file; return the id of its version, None where the bucket has no versions."""


class ReportStore(FileStore, Protocol):
    """The bucket of the reports."""

    def summary(self, key: str) -> StoredSummary | None:
        """Read a summary; None if there is none."""

    def has_files_of(self, summary: dict[str, Any]) -> bool:
        """Whether the files of a report are the very versions that its summary names."""

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: Lease) -> None:
        """Write a summary with the request that it was made for: the mark that a report is whole."""

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: Lease, seen: str | None = None) -> str:
        """Write a summary as one line for Athena; return its ETag. ``seen`` is that of the line written before."""

    def put_json(self, key: str, content: dict[str, Any], lease: Lease) -> str:
        """Write a small object, such as the mark of a report that something is missing of; return its ETag."""

    def keys_after(self, key: str, at_most: int) -> list[str]:
        """Return the next keys in the folder of a key, in one call.

        Raises:
            AwsCallFailed: They could not be listed.
        """

    def get_file(self, key: str, path: Path) -> None:
        """Download an object.

        Raises:
            AwsCallFailed: It could not be read, or there is none.
        """

    def remove(self, key: str, lease: Lease, etag: str | None = None) -> None:
        """Remove a mark; ``etag`` is that of the object as this attempt saw it."""


class ScopeInventory(Protocol):
    """What the vaults hold in the scope of a search, compared with what the search lists."""

    def mark_listed(self, page: BackupsPage) -> None:
        """Record a page of the list."""

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Return what a vault says of a listed backup and its index."""

    def not_listed(self, seconds: float) -> Iterator[Exclusion]:
        """Return the backups in scope that are not in the list, which must have been marked to its end."""

    def result(self, listed: int) -> "Inventory":
        """Sum up the comparison."""


InventoryTaker = Callable[[SearchJob, Path, float], AbstractContextManager[ScopeInventory]]
"""Reads what the vaults hold in a job's scope, into a folder, within some seconds."""


class AlertsTopic(Protocol):
    """The topic that people and machines subscribe to."""

    def publish(self, message: "Message") -> str:
        """Publish a message; return its id.

        Raises:
            NotPublished: SNS did not take it.
        """


class SentDigests(Protocol):
    """The record of which digests were sent."""

    def message_id(self, key: str, what: str) -> str | None:
        """Return the id of the message that carried this content; None if it was not sent.

        Args:
            key: The search job, with the request where a digest is sent once per request.
            what: The content. A digest with other content is another digest.
        """

    def record(self, key: str, what: str, message_id: str) -> None:
        """Record that a digest was sent."""

    def forget(self, key: str) -> None:
        """Delete the record, so that the digest is sent again."""


class ReportEvents(Protocol):
    """The event that a report was made."""

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        """Put the event.

        Raises:
            AwsCallFailed: The bus did not take it.
        """


class StateChangeEvents(Protocol):
    """The event that a search job has ended."""

    def announce(self, jobs: Iterable[SearchJob]) -> Iterator[tuple[list[Announcement], list[Refusal]]]:
        """Put one event per job; after each batch, return what the bus took and what it refused."""


class Announcements(Protocol):
    """The record of when each search job was last announced."""

    def last(self, identifiers: Iterable[str], time_is_up: Callable[[], bool]) -> tuple[dict[str, datetime], set[str]]:
        """Return the moments of the last announcements, and the identifiers that there was no time to ask for."""

    def record(self, identifier: str, moment: datetime) -> None:
        """Record an announcement."""
