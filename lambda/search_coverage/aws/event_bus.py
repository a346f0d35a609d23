"""The EventBridge bus: it carries the event that AWS does not send, and the news of a report."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import AwsCallFailed, doing
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.timestamp import utc_text
from search_coverage.names import REPORT_CREATED, SERVICE, STATE_CHANGE
from search_coverage.report.files.json_text import compact_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_events import EventBridgeClient

_BATCH = 10  # entries that one PutEvents takes (aws-facts.md §5)


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that the bus took, under the id that the report function gets it with."""

    job: SearchJob
    event_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that the bus did not take."""

    job: SearchJob
    error: str


class EventBus:
    """Puts the two events of this product."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def announce(self, jobs: "Iterable[SearchJob]") -> "Iterator[tuple[list[Announcement], list[Refusal]]]":
        """Put a state change for each job, ten at a time.

        Yields:
            After each batch, what the bus took and what it refused.
        """
        remaining = iter(jobs)
        while batch := list(islice(remaining, _BATCH)):
            with doing(f"Announcing {len(batch)} search jobs"):
                answer = self._client.put_events(Entries=[self._entry(STATE_CHANGE, j.arn, _state(j)) for j in batch])
            yield _taken_and_refused(batch, answer)

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        """Put the news of a report.

        Raises:
            AwsCallFailed: The bus did not take it.
        """
        with doing(f"Putting the event {REPORT_CREATED!r} for {arn}"):
            answer = self._client.put_events(Entries=[self._entry(REPORT_CREATED, arn, detail)])
        ((_, error),) = _results(1, answer)
        if error:
            raise AwsCallFailed(f"The event {REPORT_CREATED!r} for {arn} was refused: {error}.")

    def _entry(self, kind: str, arn: Arn, detail: dict[str, Any]) -> Any:
        return {
            "EventBusName": self._name,
            "Source": SERVICE,
            "DetailType": kind,
            "Resources": [arn.text],
            "Detail": compact_json(detail),
        }


def _taken_and_refused(batch: list[SearchJob], answer: Any) -> tuple[list[Announcement], list[Refusal]]:
    announcements, refusals = [], []
    for job, (event_id, error) in zip(batch, _results(len(batch), answer), strict=True):
        if error:
            refusals.append(Refusal(job, error))
        else:
            announcements.append(Announcement(job, event_id))
    return announcements, refusals


def _results(entries: int, answer: Any) -> list[tuple[str, str]]:
    """Read an answer to PutEvents: the id of each event, or why it was refused.

    An answer that contradicts itself counts as a refusal of all.
    """
    results = [result if isinstance(result, dict) else {} for result in answer.get("Entries") or []]
    refused = sum(bool(result.get("ErrorCode")) for result in results)
    if len(results) != entries or (answer.get("FailedEntryCount") or 0) != refused:
        error = (
            f"PutEvents answers with {len(results)} entries for {entries} events, {refused} of them refused, and says "
            f"that it refused {answer.get('FailedEntryCount')}"
        )
        return [("", error)] * entries
    return [(str(result.get("EventId") or ""), _refusal(result)) for result in results]


def _refusal(result: dict[str, Any]) -> str:
    if result.get("ErrorCode"):
        return f"{result['ErrorCode']}: {result.get('ErrorMessage')}"
    return "" if result.get("EventId") else "PutEvents gave no id for an event"


def _state(job: SearchJob) -> dict[str, Any]:
    return {
        "searchJobIdentifier": job.identifier,
        "searchJobArn": job.arn.text,
        "name": job.name,
        "status": job.status,
        "creationTime": utc_text(job.creation_time),
        "completionTime": utc_text(job.completion_time),
    }
