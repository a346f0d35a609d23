"""How often the schedules run their functions."""

import re
from datetime import timedelta

from botocore.exceptions import ClientError

from cli.deployment import Deployment


def interval(deployment: Deployment, output: str) -> timedelta:
    """Return the time between two runs of the schedule whose name is an output; zero if it does not say that."""
    try:
        schedule = deployment.client("scheduler").get_schedule(Name=deployment.output(output))
    except ClientError:
        return timedelta()
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule["ScheduleExpression"])
    return timedelta(**{f"{rate[2]}s": int(rate[1])}) if rate else timedelta()
