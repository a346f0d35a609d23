"""AWS Backup's search: which search jobs there are, and which backups each lists."""

import datetime as dt
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import SHAPE_ERRORS, quoting_nothing, reading, reading_search_job
from search_coverage.aws.fast_pages import take_pages
from search_coverage.aws.long_lists import PAGE_SIZE, answer_without, epoch, pages_of, rows_of
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup, BackupsPage
from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from search_coverage.coverage.exclusion import is_searched
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_job import SearchJob, search_job_identifier
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.use_cases.ports import SearchJobList, SearchJobUnknown

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient


class BackupSearch:
    """Implements `ports.SearchJobLister` and `ports.SearchJobReader`."""

    def __init__(self, client: "BackupSearchClient") -> None:
        self._client = client
        take_pages(client, "ListSearchJobBackups", "Results", "BackupCreationTime", "IndexCreationTime")
        # Each entry is read on its own, so that one that cannot be read does not stop the others.
        take_pages(client, "ListSearchJobs", "SearchJobs", whatever_rows=True)

    def search_jobs(self, time_is_up: Callable[[], bool] = lambda: False) -> SearchJobList:
        """List all search jobs that AWS still knows (7 days after they end), whatever their status."""
        jobs: dict[str, SearchJob] = {}  # each once, also if the list moved between two pages
        unreadable: list[str] = []
        pages = pages_of("the list of search jobs", self._page_of_search_jobs)
        broken_off, is_late = None, False
        try:
            for page in pages:
                if is_late:
                    broken_off = AwsCallFailed("There was no time to read the list of search jobs to its end.")
                    break
                for entry in page:
                    try:
                        job = _search_job(entry)
                    except _UNREADABLE as error:
                        unreadable.append(f"{entry} ({error!r})")
                    else:
                        jobs[job.identifier] = job
                is_late = time_is_up()
        except AwsCallFailed as error:
            if not jobs and not unreadable:
                raise
            broken_off = error
        return SearchJobList(list(jobs.values()), unreadable, broken_off)

    def search_job(self, identifier: str) -> SearchJob:
        """Read one search job."""
        what = f"Reading search job {identifier}"
        with reading_search_job(what), quoting_nothing(what):
            try:
                answer = self._client.get_search_job(SearchJobIdentifier=identifier)
                if "Status" not in answer:
                    raise AwsCallFailed(f"{what} failed: {answer_without('Status')}")
                return _search_job(answer)
            except self._client.exceptions.ResourceNotFoundException as error:
                raise SearchJobUnknown(
                    f"AWS Backup does not know search job {identifier}. It forgets a search job 7 days after its end; "
                    "then no report can be made of it any more. Check the identifier, the account and the Region."
                ) from error

    def tags(self, search_job: Arn) -> tuple[tuple[str, str], ...]:
        """Read the tags of a search job."""
        with reading(f"Reading the tags of {search_job.resource}"):
            answer = self._client.list_tags_for_resource(ResourceArn=search_job.text)
            return tuple((answer.get("Tags") or {}).items())

    def pages_of_backups(self, identifier: str, key_arn: str | None = None) -> Generator[BackupsPage, None, None]:
        """Read the backups that a search job lists, page by page. While one is worked on, the next is on its way."""
        read = partial(self._page_of_backups, identifier, key_arn)
        return pages_of(f"the backups of search job {identifier}", read)

    def _page_of_search_jobs(self, token: str | None) -> tuple[list[Any], str | None]:
        what = "Listing the search jobs"
        request: dict[str, Any] = {"MaxResults": PAGE_SIZE}
        if token:
            request["NextToken"] = token
        with reading(what):
            answer = self._client.list_search_jobs(**request)
            return rows_of(answer, "SearchJobs", what), answer.get("NextToken")

    def _page_of_backups(
        self, identifier: str, key_arn: str | None, token: str | None
    ) -> tuple[BackupsPage, str | None]:
        what = f"Listing the backups of search job {identifier}"
        request: dict[str, Any] = {"SearchJobIdentifier": identifier, "MaxResults": PAGE_SIZE}
        if token:
            request["NextToken"] = token
        with reading_search_job(what, key_arn):
            answer = self._client.list_search_job_backups(**request)
            rows = rows_of(answer, "Results", what)
            not_searched = [
                _backup(row) for row in rows if not is_searched(row.get("Status"), row.get("StatusMessage"))
            ]
            return BackupsPage([row.get("BackupResourceArn") for row in rows], not_searched), answer.get("NextToken")


_UNREADABLE = (*SHAPE_ERRORS, OSError, SearchCoverageError)
"""What reading a single entry raises; OSError for a time that no calendar has."""


def _search_job(entry: Any) -> SearchJob:
    summary, progress = entry.get("SearchScopeSummary") or {}, entry.get("CurrentSearchProgress") or {}
    return SearchJob(
        identifier=search_job_identifier(entry["SearchJobIdentifier"]),  # it becomes part of keys
        arn=Arn.parse(entry["SearchJobArn"]),
        status=entry.get("Status") or "",
        name=entry.get("Name"),
        status_message=entry.get("StatusMessage"),
        creation_time=_moment(entry.get("CreationTime")),
        completion_time=_moment(entry.get("CompletionTime")),
        scope=_search_scope(entry.get("SearchScope") or {}),
        item_filters=ItemFilters.of(entry.get("ItemFilters")),
        encryption_key_arn=entry.get("EncryptionKeyArn"),
        recovery_points_to_scan=summary.get("TotalRecoveryPointsToScanCount"),
        items_to_scan=summary.get("TotalItemsToScanCount"),
        recovery_points_scanned=progress.get("RecoveryPointsScannedCount"),
        items_scanned=progress.get("ItemsScannedCount"),
        items_matched=progress.get("ItemsMatchedCount"),
    )


def _moment(moment: Any) -> dt.datetime | None:
    """Take a moment as botocore reads it, or as seconds since the epoch, as it is on the wire."""
    if moment is None or isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.fromtimestamp(moment, dt.UTC)


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
        epoch(row.get("BackupCreationTime")),
        epoch(row.get("IndexCreationTime")),
    )


def _text(row: Any, name: str) -> str | None:
    text = row.get(name)
    if text is None or isinstance(text, str):
        return text
    raise TypeError(f"{name} is no text: {text!r}")
