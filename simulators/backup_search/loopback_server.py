"""An HTTP/1.1 server on 127.0.0.1 that passes requests to a function, and resets or cuts a connection on demand.

It is the standard library's, not Werkzeug's: WSGI hides the connection.
"""

import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from simulators.backup_search.protocol import Reply, Request
from simulators.quiet_server import QuietServer

_HOST = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, without time to linger: closing such a socket sends RST


class LoopbackServer:
    """Listens from its construction, answers from ``start`` to ``stop``; many threads call ``answer``."""

    def __init__(self, answer: Callable[[Request], Reply], port: int) -> None:
        self._server = _Server(answer, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://{_HOST}:{self._server.server_port}"

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End the kept-alive connections, wait for what is being answered, and close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.end_connections()
        self._server.server_close()


class _Server(QuietServer):
    def __init__(self, answer: Callable[[Request], Reply], port: int) -> None:
        self.answer = answer
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((_HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        is_reset = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET)) == _RESET
        (self.close_request if is_reset else super().shutdown_request)(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def end_connections(self) -> None:
        with self._changed:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RD)
                except OSError:
                    continue  # the client was first
            self._changed.wait_for(lambda: not self._connections, timeout=5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "backup-simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet
    server: _Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = f"http://{_HOST}{self.path}"
        reply = self.server.answer(Request.from_primitives(self.command, url, self.headers, body))
        self.close_connection |= reply.is_reset or reply.is_truncated
        if reply.is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return
        self.send_response(reply.status)
        headers = {**reply.headers, "Content-Type": "application/json", "Content-Length": str(len(reply.body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.is_truncated else reply.body)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - http.server finds them by these names

    def log_message(self, *_: Any) -> None:
        pass  # the request log says more
