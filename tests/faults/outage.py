"""Six days without a sweep, while a search job ends every twelve hours.

One ended before, was announced, and its event got stuck; by the time it is delivered AWS has forgotten the job.
"""

from collections.abc import Iterator
from typing import Any

from tests.faults.deployed import Deployed
from tests.invocation import Context

JOBS = 12
_HALF_A_DAY = 12 * 60 * 60
_HOUR = 3700
SCENARIO = {"name": "meanwhile", "backups": [{"count": 2}, {"status": "FAILED", "status_message": "Access denied"}]}


def play(deployed: Deployed) -> Iterator[dict[str, Any]]:
    vanished = deployed.end_search_job()
    deployed.sweep()
    (stuck,) = deployed.announcements()
    deployed.aws.move_clock(2 * _HALF_A_DAY + _HOUR)
    jobs = []
    for _ in range(JOBS):
        jobs.append(deployed.end_search_job())
        deployed.aws.move_clock(_HALF_A_DAY)

    deployed.let_pass(7 * 2 * _HALF_A_DAY)
    sweep = deployed.sweep()
    events = deployed.announcements()
    reports = [deployed.report(event) for event in events]
    request = Context()
    late = [deployed.report(stuck, request) for _ in range(3)]
    deployed.let_pass(_HOUR)
    last = deployed.sweep()
    deployed.count_messages()
    yield {
        "jobs": jobs,
        "sweep": sweep.result,
        "announced": [event["detail"]["searchJobIdentifier"] for event in events],
        "reported": [job for job in jobs if deployed.summary(job)],
        "errors": [report.error for report in reports if report.error],
        "digests": [deployed.digests[job] for job in jobs],
        "vanished": vanished,
        "late": [attempt.error for attempt in late],
        "late_message": late[0].message,
        "late_calls": [call["operation"] for call in late[0].calls],
        "last_sweep": last.result,
        "announced_again": deployed.announcements(),
    }
