"""Checks when the watch function last completed a sweep."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong, wrong_if_missing
from cli.doctor.section import Section
from search_coverage.names import SWEEP_DONE

# As in the runbook: log lines of the product, and what Lambda writes about a process that was killed.
_ERRORS: Final = ("ERROR", '"Task timed out"', '"Runtime exited"')

# As the alarm "WatchSilent": 15 minutes, or three sweeps if that is longer.
_TOLERANCE: Final = timedelta(minutes=15)
_SWEEPS: Final = 3

_LOOK_BACK: Final = timedelta(hours=24)


def check(deployment: Deployment) -> Finding:
    """Search the log of the watch function for the last sweep, and for errors since."""
    group = deployment.function("WatchFunctionName")["LoggingConfig"]["LogGroup"]
    now = deployment.now()
    tolerance = max(_TOLERANCE, _SWEEPS * _interval(deployment))
    with wrong_if_missing(f"log group {group}"):
        last = _last_sweep(deployment, group, now - tolerance) or _last_sweep(deployment, group, now - _LOOK_BACK)
        if last and now - last <= tolerance:
            return ok(f"The last successful sweep was {_age(now - last)} ago.")
        error = _last_error(deployment, group, last or now - _LOOK_BACK)
    silence = f"{_age(now - last)} ago" if last else f"more than {_age(_LOOK_BACK)} ago, or never"
    found = f"The last successful sweep was {silence}"
    if error:
        return wrong(f"{found}. The last error since then: {error}", "Remove the cause", Section.SWEEPS_FAIL)
    if not last and now - deployment.stack["CreationTime"] < tolerance:
        found = "No sweep so far; the stack was created a few minutes ago."
        return attention(found, "Wait a few minutes, and check again", Section.SILENT)
    return wrong(f"{found}, and the log has no error since.", "Find out why no sweep starts", Section.SILENT)


def _interval(deployment: Deployment) -> timedelta:
    """Return the time between two sweeps; zero if the schedule does not say it."""
    try:
        schedule = deployment.client("scheduler").get_schedule(Name=deployment.output("ScheduleName"))
    except ClientError:
        return timedelta()
    minutes = re.fullmatch(r"rate\((\d+) minutes?\)", schedule["ScheduleExpression"])
    return timedelta(minutes=int(minutes[1])) if minutes else timedelta()


def _last_sweep(deployment: Deployment, group: str, since: datetime) -> datetime | None:
    events = _events(deployment, group, f'"{SWEEP_DONE}"', since)
    done = [event["timestamp"] for event in events if _log_entry(event).get("message") == SWEEP_DONE]
    return datetime.fromtimestamp(max(done) / 1000, UTC) if done else None


def _last_error(deployment: Deployment, group: str, since: datetime) -> str:
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


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds())) // 60
    if not minutes:
        return "less than a minute"
    amount, unit = (minutes, "minute") if minutes < 120 else (minutes // 60, "hour")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"
