"""The quick way through a page gives what botocore's own parser gives, row by row, or leaves the page to it."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.aws.backup_search import _backup
from search_coverage.aws.fast_pages import page_taker

take_page = page_taker("Results", "BackupCreationTime", "IndexCreationTime")

SHAPE: Any = (
    botocore.session.get_session()
    .get_service_model("backupsearch")
    .operation_model("ListSearchJobBackups")
    .output_shape
)
MEMBERS = SHAPE.members["Results"].member.members

TEXTS = st.none() | st.text(max_size=30) | st.sampled_from(["COMPLETED", "FAILED", "RUNNING", "S3"])
SECONDS = (
    st.integers(0, 4_000_000_000)
    | st.floats(0, 4_000_000_000, allow_nan=False).map(lambda seconds: round(seconds, 3))
    | st.none()
    | st.sampled_from(["2026-11-20T10:00:00Z", "1795168800"])
)
ROWS = st.fixed_dictionaries(
    {},
    optional={name: SECONDS if member.type_name == "timestamp" else TEXTS for name, member in MEMBERS.items()}
    | {"SomethingNew": TEXTS},
)
PAGES = st.fixed_dictionaries({"Results": st.lists(ROWS, max_size=5)}, optional={"NextToken": st.none() | st.text()})


def parse(page: Any, *, quickly: bool, status_code: int = 200) -> dict[str, Any]:
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    response = {"status_code": status_code, "headers": {}, "body": body, "context": {"operation_name": "x"}}
    customized: dict[str, Any] = {}
    if quickly:
        take_page(response, customized)
    parsed: dict[str, Any] = create_parser("rest-json").parse(response, SHAPE)
    return {**parsed, **customized}


@given(page=PAGES)
def test_the_quick_way_gives_the_same_backups_as_botocores_parser(page: dict[str, Any]) -> None:
    quick, slow = parse(page, quickly=True), parse(page, quickly=False)

    assert [_backup(row) for row in quick["Results"]] == [_backup(row) for row in slow["Results"]]
    assert quick.get("NextToken") == slow.get("NextToken")


def test_a_page_as_modelled_is_really_taken_from_botocore() -> None:
    response = {"status_code": 200, "body": b'{"Results": [{"BackupCreationTime": 1795168800.5}], "NextToken": "n"}'}
    customized: dict[str, Any] = {}

    take_page(response, customized)

    assert customized == {"Results": [{"BackupCreationTime": 1795168800.5}], "NextToken": "n"}
    assert response["body"] == b"{}"


def test_a_page_with_explicit_nulls_is_taken_too() -> None:
    rows = [dict.fromkeys(MEMBERS), {**dict.fromkeys(MEMBERS), "BackupCreationTime": 1795168800}]
    response = {"status_code": 200, "body": json.dumps({"Results": rows, "NextToken": None}).encode()}
    customized: dict[str, Any] = {}

    take_page(response, customized)

    assert customized == {"Results": rows}
    assert response["body"] == b"{}"


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"\xff",
        b"[1]",
        b"null",
        b'{"Results": [null]}',
        b'{"Results": [[]]}',
        b'{"Results": [{"BackupCreationTime": "2026-11-20T10:00:00Z"}]}',
        b'{"Results": [{"BackupCreationTime": true}]}',
        b'{"Results": [{"IndexCreationTime": -1}]}',
        b'{"Results": [{"IndexCreationTime": NaN}]}',
        b'{"Results": [{"IndexCreationTime": 1e18}]}',
    ],
)
def test_a_page_that_is_not_as_modelled_is_left_to_botocore(body: bytes) -> None:
    response: dict[str, Any] = {"status_code": 200, "body": body}
    customized: dict[str, Any] = {}

    take_page(response, customized)

    assert response["body"] == body
    assert customized == {}


def test_an_error_is_left_to_botocore() -> None:
    error = {"status_code": 429, "body": b'{"Results": []}'}
    customized: dict[str, Any] = {}

    take_page(error, customized)

    assert error["body"] == b'{"Results": []}'
    assert customized == {}


@pytest.mark.parametrize("results", ["{}", '"x"', "7", "null"])
def test_results_that_are_no_list_do_not_become_an_empty_one(results: str) -> None:
    assert not isinstance(parse(f'{{"Results": {results}}}'.encode(), quickly=True)["Results"], list)
