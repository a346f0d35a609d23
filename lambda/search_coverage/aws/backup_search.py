"""AWS Backup's search: which search jobs there are, and which backups each lists."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import AwsCallFailed, SearchJobUnknown, doing
from search_coverage.aws.fast_pages import page_taker
from search_coverage.aws.long_lists import PAGE_SIZE, answer_without, epoch, pages_of, rows_of
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.exclusion import is_searched
from search_coverage.coverage.search_job import SearchJob, search_job_identifier
from search_coverage.coverage.search_scope import SearchScope

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient


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
        listed: The ARNs of all backups on it; None where AWS did not say it.
        not_searched: Those of them that AWS does not clearly call searched.
    """

    listed: list[str | None]
    not_searched: list[Backup]


class BackupSearch:
    """Reads search jobs and their backups."""

    def __init__(self, client: "BackupSearchClient") -> None:
        self._client = client
        client.meta.events.register(
            "before-parse.backupsearch.ListSearchJobBackups",
            page_taker("Results", "BackupCreationTime", "IndexCreationTime"),
        )

    def search_jobs(self) -> SearchJobList:
        """List all search jobs that AWS still knows (7 days after they end), whatever their status.

        Raises:
            AwsCallFailed: The list could not be read to its end.
        """
        jobs: dict[str, SearchJob] = {}  # each once, also if the list moved between two pages
        unreadable: list[str] = []
        for page in pages_of("the list of search jobs", self._page_of_search_jobs):
            for entry in page:
                try:
                    job = _search_job(entry)
                except (LookupError, TypeError, AttributeError, SearchCoverageError) as error:
                    unreadable.append(f"{entry} ({error!r})")
                else:
                    jobs[job.identifier] = job
        return SearchJobList(list(jobs.values()), unreadable)

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
                    raise AwsCallFailed(f"{what} failed: {answer_without('Status')}")
                return _search_job(answer)
            except self._client.exceptions.ResourceNotFoundException as error:
                raise SearchJobUnknown(
                    f"AWS Backup does not know search job {identifier}. It forgets a search job 7 days after its end; "
                    "then no report can be made of it any more. Check the identifier, the account and the Region."
                ) from error

    def pages_of_backups(self, identifier: str) -> Generator[BackupsPage, None, None]:
        """Read the backups that a search job lists, page by page. While one is worked on, the next is on its way.

        Raises:
            AwsCallFailed: The list could not be read to its end; what came before is not the whole list.
        """
        read = partial(self._page_of_backups, identifier)
        return pages_of(f"the backups of search job {identifier}", read)

    def _page_of_search_jobs(self, token: str | None) -> tuple[list[Any], str | None]:
        what = "Listing the search jobs"
        request: dict[str, Any] = {"MaxResults": PAGE_SIZE}
        if token:
            request["NextToken"] = token
        with doing(what):
            answer = self._client.list_search_jobs(**request)
            return rows_of(answer, "SearchJobs", what), answer.get("NextToken")

    def _page_of_backups(self, identifier: str, token: str | None) -> tuple[BackupsPage, str | None]:
        what = f"Listing the backups of search job {identifier}"
        request: dict[str, Any] = {"SearchJobIdentifier": identifier, "MaxResults": PAGE_SIZE}
        if token:
            request["NextToken"] = token
        with doing(what):
            answer = self._client.list_search_job_backups(**request)
            rows = rows_of(answer, "Results", what)
            not_searched = [
                _backup(row) for row in rows if not is_searched(row.get("Status"), row.get("StatusMessage"))
            ]
            return BackupsPage([row.get("BackupResourceArn") for row in rows], not_searched), answer.get("NextToken")


def _search_job(entry: Any) -> SearchJob:
    summary, progress = entry.get("SearchScopeSummary", {}), entry.get("CurrentSearchProgress", {})
    return SearchJob(
        identifier=search_job_identifier(entry["SearchJobIdentifier"]),  # it becomes part of keys
        arn=Arn.parse(entry["SearchJobArn"]),
        status=entry.get("Status", ""),
        name=entry.get("Name"),
        status_message=entry.get("StatusMessage"),
        creation_time=entry.get("CreationTime"),
        completion_time=entry.get("CompletionTime"),
        scope=_search_scope(entry.get("SearchScope", {})),
        filters_by_creation_time=_filters_by_creation_time(entry.get("ItemFilters") or {}),
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


def _filters_by_creation_time(filters: Any) -> bool:
    return any(
        item_filter.get("CreationTimes")
        for of_type in ("EBSItemFilters", "S3ItemFilters")
        for item_filter in filters.get(of_type) or ()
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
