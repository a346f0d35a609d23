"""What the report function can be asked: by the event of the sweep, or directly."""

from dataclasses import dataclass
from typing import Any, Self

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import search_job_identifier
from search_coverage.names import SERVICE, STATE_CHANGE

_ALLOWED = (
    f'Expected an EventBridge event with source "{SERVICE}" and detail-type "{STATE_CHANGE}", or '
    '{"searchJobIdentifier": "<uuid>"}, with "replay": true to write and notify again.'
)


class InvalidRequest(SearchCoverageError):
    """The event is not one that this function works on."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A request to report a search job.

    Attributes:
        replay: Write and notify again although the report exists.
    """

    identifier: str
    replay: bool = False

    @classmethod
    def parse(cls, event: object) -> Self:
        """Read a request from whatever the function was invoked with.

        Raises:
            InvalidRequest: It is not a request; the message says what it is and what is allowed.
            InvalidIdentifier: It does not name a search job.
        """
        if not isinstance(event, dict):
            raise InvalidRequest(f"The event is {kind_of(event)}, not a JSON object. {_ALLOWED}")
        if "detail-type" in event or "source" in event:
            return cls(search_job_identifier(_state_change(event).get("searchJobIdentifier")))
        unknown = sorted(set(map(str, event)) - {"searchJobIdentifier", "replay"})
        if unknown:
            raise InvalidRequest(f"The event has the unknown member {unknown[0][:100]!r}. {_ALLOWED}")
        replay = event.get("replay", False)
        if not isinstance(replay, bool):
            raise InvalidRequest(f"replay is {str(replay)[:100]!r}; it takes true or false. {_ALLOWED}")
        return cls(search_job_identifier(event.get("searchJobIdentifier")), replay)


def foreign_event(event: object, function_arn: str) -> str | None:
    """Recognize an event that another bus forwarded from its account or Region to ours.

    AWS Backup does not return a search job of another account or Region, so no report can be made of it here; and that
    is not a failure, since it is reported where it ran. A direct invocation has no origin.

    Args:
        event: The event that the function was invoked with.
        function_arn: The ARN by which it was invoked.

    Returns:
        A sentence that names the origin; None if the event is from this account and Region.
    """
    if not isinstance(event, dict) or not {"detail-type", "source"} & event.keys():
        return None
    here = Arn.parse(function_arn)
    account, region = event.get("account", here.account), event.get("region", here.region)
    if (account, region) == (here.account, here.region) or not isinstance(account, str) or not isinstance(region, str):
        return None
    return (
        f"The event is of account {account[:100]!r} and Region {region[:100]!r}, and this is account "
        f"{here.account} and Region {here.region}: it was forwarded, and is ignored. Its search job is reported where "
        "it ran, if Search Coverage is deployed there."
    )


def _state_change(event: dict[str, Any]) -> dict[str, Any]:
    source, kind, detail = event.get("source"), event.get("detail-type"), event.get("detail")
    if source != SERVICE or kind != STATE_CHANGE:
        raise InvalidRequest(
            f"The event has source {str(source)[:100]!r} and detail-type {str(kind)[:100]!r}. {_ALLOWED}"
        )
    for name in ("account", "region"):
        if not isinstance(event.get(name, ""), str):
            raise InvalidRequest(f"The {name} of the event is {kind_of(event[name])}, not a text. {_ALLOWED}")
    if not isinstance(detail, dict):
        raise InvalidRequest(f"The detail of the event is {kind_of(detail)}, not a JSON object. {_ALLOWED}")
    return detail


def kind_of(value: object) -> str:
    """Name the kind of a value that is not what was expected."""
    return "nothing" if value is None else f"a {type(value).__name__}"
