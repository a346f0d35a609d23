"""Asynchronous invocation as AWS Lambda does it: a queue, retries with pauses, and in the end a failure destination.

This is ours, not the emulator's and not AWS's. The demo and the tests use it to run functions that fail; it
proves nothing about AWS.

AWS retries twice, after one and after two minutes, tries throttled events again for up to six hours, and sends what
still fails to the on-failure destination (AWS Lambda Developer Guide, "How Lambda handles errors and retries with
asynchronous invocation"). Here the pauses are shorter.
"""

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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
    """Why Lambda stops retrying, as the failure record names it."""

    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"


class Invocation(Protocol):
    """One event for one function."""

    maximum_retries: int
    maximum_age: float

    def attempt(self) -> Outcome:
        """Run the function once."""

    def give_up(self, condition: Condition, attempts: int) -> None:
        """Send the event to the function's on-failure destination, if it has one."""


class DeliveryQueue:
    """Runs invocations on a bounded number of threads; one that waits for its retry holds none of them.

    Args:
        concurrency: How many invocations run at once.
        retry_delays: Seconds before the first retry, the second, and so on; the last one holds for all further.
    """

    def __init__(self, *, concurrency: int, retry_delays: tuple[float, ...]) -> None:
        self._retry_delays = retry_delays
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="async-delivery")
        self._timers = asyncio.new_event_loop()
        threading.Thread(target=self._timers.run_forever, daemon=True).start()

    def submit(self, invocation: Invocation) -> None:
        """Accept an event, and return at once."""
        self._threads.submit(self._deliver, invocation, time.monotonic(), 0)

    def _deliver(self, invocation: Invocation, since: float, attempts: int) -> None:
        try:
            outcome = invocation.attempt()
            if outcome is Outcome.SUCCEEDED:
                return
            attempts += outcome is Outcome.FAILED
            pause = self._pause(attempts) if outcome is Outcome.FAILED else _THROTTLE_PAUSE
            if attempts > invocation.maximum_retries:
                invocation.give_up(Condition.RETRIES_EXHAUSTED, attempts)
            elif time.monotonic() + pause - since > invocation.maximum_age:
                invocation.give_up(Condition.EVENT_AGE_EXCEEDED, attempts)
            else:
                self._timers.call_soon_threadsafe(self._deliver_later, pause, invocation, since, attempts)
        except Exception:
            _logger.exception("An asynchronous event was lost.")

    def _deliver_later(self, pause: float, invocation: Invocation, since: float, attempts: int) -> None:
        self._timers.call_later(pause, lambda: self._threads.submit(self._deliver, invocation, since, attempts))

    def _pause(self, attempts: int) -> float:
        return self._retry_delays[min(attempts, len(self._retry_delays)) - 1]
