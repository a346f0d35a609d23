"""What was asked, for tests to look at; only the latest requests are kept."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request that was answered.

    Attributes:
        at: When, by the simulator's clock.
        operation: The operation; empty if the request meant none.
        status: The HTTP status; 0 if the connection was reset instead.
        params: The input by the model's member names; empty if it could not be read.
        faults: The effects of the faults that happened to it.
    """

    at: datetime
    operation: str
    status: int
    params: Mapping[str, Any]
    faults: tuple[str, ...] = ()


class RequestLog:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, request: RecordedRequest) -> None:
        """Notes a request."""
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Forgets all requests."""
        with self._lock:
            self._requests.clear()

    def latest(self) -> tuple[RecordedRequest, ...]:
        """Returns the requests, oldest first."""
        with self._lock:
            return tuple(self._requests)
