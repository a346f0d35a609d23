"""Figure f: a sweep with nothing new, over no search job and over a thousand that all have their report."""

from datetime import UTC
from typing import TYPE_CHECKING

from benchmarks.measure import Bench, Figure, Measurement, Target, run, spreads
from benchmarks.servers import ACCOUNT, REGION, Servers, aws

if TYPE_CHECKING:
    from collections import Counter

JOBS = 1_000
SPREAD_OVER_SECONDS = 6.5 * 24 * 3600
FILES = ("excluded-backups.csv", "report.html", "summary.json")


def measure(bench: Bench) -> Figure:
    calls: dict[tuple[int, str], Counter[str]] = {}
    taken: dict[int, list[Measurement]] = {}
    for jobs in (0, JOBS):
        with aws(bench.folder) as (servers, environment):
            bench.say(f"{jobs:,} search jobs")
            _prepare(servers, jobs)
            run("ours", "sweep", "1", environment=environment)
            for sweeps, which in ((1, "first"), (2, "later")):
                servers.forget_calls()
                run("ours", "sweep", str(sweeps), environment=environment)
                calls[jobs, which] = servers.calls()
            calls[jobs, "later"] -= calls[jobs, "first"]
            for _ in bench.rounds(f"a sweep over {jobs:,} search jobs"):
                measurement = run("ours", "sweep", "2", environment=environment)
                counts = measurement.printed["counts"]
                if (counts["known"], counts["ended"], counts["unreported"], counts["announced"]) != (jobs, jobs, 0, 0):
                    raise RuntimeError(f"A sweep over {jobs} reported jobs was expected, but: {counts}")
                taken.setdefault(jobs, []).append(measurement)
    named = "AWS calls of a sweep with nothing new, {:,} known search jobs"
    return Figure(
        "A sweep with nothing new",
        {
            "jobs": JOBS,
            "calls": calls,
            "cpu": {
                "first": spreads(taken, lambda m: m.marks[0]),
                "later": spreads(taken, lambda m: m.marks[1]),
                "start": spreads(taken, lambda m: m.start_cpu_seconds),
            },
            "peak_mebibytes": spreads(taken, lambda m: m.peak_mebibytes),
        },
        targets=[Target(named.format(jobs), "", calls[jobs, "later"].total(), 3) for jobs in taken],
    )


def _prepare(servers: Servers, jobs: int) -> None:
    """Add search jobs that ended during the last days, each with the three objects of its report."""
    for number_of_job in range(jobs):
        servers.search_job(20, failed=1, ended_seconds_ago=3600 + number_of_job * SPREAD_OVER_SECONDS / jobs)
    servers.set_keys(
        [
            f"reports/{ACCOUNT}/{REGION}/{ended.astimezone(UTC):%Y/%m/%d}/{search_job}/{file}"
            for search_job, ended in servers.search_jobs()
            for file in FILES
        ]
    )
