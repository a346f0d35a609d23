"""The EventBridge bus: it carries the event that AWS does not send, and the event that a report was made."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.timestamp import utc_text
from search_coverage.names import POSTURE_CREATED, REPORT_CREATED, SERVICE, STATE_CHANGE
from search_coverage.report.files.json_text import compact_json
from search_coverage.use_cases.ports import Announcement, Refusal

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_BATCH = 10  # entries that one PutEvents takes (aws-facts.md §5)


class EventBus:
    """Implements `ports.StateChangeEvents`, `ports.ReportEvents` and `posture_ports.PostureEvents`."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def announce(self, jobs: Iterable[SearchJob]) -> Iterator[tuple[list[Announcement], list[Refusal]]]:
        """Put one state change per job, ten at a time."""
        remaining = iter(jobs)
        while batch := list(islice(remaining, _BATCH)):
            entries = [self._entry(STATE_CHANGE, job.arn, _state(job)) for job in batch]
            results = self._put(f"Announcing {len(batch)} search jobs", entries)
            announcements, refusals = [], []
            for job, (event_id, error) in zip(batch, results, strict=True):
                if error:
                    refusals.append(Refusal(job, error))
                else:
                    announcements.append(Announcement(job, event_id))
            yield announcements, refusals

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        """Put the event that a report was made."""
        what = f"Putting the event {REPORT_CREATED!r} for {arn}"
        ((_, error),) = self._put(what, [self._entry(REPORT_CREATED, arn, detail)])
        if error:
            raise AwsCallFailed(f"The event {REPORT_CREATED!r} for {arn} was refused: {error}.")

    def posture_created(self, detail: dict[str, Any]) -> None:
        """Put the event that a posture was taken."""
        ((_, error),) = self._put(
            f"Putting the event {POSTURE_CREATED!r}", [self._entry(POSTURE_CREATED, None, detail)]
        )
        if error:
            raise AwsCallFailed(f"The event {POSTURE_CREATED!r} was refused: {error}.")

    def _put(self, what: str, entries: list[Any]) -> list[tuple[str, str]]:
        with reading(what):
            return _results(len(entries), self._client.put_events(Entries=entries))

    def _entry(self, kind: str, arn: Arn | None, detail: dict[str, Any]) -> Any:
        return {
            "EventBusName": self._name,
            "Source": SERVICE,
            "DetailType": kind,
            "Resources": [arn.text] if arn else [],
            "Detail": compact_json(detail),
        }


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
