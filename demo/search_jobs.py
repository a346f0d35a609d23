"""The demo's search jobs: started as a user would start them, and followed until each has its report."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.results import verdict_markup
from simulators.backup_search import BackupSimulator
from simulators.embedded_aws.errors import EmulatorError

_STOPPED_BY_HAND = "stopped-by-hand"
_STOP_AFTER_SECONDS = 5.0


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


def start(client: Any, simulator: BackupSimulator, names: list[str]) -> list[SearchJob]:
    """Start a search job per scenario.

    Args:
        client: A boto3 client of AWS Backup search.
        names: The scenarios of the simulator.
    """
    scopes = {name: simulator.search_scope(name) for name in names}
    answers = {name: client.start_search_job(Name=name, SearchScope=scope) for name, scope in scopes.items()}
    return [SearchJob(name, answer["SearchJobIdentifier"]) for name, answer in answers.items()]


def follow(
    jobs: list[SearchJob], client: Any, console: Console, verdicts: Callable[[], dict[str, str]], seconds: float
) -> None:
    """Show search jobs run, end and get their reports; stop one of them by hand after a few seconds.

    Args:
        verdicts: Returns the verdicts of the reports so far, by search job.
        seconds: The longest time to wait.

    Raises:
        EmulatorError: A search job has no report in time.
    """
    started = time.monotonic()
    to_stop = [job for job in jobs if job.name == _STOPPED_BY_HAND]
    with Live(console=console, refresh_per_second=4) as live:
        while not all(job.verdict for job in jobs):
            elapsed = time.monotonic() - started
            if elapsed > seconds:
                missing = ", ".join(job.name for job in jobs if not job.verdict)
                raise EmulatorError(f"after {seconds:.0f} s there is no report of {missing}: see out/emulator.")
            if elapsed > _STOP_AFTER_SECONDS and to_stop:
                client.stop_search_job(SearchJobIdentifier=to_stop.pop().identifier)
            reported = verdicts()
            for job in jobs:
                job.status = client.get_search_job(SearchJobIdentifier=job.identifier)["Status"]
                job.verdict = reported.get(job.identifier, "")
            live.update(_table(jobs, elapsed))
            time.sleep(0.5)
    console.print()


def _table(jobs: list[SearchJob], elapsed: float) -> Table:
    table = Table("search job", "status", "report", caption=f"{elapsed:.0f} s", caption_justify="left")
    for job in jobs:
        ended = job.status not in {"RUNNING", "STOPPING"}
        waiting = "[dim]waiting for the next sweep[/]" if ended else ""
        table.add_row(job.name, job.status, verdict_markup(job.verdict) if job.verdict else waiting)
    return table
