"""An HTTP server on the loopback, for the servers of the simulators, the fault tests and the benchmarks."""

import socketserver
import sys
from http.server import ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """Serves each connection in a thread, asks no name server, and ignores a client that closes its connection."""

    daemon_threads = True
    request_queue_size = 128

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.server_name}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without looking up the name of the host, which may ask a name server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an error, unless the client closed its connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
