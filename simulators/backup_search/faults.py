"""Faults on demand: their effect, operation, page and number."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from simulators.backup_search.field_types import CONFIG, Count, OneOrMore, validated


class Effect(StrEnum):
    """The effect of a fault on a request."""

    ERROR = "error"
    """The answer is an error of the service's model (``error_code``)."""
    CONNECTION_RESET = "connection_reset"
    """The connection is reset instead of an answer."""
    TRUNCATED_BODY = "truncated_body"
    """The connection ends after half of the body."""
    BROKEN_JSON = "broken_json"
    """The answer is HTTP 200 with a whole body that is not JSON."""
    DELAY = "delay"
    """The answer is ``delay_seconds`` late; other faults apply as well."""
    TOKEN_CYCLE = "token_cycle"  # noqa: S105
    """A page token comes back ``cycle_length`` pages after it was first issued."""


class FaultError(ValueError):
    """A fault that is not possible; the text says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: its effect, and the requests that it happens to.

    Attributes:
        effect: What happens.
        operation: The operation that it happens to; None for every operation.
        page: The page of a list that it happens on, from 1; None for every request. For a token cycle the page whose
            answer carries the old token; None for ``cycle_length + 1``.
        times: How many requests it happens to; None until it is removed.
        error_code: The error's code, for ``Effect.ERROR``.
        message: The error's message.
        retry_after_seconds: The error's ``Retry-After``; None for none.
        delay_seconds: The delay, for ``Effect.DELAY``.
        cycle_length: 1 for a token that answers itself (A, A, …), 2 for A, B, A, B, …
        where: Input members and the values that they must have. A vault without permission:
            ``where={"BackupVaultName": "locked"}``.
    """

    __pydantic_config__ = CONFIG

    effect: Effect
    operation: str | None = None
    page: OneOrMore | None = None
    times: OneOrMore | None = None
    error_code: str = ""
    message: str = "Simulated fault"
    retry_after_seconds: Count | None = None
    delay_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    cycle_length: OneOrMore = 1
    where: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.effect is Effect.ERROR) != bool(self.error_code):
            raise FaultError("error_code is for the effect 'error', and the effect 'error' needs it")

    def matches(self, operation: str, page: int, given: Mapping[str, Any]) -> bool:
        """Return whether the fault happens to this page of this operation with this input."""
        due = self.cycle_length + 1 if self.page is None and self.effect is Effect.TOKEN_CYCLE else self.page
        return (
            self.operation in {None, operation}
            and due in {None, page}
            and all(name in given and given[name] == value for name, value in self.where.items())
        )


class Faults:
    """The faults that are due. One for every operation happens only to operations that can have its error.

    Each operation has the error codes that it may answer, and the members of its input.
    """

    def __init__(self, operations: Mapping[str, tuple[Collection[str], Collection[str]]]) -> None:
        self._operations = operations
        self._active: list[Fault] = []
        self._tokens: dict[tuple[str, int], str] = {}
        self._lock = threading.Lock()

    def add(self, effect: Effect | str, **details: Any) -> Fault:
        """Add a fault with these attributes of :class:`Fault`, and return it for ``remove``.

        Raises:
            FaultError: An attribute, an operation or an error code is unknown, or a value is not possible.
        """
        fault = validated(Fault, {"effect": effect, **details}, lambda sentence: FaultError(f"{sentence}."))
        _check("operation", [fault.operation] if fault.operation else [], self._operations)
        about = [known for name, known in self._operations.items() if fault.operation in {None, name}]
        codes = {code for codes, _ in about for code in codes}
        _check("error_code", [fault.error_code] if fault.error_code else [], codes)
        _check("where", fault.where, {name for _, members in about for name in members})
        with self._lock:
            self._active.append(fault)
        return fault

    def throttle(self, operation: str, *, retry_after_seconds: int = 1, **details: Any) -> Fault:
        """Add throttling with ``Retry-After``; see :meth:`add`."""
        details = {"message": "Rate exceeded", "error_code": "ThrottlingException", **details}
        return self.add(Effect.ERROR, operation=operation, retry_after_seconds=retry_after_seconds, **details)

    def remove(self, fault: Fault) -> None:
        """Remove a fault; one that is used up is removed already."""
        with self._lock:
            # By value: the fault in the list has fewer times left than the one that was added.
            self._active = [due for due in self._active if replace(due, times=fault.times) != fault]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._active.clear()
            self._tokens.clear()

    def active(self) -> tuple[Fault, ...]:
        """Return the faults that are still due, with the times that are left."""
        with self._lock:
            return tuple(self._active)

    def take(self, operation: str, page: int, given: Mapping[str, Any]) -> list[Fault]:
        """Return what happens to a request, and count it: every delay that matches, and the first other fault."""
        codes = {"", *self._operations[operation][0]}
        with self._lock:
            due = [each for each in self._active if each.error_code in codes and each.matches(operation, page, given)]
            others = [each for each in due if each.effect is not Effect.DELAY]
            taken = [each for each in due if each.effect is Effect.DELAY or each is others[0]]
            for each in taken:
                position = self._active.index(each)
                self._active[position : position + 1] = _with_one_time_less(each)
        return taken

    def remember_token(self, listing: str, page: int, token: str) -> None:
        """Keep the token by which a page was asked for, in case a token cycle sends it again."""
        with self._lock:
            if any(due.effect is Effect.TOKEN_CYCLE for due in self._active):
                self._tokens[listing, page] = token

    def cycled_token(self, fault: Fault, listing: str, page: int) -> str | None:
        """Return the old token that a token cycle puts into the answer of this page; None if it was never seen."""
        with self._lock:
            return self._tokens.get((listing, page - fault.cycle_length + 1))


def _with_one_time_less(fault: Fault) -> list[Fault]:
    if fault.times is None:
        return [fault]
    return [replace(fault, times=fault.times - 1)] if fault.times > 1 else []


def _check(key: str, names: Collection[str], allowed: Collection[str]) -> None:
    for name in names:
        if name not in allowed:
            raise FaultError(f"{key} must not name {name!r}; allowed: {', '.join(sorted(allowed))}.")
