"""Six days without a sweep: ``python -m tests.faults.outage <file>`` plays it and writes what became of it.

A search job ends every twelve hours, and nobody sweeps. One ended before, was announced, and its event got stuck; by
the time it is delivered AWS has forgotten the job.
"""

import json
import os
import sys
from pathlib import Path

from tests.faults.deployed import SDK, Deployed
from tests.faults.surroundings import Surroundings
from tests.invocation import Context, state_change

JOBS = 12
_HALF_A_DAY = 12 * 60 * 60
_SCENARIO = {"name": "meanwhile", "backups": [{"count": 2}, {"status": "FAILED", "status_message": "Access denied"}]}


def main(file: Path) -> None:
    """Play."""
    os.environ.update(SDK)
    surroundings = Surroundings.start()
    try:
        deployed = Deployed(surroundings)
        deployed.functions.warm_up(state_change(deployed.finish_job(_SCENARIO)))
        deployed.begin_anew()
        deployed.announcements()
        vanished = deployed.finish_job(_SCENARIO)
        deployed.invoke("watch", {}, Context("watch"))
        (stuck,) = deployed.announcements()
        deployed.simulate("clock", forward_seconds=2 * _HALF_A_DAY + 3600)
        jobs = []
        for _ in range(JOBS):
            jobs.append(deployed.finish_job(_SCENARIO))
            deployed.simulate("clock", forward_seconds=_HALF_A_DAY)

        deployed.let_pass(7 * 2 * _HALF_A_DAY)
        sweep = deployed.invoke("watch", {}, Context("watch"))
        events = deployed.announcements()
        reports = [deployed.invoke("report", event, Context()) for event in events]
        invocation = Context()
        late = [deployed.invoke("report", stuck, invocation) for _ in range(3)]
        deployed.let_pass(3700)
        last = deployed.invoke("watch", {}, Context("watch"))
        deployed.count_messages()
        outcome = {
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
        file.write_text(json.dumps(outcome, indent=1, default=str) + "\n", encoding="utf-8")
    finally:
        surroundings.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
