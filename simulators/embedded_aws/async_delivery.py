"""Asynchronous invocation as AWS Lambda does it: a queue, retries with pauses, and in the end a failure destination.

This is ours, not the emulator's and not AWS's. It lets a demo and a test go through the motions of a function that
fails; it proves nothing about AWS.

AWS retries twice, after one and after two minutes, tries throttled events again for up to six hours, and hands what
still fails to the on-failure destination (AWS Lambda Developer Guide, "How Lambda handles errors and retries with
asynchronous invocation"). Here the pauses are shorter.
"""

import heapq
import itertools
import logging
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

_logger = logging.getLogger(__name__)

_THROTTLE_PAUSE = 0.2  # seconds


class Outcome(Enum):
    """How one attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    THROTTLED = "throttled"


class Condition(Enum):
    """Why an event is given up, as the failure record names it."""

    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"


class Invocation(Protocol):
    """One event on its way to one function."""

    maximum_retries: int
    maximum_age: float

    def attempt(self) -> Outcome:
        """Runs the function once."""

    def give_up(self, condition: Condition, attempts: int) -> None:
        """Hands the event to the function's on-failure destination, if it has one."""


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    due: float
    order: int
    invocation: Invocation = field(compare=False)
    since: float = field(compare=False)
    attempts: int = field(compare=False)


class DeliveryQueue:
    """Runs invocations on a bounded number of threads; one that waits for its retry holds none of them."""

    def __init__(self, *, concurrency: int, retry_delays: tuple[float, ...]) -> None:
        """Starts the threads.

        Args:
            concurrency: How many invocations may run at once.
            retry_delays: Seconds before the first retry, the second, and so on; the last one holds for all further.
        """
        self._retry_delays = retry_delays
        self._order = itertools.count()
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        for number in range(concurrency):
            threading.Thread(target=self._work, name=f"async-delivery-{number}", daemon=True).start()

    def submit(self, invocation: Invocation) -> None:
        """Accepts an event, and returns at once."""
        now = time.monotonic()
        self._put(_Waiting(now, next(self._order), invocation, since=now, attempts=0))

    def _put(self, waiting: _Waiting) -> None:
        with self._changed:
            heapq.heappush(self._waiting, waiting)
            self._changed.notify()

    def _take(self) -> _Waiting:
        with self._changed:
            while True:
                pause = self._waiting[0].due - time.monotonic() if self._waiting else None
                if pause is not None and pause <= 0:
                    taken = heapq.heappop(self._waiting)
                    if self._waiting:
                        self._changed.notify()  # someone else has to watch the clock for the next one
                    return taken
                self._changed.wait(pause)

    def _work(self) -> None:
        while True:
            waiting = self._take()
            try:
                self._deliver(waiting)
            except Exception:
                _logger.exception("An asynchronous event was lost.")

    def _deliver(self, waiting: _Waiting) -> None:
        invocation = waiting.invocation
        outcome = invocation.attempt()
        if outcome is Outcome.SUCCEEDED:
            return
        attempts = waiting.attempts + (outcome is Outcome.FAILED)
        if attempts > invocation.maximum_retries:
            invocation.give_up(Condition.RETRIES_EXHAUSTED, attempts)
            return
        pause = self._pause(attempts) if outcome is Outcome.FAILED else _THROTTLE_PAUSE
        due = time.monotonic() + pause
        if due - waiting.since > invocation.maximum_age:
            invocation.give_up(Condition.EVENT_AGE_EXCEEDED, attempts)
            return
        self._put(_Waiting(due, next(self._order), invocation, since=waiting.since, attempts=attempts))

    def _pause(self, attempts: int) -> float:
        return self._retry_delays[min(attempts, len(self._retry_delays)) - 1]
