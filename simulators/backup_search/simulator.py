"""The simulator: services over one account, faults in between, a control path beside them, a server in front."""

import threading
import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self

from simulators.backup_search.account import Account, MovableClock, utc_now
from simulators.backup_search.backup import Backup
from simulators.backup_search.backup_search import BackupSearch
from simulators.backup_search.control import CONTROL_PATH, Control
from simulators.backup_search.dispatch import Dispatcher, SimulatedService
from simulators.backup_search.faults import Breakable, Faults
from simulators.backup_search.loopback_server import LoopbackServer
from simulators.backup_search.page_tokens import PageTokens
from simulators.backup_search.protocol import Reply, Request
from simulators.backup_search.request_log import RecordedRequest, RequestLog
from simulators.backup_search.scenario import Scenario, by_name
from simulators.backup_search.search_jobs import Clock
from simulators.backup_search.snapshots import Snapshots
from simulators.backup_search.stocks import recovery_points
from simulators.backup_search.vault import RecoveryPointGroup, Vault


class BackupSimulator:
    """Imitates AWS Backup, its vaults and its search, and what EC2 says of snapshots, on 127.0.0.1.

    Signatures are not checked. Listens from its construction; answers between ``start`` and ``stop``, or in a ``with``
    block.

    Args:
        scenarios: What becomes of search jobs, by their names.
        clock: Gives the time, an aware datetime in UTC.
        account: The account's id, twelve digits.
        region: The Region of all ARNs.
        port: The port; 0 for any free one.
        enforce_quotas: Whether service quotas hold.
        recovery_points_per_search_job: How many recovery points a search that looks into the vaults takes at most, if
            quotas hold; None for any number. AWS's default is 20; what it does with more is unknown, here the first
            ones are taken.
        index_takes: How long an index is PENDING, or DELETING, once UpdateRecoveryPointIndexSettings asked for it.

    Attributes:
        faults: What goes wrong.

    Raises:
        ScenarioError: A scenario is wrong.
        ValueError: ``account`` or ``region`` cannot be.
        OSError: The port cannot be had.

    Example:
        >>> with BackupSimulator(scenarios=[Scenario("tidy", backups=(BackupGroup(count=3),))]) as simulator:
        ...     identifier = simulator.finish_job("tidy")
        ...     client = boto3.client("backupsearch", endpoint_url=simulator.endpoint_url)
    """

    def __init__(  # noqa: PLR0913 - all of them by keyword
        self,
        *,
        scenarios: Iterable[Scenario] = (),
        clock: Clock = utc_now,
        account: str = "000000000000",
        region: str = "us-east-1",
        port: int = 0,
        enforce_quotas: bool = True,
        recovery_points_per_search_job: int | None = None,
        index_takes: timedelta = timedelta(seconds=5),
    ) -> None:
        tokens = PageTokens()
        self._account = Account(
            MovableClock(clock),
            account,
            region,
            enforce_quotas,
            recovery_points_per_search_job=recovery_points_per_search_job,
            index_takes=index_takes,
        )
        self._search = BackupSearch(self._account, tokens)
        self._backup = Backup(self._account, tokens)
        services: tuple[SimulatedService, ...] = (self._search, self._backup, Snapshots(self._account, tokens))
        self.faults = Faults(
            {
                name: Breakable(simulated.service.error_codes, simulated.service.input_members(name))
                for simulated in services
                for name in simulated.operations
            }
        )
        self._log = RequestLog()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._dispatcher = Dispatcher(
            services=services,
            tokens=tokens,
            faults=self.faults,
            log=self._log,
            clock=self._account.clock,
            lock=self._lock,
            pause=self._stopping.wait,
            wire=self._account.wire,
        )
        self._control = Control(self)
        for scenario in by_name(scenarios).values():
            self.add_scenario(scenario)
        self._server = LoopbackServer(self.answer, port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """What an SDK takes as ``endpoint_url``."""
        return self._server.url

    @property
    def account(self) -> Account:
        """The account behind the services."""
        return self._account

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The latest requests (10,000 at most), oldest first; the control path's are not among them."""
        return self._log.latest()

    def clear_requests(self) -> None:
        """Forgets the requests so far."""
        self._log.clear()

    def send_nulls(self, *, on: bool = True) -> None:
        """Sends optional members that are not there as explicit nulls from now on, or leaves them out again."""
        self._account.wire.nulls = on

    def start(self) -> None:
        """Starts to answer."""
        self._server.start()

    def stop(self) -> None:
        """Ends what is going on, and closes the port."""
        self._stopping.set()
        self._server.stop()

    def add_scenario(self, scenario: Scenario) -> None:
        """Adds a scenario, in place of one of the same name; jobs that there are keep the one they started with.

        Raises:
            ScenarioError: The scenario would send what the model does not know.
        """
        self._check(scenario)
        with self._lock:
            now = self._account.clock()
            ended_ago = scenario.ended_ago
            self._account.fill_vaults(scenario, now if ended_ago is None else now - ended_ago - scenario.runs_for)
            self._account.scenarios[scenario.name] = scenario
            if ended_ago is not None:
                self._account.add_ended_job(scenario, ended_ago)

    def finish_job(self, scenario: str | Scenario, *, ended_ago: timedelta = timedelta(0)) -> str:
        """Adds a search job that has ended, and returns its identifier.

        Its scope is its scenario's. If the scenario has none, the scope means just the backups of the scenario, and
        the vaults hold just what it lists, besides what is said not to be listed.

        Args:
            scenario: What became of it: a scenario, or the name of one that was added.
            ended_ago: How long ago it ended.

        Raises:
            KeyError: There is no scenario of this name.
            ScenarioError: The scenario would send what the model does not know.
        """
        if isinstance(scenario, str):
            scenario = self._account.scenarios[scenario]
        else:
            self._check(scenario)
        with self._lock:
            if scenario not in self._account.scenarios.values():
                self._account.fill_vaults(scenario, self._account.clock() - ended_ago - scenario.runs_for)
            return self._account.add_ended_job(scenario, ended_ago).identifier

    def search_scope(self, scenario: str | Scenario) -> dict[str, Any]:
        """Returns the SearchScope to call StartSearchJob with for a scenario: its own, or one for just its backups.

        Raises:
            KeyError: There is no scenario of this name.
        """
        if isinstance(scenario, str):
            scenario = self._account.scenarios[scenario]
        with self._lock:
            return self._account.search_scope(scenario, self._account.clock())

    def add_vault(self, vault: Vault) -> None:
        """Adds a vault, or what it holds to the vault of the same name.

        Raises:
            ScenarioError: It would send what the model does not know, or the vault that is there has another type.
        """
        self._backup.check(f"vault {vault.name!r}", vault)
        with self._lock:
            self._account.vaults.add(vault, self._account.clock(), self._account.names)

    def add_recovery_points(self, vault: str, *groups: RecoveryPointGroup) -> None:
        """Adds recovery points to a vault.

        Raises:
            KeyError: There is no such vault.
            ScenarioError: They would send what the model does not know.
        """
        stored = self._account.vaults.named(vault)
        if stored is None:
            raise KeyError(vault)
        self.add_vault(Vault(vault, groups, stored.type))

    def delete_recovery_point(self, arn: str) -> None:
        """Deletes a recovery point; search jobs that list it go on listing it.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            self._account.vaults.delete(arn, self._account.clock())

    def move_clock(self, forward: timedelta) -> datetime:
        """Moves the simulator's clock forward, and returns the new time.

        Raises:
            ValueError: ``forward`` is negative.
        """
        with self._lock:
            self._account.clock.move(forward)
        return self._account.clock()

    def answer(self, request: Request) -> Reply:
        """Returns the reply to a request; what the server calls, and a way in without a socket."""
        try:
            controls = request.path.startswith(CONTROL_PATH)
            return self._control.answer(request) if controls else self._dispatcher.answer(request)
        except Exception as error:
            # A client must get an answer whatever happens here, and the developer the place.
            traceback.print_exc()
            return Reply.of_json({"message": f"The simulator is broken: {error!r}"}, status=500)

    def _check(self, scenario: Scenario) -> None:
        self._search.check(scenario)
        where = scenario.origin or f"scenario {scenario.name!r}"
        for number, vault in enumerate(scenario.vaults, 1):
            self._backup.check(f"{where}: vaults[{number}]", vault)
        for name, groups in recovery_points(scenario).items():
            self._backup.check(f"{where}: what vault {name!r} holds for its backups", Vault(name, tuple(groups)))
