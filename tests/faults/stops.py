"""Processes that are stopped in the middle of a call, and go on later: SIGSTOP and SIGCONT."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from tests.faults.call import Request

ATTEMPT_HEADER = "x-attempt"
"""Tells whose call it is, where several processes call at the same time."""

FROZEN_BEFORE = "frozen before"
"""The process is stopped when its request arrives; the service sees the request only when the process goes on."""
FROZEN_AFTER = "frozen after"
"""The service does what it is asked, then the process is stopped; it gets the answer when it goes on."""
KILLED_BEFORE = "killed before"
KILLED_AFTER = "killed after"
HELD = "held"
"""The process runs, and its request waits."""

_LONGEST = 60  # seconds


@dataclass(slots=True)
class _Stop:
    process_id: int
    call: int
    how: str
    seconds_per_s3_request: float
    refusing_service: str
    calls: list[str] = field(default_factory=list)
    reached: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)


class Stops:
    """Where each attempt is to stop."""

    def __init__(self) -> None:
        self._stops: dict[str, _Stop] = {}
        self._lock = Lock()

    def plan(self, attempt: str, *plan: Any) -> None:
        """Stop an attempt at its n-th call, counted from 1; what is none of the ways above never stops it."""
        self._stops[attempt] = _Stop(*plan)

    def refuses(self, request: Request) -> bool:
        """Say whether the request is of an attempt that this service refuses."""
        stop = self._stops.get(request.headers.get(ATTEMPT_HEADER, ""))
        return stop is not None and stop.refusing_service == request.service

    def is_reached(self, attempt: str) -> bool:
        """Say whether it has stopped."""
        return self._stops[attempt].reached.is_set()

    def release(self, attempt: str) -> None:
        """Let it go on."""
        self._stops[attempt].released.set()

    @contextmanager
    def around(self, request: Request) -> Iterator[None]:
        """Answer a request in the block; stop before or after, if that is its turn."""
        stop = self._stops.get(request.headers.get(ATTEMPT_HEADER, ""))
        how = self._turn(stop, request) if stop else ""
        if stop:
            time.sleep(stop.seconds_per_s3_request if request.service == "s3" else 0)
        if stop and how in {FROZEN_BEFORE, KILLED_BEFORE, HELD}:
            _wait(stop, how)
        yield
        if stop and how in {FROZEN_AFTER, KILLED_AFTER}:
            _wait(stop, how)
        if stop and how in {FROZEN_BEFORE, FROZEN_AFTER}:
            _signal(stop, signal.SIGCONT)

    def _turn(self, stop: _Stop, request: Request) -> str:
        with self._lock:
            if request.invocation_id not in stop.calls:
                stop.calls.append(request.invocation_id)
                if len(stop.calls) == stop.call:
                    return stop.how
        return ""


def _wait(stop: _Stop, how: str) -> None:
    if how in {FROZEN_BEFORE, FROZEN_AFTER}:
        _signal(stop, signal.SIGSTOP)
    elif how != HELD:
        _signal(stop, signal.SIGKILL)
    stop.reached.set()
    if how in {FROZEN_BEFORE, FROZEN_AFTER, HELD}:
        stop.released.wait(_LONGEST)


def _signal(stop: _Stop, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(stop.process_id, what)
