"""What the posture function can be asked: by its schedule, by an event of AWS Backup, or directly."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from search_coverage.coverage.posture import IndexFailure
from search_coverage.handlers.report_request import InvalidRequest, kind_of
from search_coverage.names import AWS_BACKUP, INDEX_STATE_CHANGE

_FAILED = "FAILED"
_ALLOWED = (
    f'Expected {{"posture": {{}}}}, {{"preflight": {{"searchScope": {{...}}}}}}, or an event of AWS Backup with '
    f'detail-type "{INDEX_STATE_CHANGE}".'
)


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """Take the posture."""


@dataclass(frozen=True, slots=True)
class PreflightRequest:
    """Say what a search would miss; ``search_scope`` is as it was sent."""

    search_scope: object


@dataclass(frozen=True, slots=True)
class IndexEvent:
    """AWS Backup says that the state of an index has changed.

    Attributes:
        at: When AWS says that it happened; not later than now, so that the next posture has it.
        failure: What failed; None for any other change.
    """

    event_id: str
    at: datetime
    failure: IndexFailure | None


def parse(event: object, now: datetime) -> TakeRequest | PreflightRequest | IndexEvent:
    """Read a request from whatever the function was invoked with.

    Raises:
        InvalidRequest: It is not a request; the message says what it is and what is allowed.
    """
    if not isinstance(event, dict):
        raise InvalidRequest(f"The event is {kind_of(event)}, not a JSON object. {_ALLOWED}")
    if "detail-type" in event or "source" in event:
        return _index_event(event, now)
    names = sorted(map(str, event))
    if names == ["posture"] and event["posture"] == {}:
        return TakeRequest()
    if names == ["preflight"] and isinstance(event["preflight"], dict):
        unknown = sorted(set(map(str, event["preflight"])) - {"searchScope"})
        if unknown or "searchScope" not in event["preflight"]:
            problem = f"has the unknown member {unknown[0][:100]!r}" if unknown else "has no searchScope"
            raise InvalidRequest(f"The preflight {problem}. {_ALLOWED}")
        return PreflightRequest(event["preflight"]["searchScope"])
    found = ", ".join(names)[:200] or "no members"
    raise InvalidRequest(f"The event has {found}. {_ALLOWED}")


def _index_event(event: dict[str, Any], now: datetime) -> IndexEvent:
    source, kind, detail = event.get("source"), event.get("detail-type"), event.get("detail")
    if source != AWS_BACKUP or kind != INDEX_STATE_CHANGE:
        raise InvalidRequest(
            f"The event has source {str(source)[:100]!r} and detail-type {str(kind)[:100]!r}. {_ALLOWED}"
        )
    if not isinstance(detail, dict):
        raise InvalidRequest(f"The detail of the event is {kind_of(detail)}, not a JSON object. {_ALLOWED}")
    event_id = event.get("id")
    if not isinstance(event_id, str) or not event_id.replace("-", "").isalnum() or not event_id.isascii():
        raise InvalidRequest(f"The id of the event is {str(event_id)[:100]!r}, not letters, digits and hyphens.")
    failure = None
    if detail.get("indexStatus") == _FAILED:
        arn, message = _recovery_point(event, detail), detail.get("indexStatusMessage")
        failure = IndexFailure(arn, message if isinstance(message, str) else None)
    return IndexEvent(event_id[:100], min(_moment(event.get("time")) or now, now), failure)


def _recovery_point(event: dict[str, Any], detail: dict[str, Any]) -> str:
    """Return the ARN that the event is about: in the detail, or as its first resource (aws-facts.md §7)."""
    resources = event.get("resources")
    found = detail.get("recoveryPointArn") or (resources[0] if isinstance(resources, list) and resources else None)
    if not isinstance(found, str) or not found:
        raise InvalidRequest(
            f"The event names no recovery point, neither in its detail nor in its resources. {_ALLOWED}"
        )
    return found


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
