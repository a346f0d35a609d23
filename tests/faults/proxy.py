"""A server in front of moto and the simulator that records every call, and lets one of them go wrong."""

import contextlib
import http.client
import io
import os
import select
import signal
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote_to_bytes

from tests.faults.call import Request
from tests.faults.fault import Fault, Kind, error_answer
from tests.faults.stops import Stops

Answer = tuple[int, dict[str, str], bytes]
_RESET = struct.pack("ii", 1, 0)
_LONGEST_SILENCE = 30  # seconds


@dataclass(slots=True)
class Recorder:
    """What was called, and what is to go wrong, for the process that is watched."""

    process_id: int = 0
    fault: Fault | None = None
    throttle_every: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    stops: Stops = field(default_factory=Stops)
    _calls: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self, attempt: str, *plan: Any) -> None:
        """Stop the process of an attempt at one of its calls, make S3 slow for it, and let a service refuse it."""
        self.stops.plan(attempt, *plan)

    def is_stopped(self, attempt: str) -> bool:
        """Say whether an attempt has come to its stop."""
        return self.stops.is_reached(attempt)

    def go_on(self, attempt: str) -> None:
        """Let an attempt go on."""
        self.stops.release(attempt)

    def watch(self, process_id: int, fault: Fault | None, throttle_every: int) -> None:
        """Begin anew with a process."""
        with self._lock:
            self.process_id, self.fault, self.throttle_every = process_id, fault, throttle_every
            self.log.clear()
            self._calls.clear()

    def calls(self) -> list[dict[str, Any]]:
        """Give what was called."""
        with self._lock:
            return list(self.log)

    def take(self, request: Request) -> Kind | None:
        """Record a request, and say what goes wrong with it."""
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
            self.log.append(
                {
                    "service": request.service,
                    "operation": request.operation,
                    "number": number,
                    "subject": request.subject,
                    "sent_again": not is_new,
                    "fault": kind,
                }
            )
            return kind


class Proxy:
    """Listens on two ports: at ``url`` all is recorded, at ``quiet_url`` nothing is."""

    def __init__(self, moto: Callable[..., Iterable[bytes]], simulator_url: str) -> None:
        self.recorder = Recorder()
        self._servers = [_Server(moto, simulator_url, recorder) for recorder in (self.recorder, None)]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where the functions call AWS."""
        return self._servers[0].url

    @property
    def quiet_url(self) -> str:
        """Where the test looks at what became of it."""
        return self._servers[1].url


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, moto: Callable[..., Iterable[bytes]], simulator_url: str, recorder: Recorder | None) -> None:
        self.moto = moto
        self.simulator = simulator_url.removeprefix("http://")
        self.recorder = recorder
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients that die or hang up are what this is about."""

    def answer(self, request: Request) -> Answer:
        if request.service.startswith("backup") or request.target.startswith("/_simulator/"):
            return self._ask_simulator(request)
        return self._ask_moto(request)

    def _ask_simulator(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self.simulator, timeout=_LONGEST_SILENCE)
        with contextlib.closing(connection):
            connection.request(request.method, request.target, request.body, request.headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def _ask_moto(self, request: Request) -> Answer:
        path, _, query = request.target.partition("?")
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": _unquoted(path),
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(request.body)),
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()},
        }
        started: list[Any] = []
        body = b"".join(self.moto(environ, lambda status, headers, *_: started.extend((status, headers))))
        return int(started[0].split()[0]), dict(started[1]), body


def _unquoted(path: str) -> str:
    """Decode a path as WSGI wants it: bytes as Latin-1."""
    return unquote_to_bytes(path).decode("latin-1")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def handle_expect_100(self) -> bool:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def answer(self) -> None:
        request = Request(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        recorder = self.server.recorder
        match kind := recorder.take(request) if recorder else None:
            case None:
                with recorder.stops.around(request) if recorder else contextlib.nullcontext():
                    refused = recorder is not None and recorder.stops.refuses(request)
                    answer = error_answer(Kind.DENIED, request) if refused else self.server.answer(request)
                self._send(answer)
            case Kind.KILLED_BEFORE:
                self._kill(recorder)
            case Kind.KILLED_AFTER:
                self.server.answer(request)
                self._kill(recorder)
            case Kind.TIMEOUT:
                self.server.answer(request)
                select.select([self.connection], [], [], _LONGEST_SILENCE)  # until the client hangs up
                self.close_connection = True
            case Kind.RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.connection.close()
                self.close_connection = True
            case Kind.TRUNCATED:
                self._send(self.server.answer(request), truncated=True)
            case _:
                self._send(error_answer(kind, request))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server finds them by these names

    def _kill(self, recorder: Recorder | None) -> None:
        if recorder and recorder.process_id:
            os.kill(recorder.process_id, signal.SIGKILL)
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

    def log_message(self, *_: Any) -> None:
        """Stay silent: the recorder says more."""
