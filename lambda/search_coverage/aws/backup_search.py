"""AWS Backup's search: which search jobs there are, and which backups each lists."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import AwsCallFailed, SearchJobUnknown, doing
from search_coverage.aws.fast_pages import take_page
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.exclusion import is_searched
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient

_PAGE_SIZE = 1000  # the most that AWS gives (aws-facts.md §2)


@dataclass(frozen=True, slots=True)
class SearchJobList:
    """The search jobs that AWS lists.

    Attributes:
        unreadable: The entries that do not say which search job they are; one such must not stop the others.
    """

    jobs: list[SearchJob]
    unreadable: list[str]


@dataclass(frozen=True, slots=True)
class BackupsPage:
    """A page of the backups that a search job lists.

    Attributes:
        listed: How many backups are on it.
        not_searched: Those of them that AWS does not clearly call searched.
    """

    listed: int
    not_searched: list[Backup]


class BackupSearch:
    """Reads search jobs and their backups."""

    def __init__(self, client: "BackupSearchClient") -> None:
        self._client = client
        client.meta.events.register("before-parse.backupsearch.ListSearchJobBackups", take_page)

    def search_jobs(self) -> SearchJobList:
        """List all search jobs that AWS still knows (7 days after they end), whatever their status.

        Raises:
            AwsCallFailed: The list could not be read to its end.
        """
        jobs: dict[str, SearchJob] = {}  # each once, also if the list moved between two pages
        unreadable: list[str] = []
        request: dict[str, Any] = {"MaxResults": _PAGE_SIZE}
        tokens = _PageTokens("the list of search jobs")
        what = "Listing the search jobs"
        with doing(what):
            while True:
                page = self._client.list_search_jobs(**request)
                for entry in _list(page, "SearchJobs", what):
                    try:
                        job = _search_job(entry)
                    except (LookupError, TypeError, AttributeError, SearchCoverageError) as error:
                        unreadable.append(f"{entry} ({error!r})")
                    else:
                        jobs[job.identifier] = job
                if not page.get("NextToken"):
                    return SearchJobList(list(jobs.values()), unreadable)
                request["NextToken"] = tokens.new(page["NextToken"])

    def search_job(self, identifier: str) -> SearchJob:
        """Read one search job.

        Raises:
            SearchJobUnknown: AWS Backup does not know it (any more); trying again does not help.
            AwsCallFailed: It could not be read.
        """
        what = f"Reading search job {identifier}"
        with doing(what):
            try:
                answer = self._client.get_search_job(SearchJobIdentifier=identifier)
                if "Status" not in answer:
                    raise AwsCallFailed(f"{what} failed: {_EMPTY_ANSWER.format('Status')}")
                return _search_job(answer)
            except self._client.exceptions.ResourceNotFoundException as error:
                raise SearchJobUnknown(
                    f"AWS Backup does not know search job {identifier}. It forgets a search job 7 days after its end; "
                    "check the identifier, the account and the Region."
                ) from error

    def pages_of_backups(self, identifier: str) -> Generator[BackupsPage, None, None]:
        """Read the backups that a search job lists, page by page. While one is worked on, the next is on its way.

        Raises:
            AwsCallFailed: The list could not be read to its end; what came before is not the whole list.
        """
        tokens = _PageTokens(f"the backups of search job {identifier}")

        def read(token: str | None) -> tuple[BackupsPage, str | None]:
            return self._page_of_backups(identifier, tokens.new(token) if token else None)

        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-page")
        try:
            coming = pool.submit(read, None)
            while True:
                page, token = coming.result()
                if token:
                    coming = pool.submit(read, token)
                yield page
                if not token:
                    return
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _page_of_backups(self, identifier: str, token: str | None) -> tuple[BackupsPage, str | None]:
        what = f"Listing the backups of search job {identifier}"
        request: dict[str, Any] = {"SearchJobIdentifier": identifier, "MaxResults": _PAGE_SIZE}
        if token:
            request["NextToken"] = token
        with doing(what):
            answer = self._client.list_search_job_backups(**request)
            rows = _list(answer, "Results", what)
            not_searched = [
                _backup(row) for row in rows if not is_searched(row.get("Status"), row.get("StatusMessage"))
            ]
            return BackupsPage(len(rows), not_searched), answer.get("NextToken")


class _PageTokens:
    """Remembers page tokens: one that comes back would make the list endless, and never whole."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[int] = set()

    def new(self, token: str) -> str:
        if hash(token) in self._seen:
            raise AwsCallFailed(
                f"AWS gave a page token of {self._what} a second time, so the list has no end that can be trusted."
            )
        self._seen.add(hash(token))
        return token


# botocore lets an answer pass that is no JSON at all: it looks like one without any member.
_EMPTY_ANSWER = "AWS answered without {}, so the answer cannot be trusted."


def _list(answer: Any, name: str, what: str) -> list[Any]:
    entries = answer.get(name)
    if not isinstance(entries, list):
        raise AwsCallFailed(f"{what} failed: {_EMPTY_ANSWER.format(name)}")
    return entries


def _search_job(entry: Any) -> SearchJob:
    summary, progress = entry.get("SearchScopeSummary", {}), entry.get("CurrentSearchProgress", {})
    return SearchJob(
        identifier=entry["SearchJobIdentifier"],
        arn=Arn.parse(entry["SearchJobArn"]),
        status=entry.get("Status", ""),
        name=entry.get("Name"),
        status_message=entry.get("StatusMessage"),
        creation_time=entry.get("CreationTime"),
        completion_time=entry.get("CompletionTime"),
        scope=_search_scope(entry.get("SearchScope", {})),
        encryption_key_arn=entry.get("EncryptionKeyArn"),
        recovery_points_to_scan=summary.get("TotalRecoveryPointsToScanCount"),
        items_to_scan=summary.get("TotalItemsToScanCount"),
        recovery_points_scanned=progress.get("RecoveryPointsScannedCount"),
        items_scanned=progress.get("ItemsScannedCount"),
        items_matched=progress.get("ItemsMatchedCount"),
    )


def _search_scope(scope: Any) -> SearchScope:
    created = scope.get("BackupResourceCreationTime", {})
    return SearchScope(
        resource_types=tuple(scope.get("BackupResourceTypes", ())),
        created_after=created.get("CreatedAfter"),
        created_before=created.get("CreatedBefore"),
        source_arns=tuple(scope.get("SourceResourceArns", ())),
        backup_arns=tuple(scope.get("BackupResourceArns", ())),
        tags=tuple(scope.get("BackupResourceTags", {}).items()),
    )


def _backup(row: Any) -> Backup:
    return Backup(
        _text(row, "Status"),
        _text(row, "StatusMessage"),
        _text(row, "ResourceType"),
        _text(row, "BackupResourceArn"),
        _text(row, "SourceResourceArn"),
        _epoch(row.get("BackupCreationTime")),
        _epoch(row.get("IndexCreationTime")),
    )


def _text(row: Any, name: str) -> str | None:
    text = row.get(name)
    if text is None or isinstance(text, str):
        return text
    raise TypeError(f"{name} is no text: {text!r}")


def _epoch(moment: datetime | float | None) -> float | None:
    return moment.timestamp() if isinstance(moment, datetime) else moment
