"""The fast path for a page returns what botocore's own parser returns, row by row, or leaves the page to it."""

import json
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.aws.backup_search import _backup
from search_coverage.aws.fast_pages import page_taker
from tests.unit.strategies import MEMBERS, OUTPUT

take_page = page_taker("Results", "BackupCreationTime", "IndexCreationTime")

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


def taken(body: bytes, status_code: int = 200) -> tuple[bytes, dict[str, Any]]:
    """Take a page; return what is left of its body for botocore, and what was taken."""
    response: dict[str, Any] = {"status_code": status_code, "body": body}
    customized: dict[str, Any] = {}
    take_page(response, customized)
    return response["body"], customized


def parse(page: Any, *, quickly: bool, status_code: int = 200) -> dict[str, Any]:
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    response = {"status_code": status_code, "headers": {}, "body": body, "context": {"operation_name": "x"}}
    customized: dict[str, Any] = {}
    if quickly:
        take_page(response, customized)
    parsed: dict[str, Any] = create_parser("rest-json").parse(response, OUTPUT)
    return {**parsed, **customized}


@given(page=PAGES)
def test_the_fast_path_returns_the_same_backups_as_botocores_parser(page: dict[str, Any]) -> None:
    quick, slow = parse(page, quickly=True), parse(page, quickly=False)

    assert [_backup(row) for row in quick["Results"]] == [_backup(row) for row in slow["Results"]]
    assert quick.get("NextToken") == slow.get("NextToken")


def test_a_page_as_modelled_is_really_taken_from_botocore() -> None:
    left, page = taken(b'{"Results": [{"BackupCreationTime": 1795168800.5}], "NextToken": "n"}')

    assert page == {"Results": [{"BackupCreationTime": 1795168800.5}], "NextToken": "n"}
    assert left == b"{}"


def test_a_page_with_explicit_nulls_is_taken_too() -> None:
    rows = [dict.fromkeys(MEMBERS), {**dict.fromkeys(MEMBERS), "BackupCreationTime": 1795168800}]

    assert taken(json.dumps({"Results": rows, "NextToken": None}).encode()) == (b"{}", {"Results": rows})


@pytest.mark.parametrize(
    ("body", "status_code"),
    [
        (b"no json", 200),
        (b"\xff", 200),
        (b"[1]", 200),
        (b"null", 200),
        (b'{"Results": [null]}', 200),
        (b'{"Results": [[]]}', 200),
        (b'{"Results": [{"BackupCreationTime": "2026-11-20T10:00:00Z"}]}', 200),
        (b'{"Results": [{"BackupCreationTime": true}]}', 200),
        (b'{"Results": [{"IndexCreationTime": -1}]}', 200),
        (b'{"Results": [{"IndexCreationTime": NaN}]}', 200),
        (b'{"Results": [{"IndexCreationTime": 1e18}]}', 200),
        (b'{"Results": []}', 429),
    ],
)
def test_an_error_and_a_page_that_is_not_as_modelled_are_left_to_botocore(body: bytes, status_code: int) -> None:
    assert taken(body, status_code) == (body, {})


@pytest.mark.parametrize("results", ["{}", '"x"', "7", "null"])
def test_results_that_are_no_list_do_not_become_an_empty_one(results: str) -> None:
    assert not isinstance(parse(f'{{"Results": {results}}}'.encode(), quickly=True)["Results"], list)
