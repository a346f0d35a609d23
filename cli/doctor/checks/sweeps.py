"""Checks when the watch function last completed a sweep."""

from datetime import timedelta
from typing import Final

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong, wrong_if_missing
from cli.doctor.log_lines import last_error, last_line, log_group
from cli.doctor.schedules import interval
from cli.doctor.section import Section
from search_coverage.names import SWEEP_DONE

# As the alarm "WatchSilent": 15 minutes, or three sweeps if that is longer.
_TOLERANCE: Final = timedelta(minutes=15)
_SWEEPS: Final = 3

_LOOK_BACK: Final = timedelta(hours=24)


def check(deployment: Deployment) -> Finding:
    """Search the log of the watch function for the last sweep, and for errors since."""
    group = log_group(deployment, "WatchFunctionName")
    now = deployment.now()
    tolerance = max(_TOLERANCE, _SWEEPS * interval(deployment, "ScheduleName"))
    with wrong_if_missing(f"log group {group}"):
        done = last_line(deployment, group, SWEEP_DONE, now - tolerance) or last_line(
            deployment, group, SWEEP_DONE, now - _LOOK_BACK
        )
        last = done[0] if done else None
        if last and now - last <= tolerance:
            return ok(f"The last successful sweep was {_age(now - last)} ago.")
        error = last_error(deployment, group, last or now - _LOOK_BACK)
    silence = f"{_age(now - last)} ago" if last else f"more than {_age(_LOOK_BACK)} ago, or never"
    found = f"The last successful sweep was {silence}"
    if error:
        return wrong(f"{found}. The last error since then: {error}", "Remove the cause", Section.SWEEPS_FAIL)
    if not last and now - deployment.stack["CreationTime"] < tolerance:
        found = "No sweep so far; the stack was created a few minutes ago."
        return attention(found, "Wait a few minutes, and check again", Section.SILENT)
    return wrong(f"{found}, and the log has no error since.", "Find out why no sweep starts", Section.SILENT)


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds())) // 60
    if not minutes:
        return "less than a minute"
    amount, unit = (minutes, "minute") if minutes < 120 else (minutes // 60, "hour")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"
