"""The one AWS account behind all simulated services: its clock, its scenarios, its search jobs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from local.backup_simulator.scenario import UNKNOWN_NAME, Scenario
from local.backup_simulator.search_jobs import Clock, SearchJob, SearchJobs


def utc_now() -> datetime:
    """Returns the time of the machine, UTC."""
    return datetime.now(UTC)


class MovableClock:
    """A clock that can be moved forward, on top of another one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Returns the time."""
        return self._clock() + self._ahead

    def move(self, forward: timedelta) -> None:
        """Moves the clock.

        Raises:
            ValueError: ``forward`` is negative; time does not run back.
        """
        if forward < timedelta(0):
            raise ValueError(f"the clock can only be moved forward, not by {forward.total_seconds()} seconds")
        self._ahead += forward


@dataclass(frozen=True, slots=True)
class Account:
    """What the services share.

    Attributes:
        clock: The time of the account.
        account_id: Twelve digits.
        region: The Region of everything in it.
        enforce_quotas: Whether service quotas hold.
        scenarios: What becomes of a search job, by its name.
        search_jobs: The search jobs.
    """

    clock: MovableClock
    account_id: str = "000000000000"
    region: str = "us-east-1"
    enforce_quotas: bool = True
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    search_jobs: SearchJobs = field(default_factory=SearchJobs)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{12}", self.account_id):
            raise ValueError(f"the account must be twelve digits, not {self.account_id!r}")
        if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", self.region):
            raise ValueError(f"the Region must look like us-east-1, not {self.region!r}")

    @property
    def names(self) -> Mapping[str, str]:
        """What ``{account}`` and ``{region}`` stand for in a scenario."""
        return {"account": self.account_id, "region": self.region}

    def search_job_arn(self, identifier: str) -> str:
        """Returns the ARN of a search job."""
        return f"arn:aws:backup-search:{self.region}:{self.account_id}:search-job/{identifier}"

    def scenario_of(self, name: str | None) -> Scenario:
        """Returns what becomes of a search job of this name; without such a scenario it fails at once."""
        return self.scenarios.get(name or "", UNKNOWN_NAME)

    def add_ended_job(self, scenario: Scenario, ended_ago: timedelta) -> SearchJob:
        """Adds a search job that has run as its scenario says, and ended so long ago."""
        return self.search_jobs.add(
            SearchJob(
                scenario=scenario,
                name=scenario.name,
                created_at=self.clock() - ended_ago - scenario.runs_for,
                search_scope={"BackupResourceTypes": [scenario.resource_type]},
            )
        )
