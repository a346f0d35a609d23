"""The demo's search jobs: started as a user would start them, and followed until each has its report."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from search_coverage.coverage.verdict import Verdict
from search_coverage.report.wording import verdict_in_words
from simulators.backup_search import Scenario
from simulators.embedded_aws.errors import EmulatorError

_STOP_AFTER_SECONDS = 5.0
_VERDICT_STYLES = {Verdict.COMPLETE: "green", Verdict.PARTIAL: "yellow", Verdict.NONE: "red"}


def shown_verdict(code: str) -> str:
    """Give a verdict as people read it, in its colour, in rich's markup.

    Args:
        code: The verdict as files have it.
    """
    verdict = Verdict(code)
    return f"[{_VERDICT_STYLES[verdict]}]{verdict_in_words(verdict)}[/]"


@dataclass(slots=True)
class _SearchJob:
    name: str
    identifier: str
    status: str = "RUNNING"
    verdict: str = ""


class DemoSearchJobs:
    """Search jobs, one a scenario."""

    def __init__(
        self,
        client: Any,
        scenarios: Sequence[Scenario],
        *,
        scope_of: Callable[[Scenario], dict[str, Any]],
        stopped: str,
    ) -> None:
        """Take what to start.

        Args:
            client: A boto3 client of AWS Backup search.
            scenarios: The stories, one a search job.
            scope_of: Gives the SearchScope that the search job of a scenario is started with.
            stopped: The scenario whose search job is stopped by hand after a few seconds.
        """
        self._client = client
        self._scenarios = scenarios
        self._scope_of = scope_of
        self._stopped = stopped
        self._jobs: list[_SearchJob] = []

    def start(self) -> None:
        """Start them all."""
        for scenario in self._scenarios:
            answer = self._client.start_search_job(Name=scenario.name, SearchScope=self._scope_of(scenario))
            self._jobs.append(_SearchJob(scenario.name, answer["SearchJobIdentifier"]))

    def follow(self, console: Console, verdicts: Callable[[], dict[str, str]], *, seconds: float) -> None:
        """Show them run, end and get their reports.

        Args:
            console: Where to.
            verdicts: Gives the verdicts of the reports so far, by search job.
            seconds: How long to wait at most.

        Raises:
            EmulatorError: A search job has no report in time.
        """
        started = time.monotonic()
        stopped = False
        with Live(console=console, refresh_per_second=4) as live:
            while not all(job.verdict for job in self._jobs):
                elapsed = time.monotonic() - started
                if elapsed > seconds:
                    missing = ", ".join(job.name for job in self._jobs if not job.verdict)
                    raise EmulatorError(f"after {seconds:.0f} s there is no report of {missing}: see out/emulator.")
                if elapsed > _STOP_AFTER_SECONDS and not stopped:
                    self._stop()
                    stopped = True
                self._look(verdicts())
                live.update(self._table(elapsed))
                time.sleep(0.5)
        console.print()

    def _stop(self) -> None:
        for job in self._jobs:
            if job.name == self._stopped:
                self._client.stop_search_job(SearchJobIdentifier=job.identifier)

    def _look(self, verdicts: dict[str, str]) -> None:
        for job in self._jobs:
            job.status = self._client.get_search_job(SearchJobIdentifier=job.identifier)["Status"]
            job.verdict = verdicts.get(job.identifier, "")

    def _table(self, elapsed: float) -> Table:
        table = Table("search job", "status", "report", caption=f"{elapsed:.0f} s", caption_justify="left")
        for job in self._jobs:
            ended = job.status not in {"RUNNING", "STOPPING"}
            waiting = "[dim]waiting for the next sweep[/]" if ended else ""
            table.add_row(job.name, job.status, shown_verdict(job.verdict) if job.verdict else waiting)
        return table
