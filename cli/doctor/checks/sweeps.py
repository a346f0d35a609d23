"""When did the watch function last sweep with success?"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section
from search_coverage.names import SWEEP_DONE

_ERRORS: Final = ("ERROR", '"Task timed out"', '"Runtime exited"')
"""As in the runbook: lines of ours, and what Lambda writes about a process that was killed."""

_PATIENCE: Final = timedelta(minutes=15)
_SWEEPS: Final = 3
"""As the alarm "WatchSilent": 15 minutes, or three sweeps if that is longer."""

_LOOK_BACK: Final = timedelta(hours=24)


def look(deployment: Deployment) -> Finding:
    """Look in the log of the watch function for the last sweep, and for errors since."""
    group = deployment.function("WatchFunctionName")["LoggingConfig"]["LogGroup"]
    now = deployment.now()
    patience = max(_PATIENCE, _SWEEPS * _interval(deployment))
    try:
        last = _last_sweep(deployment, group, now - patience) or _last_sweep(deployment, group, now - _LOOK_BACK)
        if last and now - last <= patience:
            return ok(f"The last successful sweep was {_age(now - last)} ago.")
        error = _last_error(deployment, group, last or now - _LOOK_BACK)
    except ClientError as missing:
        if is_missing(missing):
            return wrong(f"There is no log group {group}.", "See who deleted it, and put it back", Section.CHANGED)
        raise
    silence = f"{_age(now - last)} ago" if last else f"more than {_age(_LOOK_BACK)} ago, or never"
    if error:
        return wrong(
            f"The last successful sweep was {silence}, and the last error since then says: {error}",
            "Remove the cause",
            Section.SWEEPS_FAIL,
        )
    if not last and now - deployment.stack["CreationTime"] < patience:
        return attention(
            "There was no sweep yet; the stack was made less than a quarter of an hour ago.",
            "Wait a few minutes, and look again",
            Section.SILENT,
        )
    return wrong(
        f"The last successful sweep was {silence}, and the log has no error since.",
        "Find out why nothing sweeps",
        Section.SILENT,
    )


def _interval(deployment: Deployment) -> timedelta:
    """Read how often the schedule sweeps; without a schedule, as often as can be."""
    try:
        expression = deployment.client("scheduler").get_schedule(Name=deployment.output("ScheduleName"))
    except ClientError:
        return timedelta()
    minutes = re.fullmatch(r"rate\((\d+) minutes?\)", expression["ScheduleExpression"])
    return timedelta(minutes=int(minutes[1])) if minutes else timedelta()


def _last_sweep(deployment: Deployment, group: str, since: datetime) -> datetime | None:
    done = [
        event
        for event in _events(deployment, group, f'"{SWEEP_DONE}"', since)
        if _line(event).get("message") == SWEEP_DONE
    ]
    latest = max((event["timestamp"] for event in done), default=None)
    return datetime.fromtimestamp(latest / 1000, UTC) if latest else None


def _last_error(deployment: Deployment, group: str, since: datetime) -> str:
    """Give what the last error says; an empty text if there is none."""
    errors = [
        event
        for pattern in _ERRORS
        for event in _events(deployment, group, pattern, since)
        if _line(event).get("level", "ERROR") == "ERROR"  # the word may stand in a line about something else
    ]
    if not errors:
        return ""
    last = max(errors, key=lambda event: int(event["timestamp"]))
    return str(_line(last).get("message") or last["message"]).strip()


def _events(deployment: Deployment, group: str, pattern: str, since: datetime) -> list[dict[str, Any]]:
    pages = (
        deployment.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=group, filterPattern=pattern, startTime=int(since.timestamp() * 1000))
    )
    return [event for page in pages for event in page["events"]]


def _line(event: dict[str, Any]) -> dict[str, Any]:
    """Read a line of ours; what Lambda itself writes is no JSON, and has no members."""
    try:
        line = json.loads(event["message"])
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds())) // 60
    if not minutes:
        return "less than a minute"
    amount, unit = (minutes, "minute") if minutes < 120 else (minutes // 60, "hour")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"
