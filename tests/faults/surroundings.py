"""AWS for one lane: moto, the simulator and the proxy in front of them, in a process of their own."""

import multiprocessing
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.faults.fault import Fault
from tests.invocation import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The addresses of this AWS, and the line to its recorder."""

    url: str
    quiet_url: str
    simulator_url: str
    has_vaults: bool
    process_id: int
    _line: Connection

    @classmethod
    def start(cls) -> "Surroundings":
        """Start it as a child of this process, which must have no threads yet."""
        ours, theirs = multiprocessing.Pipe()
        process_id = os.fork()
        if not process_id:
            ours.close()
            _serve(theirs)
            os._exit(0)
        theirs.close()
        url, quiet_url, simulator_url, has_vaults = ours.recv()
        return cls(url, quiet_url, simulator_url, has_vaults, process_id, ours)

    def watch(self, process_id: int, fault: Fault | None, throttle_every: int = 0) -> None:
        """Record the calls of this process from now on, and let one of them go wrong, or throttle every n-th."""
        self.ask("watch", process_id, fault, throttle_every)

    def calls(self) -> list[dict[str, Any]]:
        """Give the calls since then."""
        log: list[dict[str, Any]] = self.ask("calls")
        return log

    def ask(self, what: str, *details: object) -> Any:
        """Let the recorder do something, and give its answer."""
        self._line.send((what, details))
        return self._line.recv()

    def stop(self) -> None:
        """End it."""
        os.kill(self.process_id, signal.SIGKILL)
        os.waitpid(self.process_id, 0)


def _serve(line: Connection) -> None:
    # Here alone, so that the process which the functions are forked from stays small.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

    from simulators.backup_search import BackupSimulator  # noqa: PLC0415
    from tests.faults.proxy import Proxy  # noqa: PLC0415

    with BackupSimulator(account=ACCOUNT, region=REGION, enforce_quotas=False) as simulator:
        proxy = Proxy(DomainDispatcherApplication(create_backend_app), simulator.endpoint_url)
        has_vaults = "ListBackupVaults" in simulator.faults._operations
        line.send((proxy.url, proxy.quiet_url, simulator.endpoint_url, has_vaults))
        while True:
            try:
                what, details = line.recv()
            except EOFError:
                return
            line.send(getattr(proxy.recorder, what)(*details))
