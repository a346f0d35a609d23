"""Figure f: a sweep with nothing new, over no search job and over a thousand that all have their report."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from benchmarks.figure import Bench, Figure, Table, Target, number
from benchmarks.measure import Measurement, run, spread
from benchmarks.servers import ACCOUNT, REGION, Aws, aws

JOBS = 1_000
SPREAD_OVER_SECONDS = 6.5 * 24 * 3600
FILES = ("excluded-backups.csv", "report.html", "summary.json")

_NOTE = (
    "The first sweep of an environment has to look which search jobs have their report: `ListObjectsV2` gives 1,000 "
    "keys a call, and a report has three keys under `reports/`. What it has seen it remembers for an hour, so that the "
    "sweeps after it list the search jobs and nothing else."
)


def measure(bench: Bench) -> Figure:
    """Take the figure."""
    calls: dict[tuple[int, str], Counter[str]] = {}
    taken: dict[int, list[Measurement]] = {}
    for jobs in (0, JOBS):
        with aws(bench.folder) as servers:
            bench.say(f"{jobs:,} search jobs")
            _prepare(servers, jobs)
            run("ours_sweep", "1", environment=servers.environment())
            calls[jobs, "first"] = _calls_of(servers, sweeps=1)
            calls[jobs, "later"] = _calls_of(servers, sweeps=2) - calls[jobs, "first"]
            for _, text in bench.rounds(f"a sweep over {jobs:,} search jobs"):
                bench.say(text)
                measurement = run("ours_sweep", "2", environment=servers.environment())
                if measurement.told["counts"] != {"known": jobs, "ended": jobs, "unreported": 0, "announced": 0}:
                    raise RuntimeError(f"A sweep over {jobs} reported jobs was expected, but: {measurement.told}")
                taken.setdefault(jobs, []).append(measurement)
    return _figure(calls, taken)


def _prepare(servers: Aws, jobs: int) -> None:
    """Let so many search jobs have ended over the last days, each with the three objects of its report."""
    for number_of_job in range(jobs):
        ago = 3600 + number_of_job * SPREAD_OVER_SECONDS / jobs
        servers.search_job(20, failed=1, ended_seconds_ago=ago)
    servers.set_keys([key for job in _search_jobs(servers) for key in _keys(job)])


def _search_jobs(servers: Aws) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        url = f"{servers.simulator_url}/search-jobs?MaxResults=1000" + (f"&NextToken={token}" if token else "")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
            page = json.loads(answer.read())
        yield from page["SearchJobs"]
        token = page.get("NextToken", "")
        if not token:
            return


def _keys(job: dict[str, Any]) -> list[str]:
    day = datetime.fromtimestamp(job["CompletionTime"], UTC)
    folder = f"reports/{ACCOUNT}/{REGION}/{day:%Y/%m/%d}/{job['SearchJobIdentifier']}"
    return [f"{folder}/{file}" for file in FILES]


def _calls_of(servers: Aws, *, sweeps: int) -> Counter[str]:
    servers.forget_calls()
    run("ours_sweep", str(sweeps), environment=servers.environment())
    return servers.calls()


def _figure(calls: dict[tuple[int, str], Counter[str]], taken: dict[int, list[Measurement]]) -> Figure:
    first = {jobs: spread(found, lambda m: m.marks[0]) for jobs, found in taken.items()}
    later = {jobs: spread(found, lambda m: m.marks[1]) for jobs, found in taken.items()}
    start = {jobs: spread(found, lambda m: m.start_cpu_seconds) for jobs, found in taken.items()}
    peak = {jobs: spread(found, lambda m: m.peak_kibibytes / 1024) for jobs, found in taken.items()}
    rows = [
        [
            f"{jobs:,}",
            which,
            f"{counted.total()} ({', '.join(f'{n} {name}' for name, n in counted.items()) or 'none'})",
            number(1000 * (first if which == "first" else later)[jobs].median),
        ]
        for (jobs, which), counted in calls.items()
    ]
    return Figure(
        title="A sweep with nothing new",
        how=(
            "The watch function, invoked twice in one process, over search jobs of the last six and a half days that "
            "all have their report, of three objects each. Calls are the HTTP requests that reached the servers. The "
            f"start-up, which only the first sweep of an environment pays, takes {number(start[0].median)} s of CPU "
            f"here, and the process needs {number(peak[JOBS].median)} MiB at {JOBS:,} jobs."
        ),
        tables=[Table(["known search jobs", "sweep of an environment", "AWS calls", "CPU ms after start-up"], rows)],
        targets=[
            Target(
                f"AWS calls of a sweep with nothing new, {jobs:,} known search jobs",
                "",
                calls[jobs, "later"].total(),
                3,
            )
            for jobs in taken
        ],
        notes=[_NOTE],
        numbers={
            "calls": {f"{jobs} {which}": dict(counted) for (jobs, which), counted in calls.items()},
            "first_cpu_seconds": {str(jobs): asdict(value) for jobs, value in first.items()},
            "later_cpu_seconds": {str(jobs): asdict(value) for jobs, value in later.items()},
            "start_cpu_seconds": {str(jobs): asdict(value) for jobs, value in start.items()},
            "peak_mebibytes": {str(jobs): asdict(value) for jobs, value in peak.items()},
        },
    )
