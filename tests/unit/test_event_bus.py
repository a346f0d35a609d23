"""The bus and the record of announcements: what was not surely taken, or surely not announced before, is not lost."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from search_coverage.aws.announcements import Announcements
from search_coverage.aws.event_bus import EventBus
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_job import SearchJob
from tests.examples import JOB_ARN, JOB_ID, search_job
from tests.wire import Wire


def jobs(number: int) -> list[SearchJob]:
    return [search_job(identifier=str(uuid.uuid4())) for _ in range(number)]


def taken(number: int) -> dict[str, Any]:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(entry)} for entry in range(number)]}


def test_23_search_jobs_are_announced_in_batches_of_ten() -> None:
    wire = Wire("events", taken(10), taken(10), taken(3))
    announced = jobs(23)

    batches = list(EventBus(wire.client, "default").announce(announced))

    assert [len(request["Entries"]) for request in wire.requests] == [10, 10, 3]
    assert [each.job for announcements, _ in batches for each in announcements] == announced


@pytest.mark.parametrize(
    ("answer", "sentence", "refused"),
    [
        ({}, "answers with 0 entries for 2 events", 2),
        ({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, "answers with 1 entries for 2 events", 2),
        ({"FailedEntryCount": 0, "Entries": []}, "answers with 0 entries for 2 events", 2),
        ({"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"EventId": "2"}]}, "says that it refused 1", 2),
        ({"FailedEntryCount": 0, "Entries": [{}, {"EventId": "2"}]}, "gave no id for an event", 1),
        ({"FailedEntryCount": 0, "Entries": [None, {"EventId": "2"}]}, "gave no id for an event", 1),
        ({"FailedEntryCount": 0, "Entries": [{"ErrorCode": "InternalFailure"}, {"EventId": "2"}]}, "1 of them", 2),
        (
            {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Throttling", "ErrorMessage": "no"}, {"EventId": "2"}]},
            "Throttling: no",
            1,
        ),
    ],
)
def test_an_answer_of_the_bus_that_cannot_be_right_is_a_refusal(
    answer: dict[str, Any], sentence: str, refused: int
) -> None:
    announced = jobs(2)

    ((announcements, refusals),) = EventBus(Wire("events", answer).client, "default").announce(announced)

    assert [refusal.job for refusal in refusals] == announced[:refused]
    assert [announcement.job for announcement in announcements] == announced[refused:]
    assert sentence in refusals[0].error


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"FailedEntryCount": 0, "Entries": []},
        {"FailedEntryCount": 0, "Entries": [{}]},
        {"FailedEntryCount": 0, "Entries": [None]},
        {"FailedEntryCount": 0, "Entries": [{"ErrorCode": "InternalFailure"}]},
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]},
    ],
)
def test_an_event_of_a_report_that_the_bus_did_not_surely_take_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(AwsCallFailed, match=r"was refused: (PutEvents|InternalFailure)"):
        EventBus(Wire("events", answer).client, "default").report_created(search_job().arn, {})


def test_an_event_names_the_search_job_as_its_resource() -> None:
    wire = Wire("events", taken(1))

    EventBus(wire.client, "default").report_created(search_job().arn, {})

    assert wire.requests[0]["Entries"][0]["Resources"] == [JOB_ARN]


def test_reading_announcements_ends_while_dynamodb_returns_keys_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a table that answers for one search job of two, and returns the other again and again
    monkeypatch.setattr("time.sleep", lambda _: None)
    record = {"id": {"S": f"announcement#{JOB_ID}"}, "announced_at": {"N": "1795168800.5"}}
    again = {"t": {"Keys": [{"id": {"S": "announcement#the-other"}}]}}
    first = {"Responses": {"t": [record]}, "UnprocessedKeys": again}
    wire = Wire("dynamodb", first, {"Responses": {}, "UnprocessedKeys": again})

    # When there is time for five calls
    last, unknown = Announcements(wire.client, "t").last([JOB_ID, "the-other"], lambda: len(wire.requests) == 5)

    # Then
    assert last == {JOB_ID: datetime.fromtimestamp(1795168800.5, UTC)}
    assert unknown == {"the-other"}
    assert len(wire.requests) == 5


@pytest.mark.parametrize("answer", [{}, {"Responses": {"t": [{}]}}, b"[1]", b"{"])
def test_an_answer_of_dynamodb_of_another_shape_is_a_sentence(answer: dict[str, Any] | bytes) -> None:
    with pytest.raises(AwsCallFailed, match="Reading when search jobs were announced failed"):
        Announcements(Wire("dynamodb", answer).client, "t").last([JOB_ID], lambda: False)
