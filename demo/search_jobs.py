"""The demo's search jobs: started as a user would start them, and followed until each has its report."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.deployed_stack import DeployedStack
from demo.results import verdict_markup
from simulators.backup_search import BackupSimulator, Scenario
from simulators.embedded_aws.errors import EmulatorError

_STOPPED_BY_HAND = "stopped-by-hand"
_STOP_AFTER_SECONDS = 5.0
_REPORT_SECONDS = 150.0


@dataclass(slots=True)
class SearchJob:
    """A search job.

    Attributes:
        verdict: That of its report; empty until there is one.
    """

    name: str
    identifier: str
    status: str = "RUNNING"
    verdict: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.status not in {"RUNNING", "STOPPING"}


def start(client: Any, simulator: BackupSimulator, scenarios: Iterable[Scenario]) -> list[SearchJob]:
    """Start a search job per scenario, with its question and its tags.

    Args:
        client: A boto3 client of AWS Backup search.
    """
    return [
        SearchJob(
            scenario.name,
            client.start_search_job(
                Name=scenario.name,
                SearchScope=simulator.search_scope(scenario.name),
                ItemFilters=scenario.item_filters,
                Tags=scenario.tags,
            )["SearchJobIdentifier"],
        )
        for scenario in scenarios
    ]


def start_again(client: Any, job: SearchJob) -> SearchJob:
    """Start a search job with the scope, the item filters and the tags of another one: the same question."""
    asked = client.get_search_job(SearchJobIdentifier=job.identifier)
    tags = client.list_tags_for_resource(ResourceArn=asked["SearchJobArn"])["Tags"]
    started = client.start_search_job(
        Name=job.name, SearchScope=asked["SearchScope"], ItemFilters=asked["ItemFilters"], Tags=tags
    )
    return SearchJob(job.name, started["SearchJobIdentifier"])


def follow(
    jobs: list[SearchJob], client: Any, stack: DeployedStack, console: Console, *, at_once: bool = False
) -> None:
    """Show search jobs run, end and get their reports; stop one of them by hand after a few seconds.

    Args:
        client: A boto3 client of AWS Backup search.
        at_once: Run a sweep when all of them have ended, instead of waiting for the schedule.

    Raises:
        EmulatorError: A search job has no report in time.
    """
    started = time.monotonic()
    to_stop = [job for job in jobs if job.name == _STOPPED_BY_HAND]
    waiting = "being written" if at_once else "waiting for the next sweep"
    with Live(console=console, refresh_per_second=4) as live:
        while not all(job.verdict for job in jobs):
            elapsed = time.monotonic() - started
            if elapsed > _REPORT_SECONDS:
                missing = ", ".join(job.name for job in jobs if not job.verdict)
                raise EmulatorError(f"after {_REPORT_SECONDS:.0f} s there is no report of {missing}: see out/emulator.")
            if elapsed > _STOP_AFTER_SECONDS and to_stop:
                client.stop_search_job(SearchJobIdentifier=to_stop.pop().identifier)
            reported = stack.verdicts()
            for job in jobs:
                job.status = client.get_search_job(SearchJobIdentifier=job.identifier)["Status"]
                job.verdict = reported.get(job.identifier, "")
            live.update(_table(jobs, elapsed, waiting))
            if at_once and all(job.has_ended for job in jobs):
                stack.sweep()
                at_once = False
            time.sleep(0.5)
    console.print()


def _table(jobs: list[SearchJob], elapsed: float, waiting: str) -> Table:
    table = Table("search job", "status", "report", caption=f"{elapsed:.0f} s", caption_justify="left")
    for job in jobs:
        before = f"[dim]{waiting}[/]" if job.has_ended else ""
        table.add_row(job.name, job.status, verdict_markup(job.verdict) if job.verdict else before)
    return table
