"""The simulation behind an HTTP server on 127.0.0.1, with a control path beside the services."""

import traceback
from typing import Any, Self

from simulators.backup_search.control import CONTROL_PATH, control
from simulators.backup_search.loopback_server import LoopbackServer
from simulators.backup_search.protocol import Reply, Request
from simulators.backup_search.simulation import Simulation


class BackupSimulator(Simulation):
    """A :class:`Simulation` that SDKs can call. Signatures and permissions are not checked.

    Listens from its construction; answers between ``start`` and ``stop``, or in a ``with`` block.

    Args:
        port: The port; 0 for any free one.
        **options: The arguments of :class:`Simulation`.

    Raises:
        OSError: The port is not available.

    Example:
        >>> with BackupSimulator(scenarios=[Scenario("tidy", backups=(BackupGroup(count=3),))]) as simulator:
        ...     identifier = simulator.finish_job("tidy")
        ...     client = boto3.client("backupsearch", endpoint_url=simulator.endpoint_url)
    """

    def __init__(self, *, port: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self._server = LoopbackServer(self.answer, port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """The ``endpoint_url`` for an SDK."""
        return self._server.url

    def start(self) -> None:
        """Start to answer."""
        self._server.start()

    def stop(self) -> None:
        """End what is in progress, and close the port."""
        self._stopping.set()
        self._server.stop()

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request; the server calls this, and a test that needs no socket."""
        try:
            self.keep_up()
            is_control = request.path.startswith(CONTROL_PATH)
            return control(self, request) if is_control else self._dispatcher.answer(request)
        except Exception as error:
            # A client must get an answer whatever happens here, and the developer the place.
            traceback.print_exc()
            return Reply.of_json({"message": f"The simulator is broken: {error!r}"}, status=500)
