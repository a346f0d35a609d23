"""Attempts that stop in the middle of a call, and go on later."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.faults.call import Request

FROZEN_BEFORE = "frozen before"
"""SIGSTOP when the request arrives; the service sees the request only when the process goes on."""
FROZEN_AFTER = "frozen after"
"""The service executes the request, then SIGSTOP; the process gets the answer when it goes on."""
KILLED_BEFORE = "killed before"
KILLED_AFTER = "killed after"
HELD = "held"
"""The process runs, and its request waits."""

_BEFORE = {FROZEN_BEFORE, KILLED_BEFORE, HELD}
_KILLED = {KILLED_BEFORE, KILLED_AFTER}
_FROZEN = {FROZEN_BEFORE, FROZEN_AFTER}
_LONGEST = 60  # seconds


@dataclass(slots=True)
class Stop:
    """Where an attempt stops, and what else goes wrong for it.

    Attributes:
        call: The call at which it stops, counted from 1, unless `how` is none of the ways above.
        slow_s3: How many seconds S3 waits before each answer.
        refusing_service: The service that denies it access, if any.
    """

    process_id: int
    call: int
    how: str
    slow_s3: float
    refusing_service: str
    is_reached: bool = False
    is_released: bool = False
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def around(self, request: Request) -> Iterator[None]:
        """Answer a request in the block; stop the process before or after it, if the attempt stops at this call."""
        how = self._stop_at(request)
        time.sleep(self.slow_s3 if request.service == "s3" else 0)
        if how in _BEFORE:
            self._wait()
        yield
        if how and how not in _BEFORE:
            self._wait()
        if how in _FROZEN:
            self._signal(signal.SIGCONT)

    def _stop_at(self, request: Request) -> str:
        if request.invocation_id in self.calls:
            return ""
        self.calls.append(request.invocation_id)
        return self.how if len(self.calls) == self.call and self.how in _BEFORE | _KILLED | _FROZEN else ""

    def _wait(self) -> None:
        if self.how != HELD:
            self._signal(signal.SIGSTOP if self.how in _FROZEN else signal.SIGKILL)
        self.is_reached = True
        until = time.monotonic() + (0 if self.how in _KILLED else _LONGEST)
        while not self.is_released and time.monotonic() < until:
            time.sleep(0.005)

    def _signal(self, what: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process_id, what)


class Stops:
    """Where each attempt stops, by the name of the attempt."""

    def __init__(self) -> None:
        self._stops: dict[str, Stop] = {}

    def of(self, request: Request) -> Stop | None:
        """Return the stop of the attempt that sent a request, if it is one of several at the same time."""
        return self._stops.get(request.attempt)

    def stop_at(self, attempt: str, stop: Stop) -> None:
        self._stops[attempt] = stop

    def is_stopped(self, attempt: str) -> bool:
        return self._stops[attempt].is_reached

    def go_on(self, attempt: str) -> None:
        self._stops[attempt].is_released = True
