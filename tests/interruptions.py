"""Interrupts an attempt at any call of its ports, before the call or after it, as a crash or as an error of AWS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


class Crash(BaseException):
    """The end of an attempt that nothing in it notices."""


@dataclass
class Interruption:
    """What an attempt has in front of its ports.

    Attributes:
        at: The number of the call that it is interrupted at, from 0; -1 for none.
        after: Whether that call still has its effect.
        error: What is raised.
        happens: What is done at the moment of the interruption.
        calls: What was called, such as ``bucket.put_json``.
    """

    at: int = -1
    after: bool = False
    error: BaseException = field(default_factory=Crash)
    happens: Callable[[], object] = lambda: None
    calls: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def through(self, name: str, port: Any) -> Any:
        """Put this in front of a port."""
        return _Port(self, name, port)

    def call(self, name: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            is_here = len(self.calls) == self.at
            self.calls.append(name)
        if not is_here:
            return method(*args, **kwargs)
        if self.after:
            method(*args, **kwargs)
        self.happens()
        raise self.error


@dataclass
class _Port:
    interruption: Interruption
    name: str
    port: Any

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self.port, attribute)
        if not callable(value):
            return value
        name = f"{self.name}.{attribute}"
        return lambda *args, **kwargs: self.interruption.call(name, value, *args, **kwargs)


def interruptions(calls: int, *errors: Callable[[], BaseException]) -> Iterator[Interruption]:
    """Return an interruption before and after each of so many calls, as each of the errors."""
    for at in range(calls):
        for after in (False, True):
            yield from (Interruption(at, after, error()) for error in errors)
