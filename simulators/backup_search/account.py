"""The one AWS account behind all simulated services: its clock, its scenarios, its search jobs, its vaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.backup_search.scenario import UNKNOWN_NAME, Scenario
from simulators.backup_search.scope import Scope
from simulators.backup_search.search_jobs import Clock, SearchJob, SearchJobs
from simulators.backup_search.selection import selected
from simulators.backup_search.stocks import Stocks
from simulators.backup_search.vaults import Vaults

_NOT_ALL = "The search contained recovery points that could not be scanned."


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


@dataclass(slots=True)
class Wire:
    """How answers are written.

    Attributes:
        nulls: Whether an optional member that is not there goes out as an explicit null, which AWS Backup does at
            times (aws-facts.md §7), and is not left out.
    """

    nulls: bool = False


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
        vaults: The vaults.
        stocks: What the vaults hold for the scenarios.
        recovery_points_per_search_job: How many recovery points a search takes at most where quotas hold; None for any
            number. AWS's default is 20, and what it does with more is unknown (aws-facts.md §2).
        index_takes: How long making or deleting an index takes.
        wire: How answers are written.
    """

    clock: MovableClock
    account_id: str = "000000000000"
    region: str = "us-east-1"
    enforce_quotas: bool = True
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    search_jobs: SearchJobs = field(default_factory=SearchJobs)
    vaults: Vaults = field(default_factory=Vaults)
    stocks: Stocks = field(default_factory=Stocks)
    recovery_points_per_search_job: int | None = None
    index_takes: timedelta = timedelta(seconds=5)
    wire: Wire = field(default_factory=Wire)

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

    def fill_vaults(self, scenario: Scenario, at: datetime) -> None:
        """Puts what a scenario's vaults hold into the account, in place of what a scenario of this name put there.

        Args:
            scenario: The scenario.
            at: What its spans count back from.
        """
        owner = f"scenario {scenario.name}"
        self.vaults.remove(owner)
        for vault in scenario.vaults:
            self.vaults.add(vault, at, self.names, owner)

    def add_ended_job(self, scenario: Scenario, ended_ago: timedelta) -> SearchJob:
        """Adds a search job that has run as its scenario says, and ended so long ago."""
        created_at = self.clock() - ended_ago - scenario.runs_for
        return self.search_jobs.add(self.search_job(scenario, created_at, None))

    def search_job(self, scenario: Scenario, created_at: datetime, scope: Mapping[str, Any] | None) -> SearchJob:
        """Returns a search job: it lists what its scenario says, or what it finds in the vaults.

        Args:
            scenario: What becomes of it.
            created_at: Its creation.
            scope: SearchScope; None for the scenario's own.
        """
        if scope is None:
            scope = self.search_scope(scenario, created_at)
        names: Mapping[str, str] = {}
        if scenario is UNKNOWN_NAME or scenario.selects:
            scenario = self._found(scenario, scope, created_at)
        else:
            names = self.stocks.of(scenario, created_at, self.vaults, self.names).names
        return SearchJob(scenario=scenario, name=scenario.name, created_at=created_at, search_scope=scope, names=names)

    def search_scope(self, scenario: Scenario, created_at: datetime) -> dict[str, Any]:
        """Returns the SearchScope of a scenario: its own, or one that means just its backups."""
        scope = scenario.scope
        if scope is None and not scenario.selects:
            scope = self.stocks.of(scenario, created_at, self.vaults, self.names).scope(created_at)
        return (scope or Scope()).search_scope(scenario.resource_type, created_at, self.names)

    def _found(self, scenario: Scenario, scope: Mapping[str, Any], at: datetime) -> Scenario:
        most = self.recovery_points_per_search_job if self.enforce_quotas else None
        backups = selected(self.vaults, scope, at, most)
        if not backups:
            return replace(
                UNKNOWN_NAME,
                name=scenario.name,
                resource_type=scope["BackupResourceTypes"][0],
                runs_for=scenario.runs_for,
                stops_for=scenario.stops_for,
            )
        if scenario is UNKNOWN_NAME:
            scenario = Scenario(scenario.name)
        whole = all(group.status == "COMPLETED" and group.status_message is None for group in backups)
        return replace(
            scenario,
            backups=backups,
            resource_type=scope["BackupResourceTypes"][0],
            status_message=scenario.status_message or (None if whole else _NOT_ALL),
        )
