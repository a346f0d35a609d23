"""A server in front of moto and the simulator that records every call, and makes one of them fail."""

import contextlib
import http.client
import io
import os
import signal
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.simple_server import WSGIRequestHandler

from werkzeug.wrappers import Response

from simulators.quiet_server import QuietServer
from tests.faults.call import TIMEOUT_HEADER, Request
from tests.faults.faults import Fault, Kind, error_answer
from tests.faults.stops import Stops

Answer = tuple[int, dict[str, str], bytes]
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Recorder:
    """The calls of the process that is watched, and their faults."""

    process_id: int = 0
    fault: Fault | None = None
    throttle_every: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    _calls: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, process_id: int, fault: Fault | None, throttle_every: int = 0) -> None:
        """Record the calls of a process from now on, and make one of them fail, or throttle every n-th."""
        with self._lock:
            self.process_id, self.fault, self.throttle_every = process_id, fault, throttle_every
            self.log.clear()
            self._calls.clear()

    def calls(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self.log)

    def take(self, request: Request) -> Kind | None:
        """Record a request, and return its fault."""
        key = request.service, request.operation
        with self._lock:
            calls = self._calls[key]
            is_new = request.invocation_id not in calls
            if is_new:
                calls.append(request.invocation_id)
            number = calls.index(request.invocation_id) + 1
            fault = self.fault
            hit = fault is not None and (fault.service, fault.operation, fault.number) == (*key, number)
            kind = fault.kind if fault and hit and (is_new or not fault.once) else None
            if self.throttle_every and len(self.log) % self.throttle_every == self.throttle_every - 1:
                kind = Kind.THROTTLED
            call = {"service": key[0], "operation": key[1], "number": number, "subject": request.subject}
            self.log.append({**call, "fault": kind})
            return kind


class Proxy(QuietServer):
    """The server."""

    def __init__(self, moto: Callable[..., Iterable[bytes]], simulator_url: str) -> None:
        self.recorder = Recorder()
        self.stops = Stops()
        self._moto = moto
        self._simulator = simulator_url.removeprefix("http://")
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base_environ = {
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server_port),
            "wsgi.url_scheme": "http",
        }
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients that die or hang up are what the faults are about."""

    def execute(self, request: Request, environ: dict[str, Any]) -> Answer:
        if not request.service.startswith("backup"):
            response = Response.from_app(self._moto, environ)
            return response.status_code, dict(response.headers), response.get_data()
        connection = http.client.HTTPConnection(self._simulator, timeout=30)
        with contextlib.closing(connection):
            connection.request(request.method, request.target, request.body, request.headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Proxy

    handle = BaseHTTPRequestHandler.handle  # keeps the connection, unlike that of wsgiref

    def handle_expect_100(self) -> bool:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(int(headers.get("content-length") or 0)))
        match kind := self.server.recorder.take(request):
            case None:
                stop = self.server.stops.of(request)
                with stop.around(request) if stop else contextlib.nullcontext():
                    refused = stop is not None and stop.refusing_service == request.service
                    answer = error_answer(Kind.DENIED, request.service) if refused else self._execute(request)
                self._send(answer)
            case Kind.KILLED_BEFORE:
                self._kill()
            case Kind.KILLED_AFTER:
                self._execute(request)
                self._kill()
            case Kind.TIMEOUT:
                self._execute(request)
                self._send((200, {TIMEOUT_HEADER: "now"}, b""))
            case Kind.RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.connection.close()
                self.close_connection = True
            case Kind.TRUNCATED:
                self._send(self._execute(request), truncated=True)
            case _:
                self._send(error_answer(kind, request.service))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server finds them by these names

    def _execute(self, request: Request) -> Answer:
        path = unquote_to_bytes(self.path.partition("?")[0]).decode("latin-1")
        environ = self.get_environ() | {"wsgi.input": io.BytesIO(request.body), "PATH_INFO": path, "SCRIPT_NAME": ""}
        return self.server.execute(request, environ | {"RAW_URI": self.path, "REQUEST_URI": self.path})

    def _kill(self) -> None:
        if self.server.recorder.process_id:
            os.kill(self.server.recorder.process_id, signal.SIGKILL)
        self.close_connection = True

    def _send(self, answer: Answer, *, truncated: bool = False) -> None:
        status, headers, body = answer
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}"]
        lines += [
            f"{name}: {value}"
            for name, value in headers.items()
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}
        ]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1")
        if truncated:
            self.wfile.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
            self.close_connection = True
        else:
            self.wfile.write(head if self.command == "HEAD" else head + body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Stay silent: the recorder has it all."""
