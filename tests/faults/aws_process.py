"""AWS for one deployment: moto, the simulator and the proxy in front of them, in a process of their own."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from tests.invocation import ACCOUNT, REGION

if TYPE_CHECKING:
    from simulators.backup_search import BackupSimulator
    from tests.faults.proxy import Proxy

BUCKET, RESULTS_BUCKET = "reports-bucket", "results-bucket"
TABLE = "idempotency"
_BUCKETS = (BUCKET, RESULTS_BUCKET)


class AwsProcess:
    """The process. Its methods are those of `_Aws`, and of the proxy's `Recorder` and `Stops`."""

    def __init__(self) -> None:
        """Start it as a child of this process, which must have no threads yet."""
        self._line, theirs = multiprocessing.Pipe()
        self._process_id = os.fork()
        if not self._process_id:
            self._line.close()
            _serve(theirs)
            os._exit(0)
        theirs.close()
        self.url: str = self._line.recv()

    def __getattr__(self, method: str) -> Callable[..., Any]:

        def ask(*arguments: object) -> Any:
            self._line.send((method, arguments))
            return self._line.recv()

        return ask

    def stop(self) -> None:
        os.kill(self._process_id, signal.SIGKILL)
        os.waitpid(self._process_id, 0)


def _serve(line: Connection) -> None:
    # Imported here, so that the process which the functions are forked from stays small.
    from jsonpath_ng import ext as jsonpath  # noqa: PLC0415
    from moto import backends  # noqa: PLC0415
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

    from tests.faults.proxy import Proxy  # noqa: PLC0415
    from tests.planted_simulator import PlantedSimulator  # noqa: PLC0415

    # moto lists its folders with each request, and makes a parser for each event: once is enough.
    modules = list(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    vars(jsonpath).update(parse=cache(vars(jsonpath)["parse"]))
    with PlantedSimulator(account=ACCOUNT, region=REGION, enforce_quotas=False) as simulator:
        proxy = Proxy(DomainDispatcherApplication(create_backend_app), simulator.endpoint_url)
        places = (_Aws(proxy, simulator), proxy.recorder, proxy.stops)
        line.send(proxy.url)
        while True:
            try:
                method, arguments = line.recv()
            except EOFError:
                return
            place = next(place for place in places if hasattr(place, method))
            line.send(getattr(place, method)(*arguments))


class _Aws:
    """What AWS holds, read from memory: a request for each look would take half of the time."""

    def __init__(self, proxy: "Proxy", simulator: "BackupSimulator") -> None:
        self._proxy = proxy
        self._simulator = simulator
        self._kept: dict[str, dict[str, list[Any]]] = {}

    def finish_job(self, scenario: dict[str, Any]) -> str:
        from simulators.backup_search import BackupGroup, ResultGroup, Scenario  # noqa: PLC0415 - as above

        groups = tuple(BackupGroup(**group) for group in scenario["backups"])
        results = tuple(ResultGroup(**group) for group in scenario.get("results", ()))
        return self._simulator.finish_job(Scenario(scenario["name"], groups, results=results))

    def move_clock(self, seconds: float) -> None:
        self._simulator.move_clock(timedelta(seconds=seconds))

    def objects(self) -> dict[str, tuple[bytes, str]]:
        """Return the content and the version of each object of both buckets, which have no key in common."""
        from moto.s3.models import FakeDeleteMarker  # noqa: PLC0415 - as above

        buckets = _backend("s3", "aws").buckets
        latest = {name: keys[name] for keys in (buckets[name].keys for name in _BUCKETS) for name in list(keys)}
        return {
            name: (key.value, key.version_id) for name, key in latest.items() if not isinstance(key, FakeDeleteMarker)
        }

    def take_messages(self, name: str) -> list[dict[str, Any]]:
        queue = _backend("sqs", REGION).queues[name]
        taken, queue._messages = queue._messages, []
        return [json.loads(message.body) for message in taken]

    def add_vault(self, name: str, points: list[dict[str, Any]]) -> None:
        from simulators.backup_search import RecoveryPointGroup, Vault  # noqa: PLC0415 - as above

        self._simulator.add_vault(Vault(name, tuple(RecoveryPointGroup(**group) for group in points)))

    def add_plan(self, plan_id: str, content: dict[str, Any]) -> None:
        self._simulator.add_plan(plan_id, content)

    def make_index(self, recovery_point_arn: str) -> None:
        account = self._simulator.account
        found = account.vaults.find(recovery_point_arn, account.clock())
        assert found
        account.indexing.create(*found, account.clock() - account.index_takes)

    def keep(self) -> None:
        """Keep what the buckets hold, for `restore`."""
        buckets = _backend("s3", "aws").buckets
        self._kept = {name: {key: list(keys.getlist(key)) for key in keys} for name, keys in _keys_of(buckets)}

    def restore(self) -> None:
        """Let the buckets hold what they held, and empty the table."""
        self.empty()
        for name, keys in _keys_of(_backend("s3", "aws").buckets):
            for key, versions in self._kept[name].items():
                keys.setlist(key, list(versions))

    def empty(self) -> None:
        for name in _BUCKETS:
            _backend("s3", "aws").buckets[name].keys.clear()
        _table().items.clear()

    def let_pass(self, seconds: int) -> None:
        """Move every moment in the table back, as if time had passed."""
        for item in _table().items.values():
            for name in {"expiration", "announced_at"} & item.attrs.keys():
                item.attrs[name].value = str(float(item.attrs[name].value) - seconds)


def _keys_of(buckets: Any) -> list[tuple[str, Any]]:
    return [(name, buckets[name].keys) for name in _BUCKETS]


def _backend(service: str, region: str) -> Any:
    from moto.backends import get_backend  # noqa: PLC0415 - as above

    return get_backend(service)[ACCOUNT][region]  # type: ignore[call-overload]


def _table() -> Any:
    return _backend("dynamodb", REGION).tables[TABLE]
