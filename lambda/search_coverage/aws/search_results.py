"""What a search found. Its rows hold names of files, so that no error quotes a row."""

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import quoting_nothing, reading_search_job
from search_coverage.aws.fast_pages import take_pages
from search_coverage.aws.long_lists import PAGE_SIZE, epoch, pages_of, rows_of, with_token
from search_coverage.coverage.search_result import SearchResult

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient

_FIRST_SECOND, _AFTER_LAST_SECOND = -62_135_596_800, 253_402_300_800
"""The years 1 to 9999, which a row can write. A file can be older than the epoch."""


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
        with reading_search_job(what, key_arn), quoting_nothing(what):
            answer = self._client.list_search_job_results(**with_token(request, token))
            return [_result(row) for row in rows_of(answer, "Results", what)], answer.get("NextToken")


def _result(row: Any) -> SearchResult:
    item_of_s3, item_of_ebs = row.get("S3ResultItem"), row.get("EBSResultItem")
    if (item_of_s3 is None) is (item_of_ebs is None):
        raise TypeError("a result is one of two items")
    if item_of_s3 is not None:
        return SearchResult(
            "S3",
            *_where(item_of_s3),
            _text(item_of_s3.get("ObjectKey")),
            _size(item_of_s3.get("ObjectSize")),
            _moment(item_of_s3.get("CreationTime")),
            None,
            _text(item_of_s3.get("ETag")),
            _text(item_of_s3.get("VersionId")),
        )
    return SearchResult(
        "EBS",
        *_where(item_of_ebs),
        _text(item_of_ebs.get("FilePath")),
        _size(item_of_ebs.get("FileSize")),
        _moment(item_of_ebs.get("CreationTime")),
        _moment(item_of_ebs.get("LastModifiedTime")),
        file_system=_text(item_of_ebs.get("FileSystemIdentifier")),
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


def _moment(value: Any) -> float | None:
    moment = epoch(value)
    if moment is None or _FIRST_SECOND <= moment < _AFTER_LAST_SECOND:
        return moment
    raise ValueError("no calendar has this time")


def _size(value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    raise TypeError
