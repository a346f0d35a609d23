"""What a search found. Its rows hold names of files, so that no error quotes a row."""

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import SHAPE_ERRORS, reading_search_job
from search_coverage.aws.fast_pages import take_pages
from search_coverage.aws.long_lists import PAGE_SIZE, epoch, pages_of, rows_of, with_token
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_result import SearchResult

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient


class SearchResults:
    """Implements `ports.SearchResultsReader`."""

    def __init__(self, client: "BackupSearchClient") -> None:
        self._client = client
        take_pages(client, "ListSearchJobResults", "Results", whatever_rows=True)

    def pages_of_results(
        self, identifier: str, key_arn: str | None = None
    ) -> Generator[list[SearchResult], None, None]:
        """Read what a search found, page by page."""
        return pages_of(f"the results of search job {identifier}", partial(self._page, identifier, key_arn))

    def _page(self, identifier: str, key_arn: str | None, token: str | None) -> tuple[list[SearchResult], str | None]:
        what = f"Listing the results of search job {identifier}"
        request: dict[str, Any] = {"SearchJobIdentifier": identifier, "MaxResults": PAGE_SIZE}
        with reading_search_job(what, key_arn):
            answer = self._client.list_search_job_results(**with_token(request, token))
            rows, next_token = rows_of(answer, "Results", what), answer.get("NextToken")
        try:
            return [_result(row) for row in rows], next_token
        except (*SHAPE_ERRORS, OSError):  # OSError for a time that no calendar has
            raise AwsCallFailed(f"{what} failed: a result has another shape than AWS documents.") from None


def _result(row: Any) -> SearchResult:
    if item := row.get("S3ResultItem"):
        return SearchResult(
            "S3",
            *_where(item),
            _text(item.get("ObjectKey")),
            _size(item.get("ObjectSize")),
            epoch(item.get("CreationTime")),
            None,
            _text(item.get("ETag")),
            _text(item.get("VersionId")),
        )
    item = row["EBSResultItem"]
    return SearchResult(
        "EBS",
        *_where(item),
        _text(item.get("FilePath")),
        _size(item.get("FileSize")),
        epoch(item.get("CreationTime")),
        epoch(item.get("LastModifiedTime")),
        file_system=_text(item.get("FileSystemIdentifier")),
    )


def _where(item: Any) -> tuple[str | None, str | None, str | None]:
    return (
        _text(item.get("BackupResourceArn")),
        _text(item.get("SourceResourceArn")),
        _text(item.get("BackupVaultName")),
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError


def _size(value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    raise TypeError
