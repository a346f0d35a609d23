"""What the functions wrote to their logs."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from cli.deployment import Deployment

# As in the runbook: log lines of the product, and what Lambda writes about a process that was killed.
_ERRORS: Final = ("ERROR", '"Task timed out"', '"Runtime exited"')


def log_group(deployment: Deployment, output: str) -> str:
    """Return the log group of the function whose name is an output."""
    group: str = deployment.function(output)["LoggingConfig"]["LogGroup"]
    return group


def last_line(
    deployment: Deployment, group: str, message: str, since: datetime
) -> tuple[datetime, dict[str, Any]] | None:
    """Return the last line with this message, and when it was written; None if there is none."""
    events = _events(deployment, group, f'"{message}"', since)
    lines = [(event["timestamp"], _log_entry(event)) for event in events]
    found = [(at, line) for at, line in lines if line.get("message") == message]
    if not found:
        return None
    at, line = max(found, key=lambda each: int(each[0]))
    return datetime.fromtimestamp(at / 1000, UTC), line


def last_error(deployment: Deployment, group: str, since: datetime) -> str:
    """Return the text of the last error; empty if there is none."""
    events = [event for pattern in _ERRORS for event in _events(deployment, group, pattern, since)]
    # The word may occur in a line of another level.
    errors = [event for event in events if _log_entry(event).get("level", "ERROR") == "ERROR"]
    if not errors:
        return ""
    last = max(errors, key=lambda event: int(event["timestamp"]))
    return str(_log_entry(last).get("message") or last["message"]).strip()


def _events(deployment: Deployment, group: str, pattern: str, since: datetime) -> list[dict[str, Any]]:
    paginator = deployment.client("logs").get_paginator("filter_log_events")
    start = int(since.timestamp() * 1000)
    pages = paginator.paginate(logGroupName=group, filterPattern=pattern, startTime=start)
    return [event for page in pages for event in page["events"]]


def _log_entry(event: dict[str, Any]) -> dict[str, Any]:
    """Return a log line of the product as JSON; empty for the lines of Lambda itself."""
    try:
        entry = json.loads(event["message"])
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
