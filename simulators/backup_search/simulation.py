"""The simulated account as Python code uses it: what a test or a demo adds, changes and looks at, without HTTP."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulators.backup_search.account import Account, Clock, MovableClock, utc_now
from simulators.backup_search.backup import Backup
from simulators.backup_search.backup_search import BackupSearch
from simulators.backup_search.dispatch import Dispatcher, RecordedRequest
from simulators.backup_search.plans import Plan, Selection
from simulators.backup_search.scenario import Scenario, by_name
from simulators.backup_search.scenario_files import checked
from simulators.backup_search.scenario_points import recovery_points
from simulators.backup_search.snapshots import Snapshots
from simulators.backup_search.vault import RecoveryPointGroup, Vault

PutEvent = Callable[[Mapping[str, Any]], object]
"""Puts an event on a bus; it gets an entry of PutEvents."""

_logger = logging.getLogger(__name__)


class Simulation:
    """AWS Backup, its vaults and its search, and what EC2 says of snapshots.

    Methods raise a ScenarioError for a value that is not possible or that AWS's model does not know, and a KeyError for
    a name or an ARN that does not exist.

    Args:
        scenarios: The courses of search jobs.
        clock: Returns the time, an aware datetime in UTC.
        account: The account's id, twelve digits.
        region: The Region of all ARNs.
        enforce_quotas: Whether service quotas hold.
        recovery_points_per_search_job: How many recovery points a search that looks into the vaults takes, if quotas
            hold; None for any number. AWS's default is 20; what it does with more is unknown (aws-facts.md §2), here
            the first ones are taken.
        index_takes: How long an index is PENDING, or DELETING, after UpdateRecoveryPointIndexSettings.
    """

    def __init__(  # noqa: PLR0913 - all of them by keyword
        self,
        *,
        scenarios: Iterable[Scenario] = (),
        clock: Clock = utc_now,
        account: str = "000000000000",
        region: str = "us-east-1",
        enforce_quotas: bool = True,
        recovery_points_per_search_job: int | None = None,
        index_takes: timedelta = timedelta(seconds=5),
    ) -> None:
        self.account = Account(
            MovableClock(clock),
            account,
            region,
            enforce_quotas,
            recovery_points_per_search_job=recovery_points_per_search_job,
            index_takes=index_takes,
        )
        self._put_event: PutEvent = lambda _event: None
        self._search = BackupSearch(self.account)
        self._backup = Backup(self.account)
        services = (self._search, self._backup, Snapshots(self.account))
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._dispatcher = Dispatcher(services, self.account, self._lock, self._stopping.wait)
        self.faults = self._dispatcher.faults
        for scenario in by_name(scenarios).values():
            self.add_scenario(scenario)

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The latest requests (10,000 at most), oldest first; the control path's are not among them."""
        return tuple(self._dispatcher.log.copy())

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._dispatcher.log.clear()

    def send_nulls(self, *, on: bool = True) -> None:
        """Send optional members that are not there as explicit nulls from now on, or leave them out again."""
        self.account.sends_nulls = on

    def add_scenario(self, scenario: Scenario) -> None:
        """Add a scenario, or replace the one of the same name; jobs that exist keep the one they started with."""
        scenario = self._checked(scenario)
        with self._lock:
            now = self.account.clock()
            ended_ago = scenario.ended_ago
            self.account.fill_vaults(scenario, now if ended_ago is None else now - ended_ago - scenario.runs_for)
            self.account.scenarios[scenario.name] = scenario
            if ended_ago is not None:
                self.account.add_ended_job(scenario, ended_ago)

    def finish_job(
        self,
        scenario: str | Scenario,
        *,
        ended_ago: timedelta = timedelta(0),
        item_filters: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Add a search job that has ended, and return its identifier.

        Its scope is its scenario's. If the scenario has none, the scope covers only the backups of the scenario, and
        the vaults hold exactly its backups, listed or not.

        Args:
            scenario: Its name, or the scenario itself.
            ended_ago: How long ago the job ended.
            item_filters: ItemFilters, as in the API; None for the scenario's.
            tags: The tags of the job; None for the scenario's.
        """
        self._search.check_item_filters("item_filters", item_filters or {})
        scenario = self.account.scenarios[scenario] if isinstance(scenario, str) else self._checked(scenario)
        with self._lock:
            if scenario not in self.account.scenarios.values():
                self.account.fill_vaults(scenario, self.account.clock() - ended_ago - scenario.runs_for)
            job = self.account.add_ended_job(scenario, ended_ago)
            job = replace(
                job,
                item_filters=job.item_filters if item_filters is None else item_filters,
                tags=job.tags if tags is None else tags,
            )
            return self.account.search_jobs.add(job).identifier

    def search_scope(self, scenario: str | Scenario) -> dict[str, Any]:
        """Return the SearchScope to call StartSearchJob with for a scenario: its own, or one for just its backups."""
        if isinstance(scenario, str):
            scenario = self.account.scenarios[scenario]
        with self._lock:
            return self.account.search_scope(scenario, self.account.clock())

    def add_plan(self, plan_id: str, content: Mapping[str, Any], selections: Iterable[Selection] = ()) -> None:
        """Add a backup plan, or replace it as UpdateBackupPlan would.

        Args:
            plan_id: BackupPlanId.
            content: A BackupPlan as CreateBackupPlan takes it.
            selections: What it makes backups of from now on, one per source, rule and day.
        """
        where = f"plan {plan_id!r}"
        plan = checked(Plan, Plan(id=plan_id, content=content, selections=tuple(selections)), where)
        self._backup.check_plan(where, plan)
        with self._lock:
            self.account.plan_runs.run(self.account.clock())
            self.account.put_plan(plan)

    def delete_plan(self, plan_id: str) -> None:
        """Delete a backup plan; GetBackupPlan still shows it."""
        with self._lock:
            self.account.plans[plan_id].deleted_at = self.account.clock()

    def fail_indexes(self, *sources: str, message: str | None = None) -> None:
        """Let the indexes of these sources' backups fail from now on, and those of all others be made.

        Args:
            sources: ARNs of sources.
            message: IndexStatusMessage; None for that of AWS's example.
        """
        with self._lock:
            self.account.indexing.failures = dict.fromkeys(sources, message)

    def send_events(self, put: PutEvent) -> None:
        """Have ``put`` called with each event of AWS Backup from now on.

        It gets the entry of a PutEvents, with Detail as text. What it raises is logged, and the event is lost: AWS
        sends events "in a best-effort manner".
        """
        self._put_event = put

    def add_vault(self, vault: Vault) -> None:
        """Add a vault, or its recovery points to the vault of the same name."""
        where = f"vault {vault.name!r}"
        vault = checked(Vault, vault, where)
        self._backup.check(where, vault)
        with self._lock:
            self.account.vaults.add(vault, self.account.clock(), self.account.names)

    def add_recovery_points(self, vault: str, *groups: RecoveryPointGroup) -> None:
        """Add recovery points to a vault."""
        stored = self.account.vaults.named(vault)
        if stored is None:
            raise KeyError(vault)
        self.add_vault(Vault(vault, groups, stored.type))

    def delete_recovery_point(self, arn: str) -> None:
        """Delete a recovery point; search jobs that list it still list it."""
        with self._lock:
            self.account.vaults.delete(arn, self.account.clock())

    def move_clock(self, forward: timedelta) -> datetime:
        """Move the simulator's clock forward, and return the new time; plans make their backups meanwhile."""
        with self._lock:
            self.account.clock.move(forward)
        self.keep_up()
        return self.account.clock()

    def keep_up(self) -> None:
        """Do what is due by now: backups of plans, and events."""
        with self._lock:
            now = self.account.clock()
            self.account.plan_runs.run(now)
            due = self.account.indexing.due_events(now)
        for event in due:
            try:
                self._put_event({**event, "Detail": json.dumps(event["Detail"])})
            except Exception:
                _logger.exception("An event of AWS Backup was lost.")

    def _checked(self, scenario: Scenario) -> Scenario:
        scenario = checked(Scenario, scenario, scenario.where)
        self._search.check(scenario)
        for number, plan in enumerate(scenario.plans, 1):
            self._backup.check_plan(f"{scenario.where}: plans[{number}]", plan)
        for number, vault in enumerate(scenario.vaults, 1):
            self._backup.check(f"{scenario.where}: vaults[{number}]", vault)
        for name, groups in recovery_points(scenario).items():
            self._backup.check(f"{scenario.where}: vault", Vault(name, tuple(groups)))
        return scenario
