"""The results of a search, as they are read: every row, or an error that says nothing of a row."""

import json
from typing import Any

import pytest

from search_coverage.aws.search_results import SearchResults
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_result import SearchResult
from search_coverage.report.files.result_row import result_row
from tests.examples import JANE, JOB_ID
from tests.wire import Answer, Wire

PATH = f"people/{JANE}/letter.pdf"
WHERE = {"BackupResourceArn": "arn:b", "SourceResourceArn": "arn:s", "BackupVaultName": "Default"}
OBJECT: dict[str, Any] = {
    **WHERE,
    "ObjectKey": PATH,
    "ObjectSize": 7,
    "CreationTime": 1795168800.5,
    "ETag": "e",
    "VersionId": "v",
}
FILE: dict[str, Any] = {
    **WHERE,
    "FilePath": PATH,
    "FileSize": 8,
    "FileSystemIdentifier": "ext4",
    "CreationTime": 1795168800,
    "LastModifiedTime": 1795168801,
}

NO_MOMENTS: tuple[Any, ...] = (
    *(PATH, True, {}, 1e20, -1e20, float("inf"), float("nan")),
    *(253_402_300_800, -62_135_596_801),  # in the year 10000, and before the year 1
)


def page(*rows: Any, more: str | None = None) -> dict[str, Any]:
    return {"Results": list(rows), "NextToken": more}


def read(*answers: Answer) -> list[SearchResult]:
    pages = SearchResults(Wire("backupsearch", *answers).client).pages_of_results(JOB_ID)
    return [result for page_of_results in pages for result in page_of_results]


def test_objects_and_files_become_rows_of_the_same_columns() -> None:
    found = read(page({"S3ResultItem": OBJECT}, more="2"), page({"EBSResultItem": FILE, "S3ResultItem": None}))

    assert found == [
        SearchResult("S3", "arn:b", "arn:s", "Default", PATH, 7, 1795168800.5, None, "e", "v"),
        SearchResult("EBS", "arn:b", "arn:s", "Default", PATH, 8, 1795168800, 1795168801, file_system="ext4"),
    ]
    assert result_row(JOB_ID, found[0])["created"] == "2026-11-20T10:00:00.500Z"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (-1.5, "1969-12-31T23:59:58.500Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_file_may_be_of_any_year_that_a_row_can_write(moment: float, text: str) -> None:
    (found,) = read(page({"EBSResultItem": FILE | {"LastModifiedTime": moment}}))

    assert result_row(JOB_ID, found)["last_modified"] == text


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys([*OBJECT, "Unknown"])], ids=["left out", "null"])
def test_what_aws_does_not_send_of_a_result_is_empty(nothing: dict[str, None]) -> None:
    assert read(page({"S3ResultItem": nothing})) == [SearchResult("S3")]


@pytest.mark.parametrize(
    "row",
    [
        *(PATH, [PATH], 5, None, {}, {"FSxResultItem": OBJECT}, {"S3ResultItem": None}, {"S3ResultItem": PATH}),
        {"S3ResultItem": OBJECT, "EBSResultItem": FILE},
        *({"S3ResultItem": OBJECT | {"ObjectKey": key}} for key in ([PATH], {PATH: 1}, 5)),
        *({"S3ResultItem": OBJECT | {"ObjectSize": size}} for size in (PATH, 1.5, True)),
        *(
            {"EBSResultItem": FILE | {member: moment}}
            for member in ("CreationTime", "LastModifiedTime")
            for moment in NO_MOMENTS
        ),
    ],
    ids=lambda row: json.dumps(row).replace(JANE, "somebody")[-60:],
)
def test_a_row_of_another_shape_fails_the_list_and_the_error_says_nothing_of_a_row(row: Any) -> None:
    with pytest.raises(AwsCallFailed, match="AWS answered with something unexpected") as raised:
        read(page({"S3ResultItem": OBJECT}, row))

    assert JANE not in told_by(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(page({"S3ResultItem": OBJECT})).encode()[:-3],
        json.dumps(page({"S3ResultItem": OBJECT})).encode() + b"}",
        json.dumps(page({"S3ResultItem": OBJECT})).encode().replace(b"letter", b"\xff"),
        json.dumps([PATH]).encode(),
        json.dumps(PATH).encode(),
        json.dumps({"Results": PATH}).encode(),
        json.dumps({"Results": {PATH: OBJECT}}).encode(),
        json.dumps({"Results": None, "message": PATH}).encode(),
    ],
    ids=["cut", "longer", "not UTF-8", "a list", "a text", "text as results", "object as results", "no results"],
)
def test_a_page_that_cannot_be_read_fails_the_list_and_the_error_says_nothing_of_it(body: bytes) -> None:
    with pytest.raises(AwsCallFailed, match=f"Listing the results of search job {JOB_ID} failed") as raised:
        read(page({"S3ResultItem": OBJECT}, more="2"), body)

    assert JANE not in told_by(raised.value)


def told_by(error: BaseException | None) -> str:
    """Return what an error and its causes say, as a traceback prints them."""
    return f"{error} {error!r} {told_by(error.__cause__)}" if error else ""
