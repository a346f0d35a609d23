"""AWS Backup's search: which search jobs there are, and which backups each lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import AwsCallFailed, SearchJobUnknown, doing
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import SearchJob

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


class BackupSearch:
    """Reads search jobs and their backups."""

    def __init__(self, client: "BackupSearchClient") -> None:
        self._client = client

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

    def pages_of_backups(self, identifier: str) -> Iterator[list[Backup]]:
        """Read the backups that a search job lists, page by page.

        Raises:
            AwsCallFailed: The list could not be read to its end; what came before is not the whole list.
        """
        request: dict[str, Any] = {"SearchJobIdentifier": identifier, "MaxResults": _PAGE_SIZE}
        tokens = _PageTokens(f"the backups of search job {identifier}")
        what = f"Listing the backups of search job {identifier}"
        while True:
            with doing(what):
                page = self._client.list_search_job_backups(**request)
                backups = [_backup(entry) for entry in _list(page, "Results", what)]
            yield backups
            if not page.get("NextToken"):
                return
            request["NextToken"] = tokens.new(page["NextToken"])


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
    scope, progress = entry.get("SearchScopeSummary", {}), entry.get("CurrentSearchProgress", {})
    return SearchJob(
        identifier=entry["SearchJobIdentifier"],
        arn=Arn.parse(entry["SearchJobArn"]),
        status=entry.get("Status", ""),
        name=entry.get("Name"),
        status_message=entry.get("StatusMessage"),
        creation_time=entry.get("CreationTime"),
        completion_time=entry.get("CompletionTime"),
        resource_types=tuple(entry.get("SearchScope", {}).get("BackupResourceTypes", ())),
        encryption_key_arn=entry.get("EncryptionKeyArn"),
        recovery_points_to_scan=scope.get("TotalRecoveryPointsToScanCount"),
        items_to_scan=scope.get("TotalItemsToScanCount"),
        recovery_points_scanned=progress.get("RecoveryPointsScannedCount"),
        items_scanned=progress.get("ItemsScannedCount"),
        items_matched=progress.get("ItemsMatchedCount"),
    )


def _backup(entry: Any) -> Backup:
    return Backup(
        entry.get("Status"),
        entry.get("StatusMessage"),
        entry.get("ResourceType"),
        entry.get("BackupResourceArn"),
        entry.get("SourceResourceArn"),
        _epoch(entry.get("BackupCreationTime")),
        _epoch(entry.get("IndexCreationTime")),
    )


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
