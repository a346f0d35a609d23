"""The one AWS account behind all simulated services: its clock, its scenarios, its search jobs, its vaults."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.backup_search.indexing import Indexing
from simulators.backup_search.page_tokens import PageTokens
from simulators.backup_search.plan_runs import PlanRuns
from simulators.backup_search.plans import Plan, Plans, StoredPlan, plan_arn
from simulators.backup_search.scenario import UNKNOWN_NAME, Scenario, Scope
from simulators.backup_search.scenario_points import PointsByScenario
from simulators.backup_search.search_jobs import SearchJob, SearchJobs
from simulators.backup_search.selection import selected
from simulators.backup_search.vaults import Vaults

_NOT_ALL = "The search contained recovery points that could not be scanned."

Clock = Callable[[], datetime]
"""Returns the time: an aware datetime in UTC."""


def utc_now() -> datetime:
    """Return the time of the machine, UTC."""
    return datetime.now(UTC)


class MovableClock:
    """A clock that can be moved forward, on top of another one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time."""
        return self._clock() + self._ahead

    def move(self, forward: timedelta) -> None:
        """Move the clock; a ValueError refuses to move it back."""
        if forward < timedelta(0):
            raise ValueError(f"the clock can only be moved forward, not by {forward.total_seconds()} seconds")
        self._ahead += forward


@dataclass(slots=True)
class Account:
    """The state that the services share. Most arguments are those of ``Simulation``.

    With ``sends_nulls`` an answer carries an optional member that is not there as an explicit null, which AWS Backup
    does at times (aws-facts.md §7), instead of leaving it out.
    """

    clock: MovableClock
    account_id: str = "000000000000"
    region: str = "us-east-1"
    enforce_quotas: bool = True
    recovery_points_per_search_job: int | None = None
    index_takes: timedelta = timedelta(seconds=5)
    sends_nulls: bool = False
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    search_jobs: SearchJobs = field(default_factory=SearchJobs)
    plans: Plans = field(default_factory=Plans)
    tokens: PageTokens = field(default_factory=PageTokens)
    vaults: Vaults = field(init=False)
    indexing: Indexing = field(init=False)
    plan_runs: PlanRuns = field(init=False)
    points: PointsByScenario = field(init=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{12}", self.account_id):
            raise ValueError(f"the account must be twelve digits, not {self.account_id!r}")
        if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", self.region):
            raise ValueError(f"the Region must look like us-east-1, not {self.region!r}")
        self.vaults = Vaults(self.plans)
        self.indexing = Indexing(self.index_takes)
        self.plan_runs = PlanRuns(self.plans, self.vaults, self.indexing, self.names)
        self.points = PointsByScenario(self.vaults, self.names)

    @property
    def names(self) -> Mapping[str, str]:
        """What ``{account}`` and ``{region}`` stand for in a scenario."""
        return {"account": self.account_id, "region": self.region}

    def search_job_arn(self, identifier: str) -> str:
        """Return the ARN of a search job."""
        return f"arn:aws:backup-search:{self.region}:{self.account_id}:search-job/{identifier}"

    def put_plan(self, plan: Plan) -> None:
        """Add a backup plan, or replace it as UpdateBackupPlan would, and what it makes backups of."""
        now = self.clock()
        if plan.id not in self.plans:
            self.plans[plan.id] = StoredPlan(plan.id, plan_arn(plan.id, self.names), now)
        self.plans[plan.id].selections = plan.selections
        self.plans[plan.id].update(plan.content, now)

    def scenario_of(self, name: str | None) -> Scenario:
        """Return the scenario of a search job of this name; without one the job fails at once."""
        return self.scenarios.get(name or "", UNKNOWN_NAME)

    def fill_vaults(self, scenario: Scenario, at: datetime) -> None:
        """Add the plans and the vaults of a scenario, and remove the vaults that one of this name added before.

        Its spans count back from ``at``.
        """
        for plan in scenario.plans:
            self.put_plan(plan)
        owner = f"scenario {scenario.name}"
        self.vaults.remove(owner)
        for vault in scenario.vaults:
            self.vaults.add(vault, at, self.names, owner)

    def add_ended_job(self, scenario: Scenario, ended_ago: timedelta) -> SearchJob:
        """Add a search job that has run as its scenario says, and ended so long ago."""
        created_at = self.clock() - ended_ago - scenario.runs_for
        return self.search_jobs.add(self.search_job(scenario, created_at, None))

    def search_job(self, scenario: Scenario, created_at: datetime, scope: Mapping[str, Any] | None) -> SearchJob:
        """Return a search job: it lists what its scenario says, or what it finds in the vaults.

        ``scope`` is its SearchScope; None stands for the scenario's own.
        """
        if scope is None:
            scope = self.search_scope(scenario, created_at)
        names: Mapping[str, str] = {}
        item_filters, tags = scenario.item_filters, scenario.tags
        if scenario is UNKNOWN_NAME or scenario.selects:
            scenario = self._found(scenario, scope, created_at)
        else:
            names = self.points.of(scenario, created_at).names
        return SearchJob(
            scenario=scenario,
            name=scenario.name,
            created_at=created_at,
            search_scope=scope,
            item_filters=item_filters,
            tags=tags,
            names=names,
        )

    def search_scope(self, scenario: Scenario, created_at: datetime) -> dict[str, Any]:
        """Return the SearchScope of a scenario: its own, or one that covers only its backups."""
        scope = scenario.scope
        if scope is None and not scenario.selects:
            scope = self.points.of(scenario, created_at).scope(created_at)
        return (scope or Scope()).search_scope(scenario.resource_type, created_at, self.names)

    def _found(self, scenario: Scenario, scope: Mapping[str, Any], at: datetime) -> Scenario:
        most = self.recovery_points_per_search_job if self.enforce_quotas else None
        backups = selected(self.vaults, scope, at, most)
        resource_type = scope["BackupResourceTypes"][0]
        if not backups:
            return replace(
                UNKNOWN_NAME,
                name=scenario.name,
                resource_type=resource_type,
                runs_for=scenario.runs_for,
                stops_for=scenario.stops_for,
            )
        if scenario is UNKNOWN_NAME:
            scenario = Scenario(scenario.name)
        whole = all(group.status == "COMPLETED" and group.status_message is None for group in backups)
        message = scenario.status_message or (None if whole else _NOT_ALL)
        found = replace(scenario, backups=backups, resource_type=resource_type, status_message=message)
        results = (group for group in scenario.results if group.backup <= found.rows)
        searched = tuple(group for group in results if found.row(group.backup)[0].status == "COMPLETED")
        return replace(found, results=searched)
