"""Events of any shape: each is a request, or is refused with a sentence on one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import search_job_identifier
from search_coverage.handlers.report_request import ReportRequest
from search_coverage.report.files.keys import ReportKeys
from tests.examples import JOB_ID, search_job

CORPUS: list[Any] = json.loads((Path(__file__).parent / "hostile_events.json").read_text(encoding="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
_MEMBERS = ["searchJobIdentifier", "replay", "source", "detail-type", "detail", "id"]
_VALUES = JSON | st.sampled_from(
    [JOB_ID, "search-coverage", "Search Job State Change", {"searchJobIdentifier": JOB_ID}]
)
EVENTS = JSON | st.dictionaries(st.sampled_from(_MEMBERS), _VALUES)


def refusal(event: object) -> str | None:
    """Return the sentence by which an event is refused, or nothing if it is a request for a search job."""
    try:
        request = ReportRequest.parse(event)
    except SearchCoverageError as error:
        return str(error)
    assert search_job_identifier(request.identifier) == request.identifier
    return None


@pytest.mark.parametrize("event", CORPUS, ids=range(len(CORPUS)))
def test_an_invalid_event_is_refused_in_one_line(event: object) -> None:
    sentence = refusal(event)

    assert sentence is not None
    assert sentence.endswith((".", "555555555555."))
    assert sentence.isprintable()
    assert len(sentence) < 600


@given(event=EVENTS)
def test_any_event_is_a_request_or_is_refused_in_one_line(event: object) -> None:
    sentence = refusal(event)

    assert sentence is None or (sentence.isprintable() and len(sentence) < 600)


@given(text=st.text() | st.from_regex(r"[./%\\0-9a-f-]{1,60}"))
def test_a_text_that_is_not_a_uuid_never_becomes_a_key(text: str) -> None:
    try:
        identifier = search_job_identifier(text)
    except SearchCoverageError:
        return
    assert set(ReportKeys.of(search_job(identifier=identifier)).prefix.rsplit("/", 2)[1]) <= set("0123456789abcdef-")
