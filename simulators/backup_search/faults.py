"""Faults on demand: what goes wrong, for which operation, on which page, how often."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What a fault does to a request."""

    ERROR = "error"
    """The request is answered with an error of the service's model (``error_code``)."""
    CONNECTION_RESET = "connection_reset"
    """The connection is reset instead of an answer."""
    TRUNCATED_BODY = "truncated_body"
    """Half of the body is sent, then the connection ends."""
    BROKEN_JSON = "broken_json"
    """HTTP 200 and a whole body that is no JSON."""
    DELAY = "delay"
    """The answer comes ``delay_seconds`` late; other faults apply as well."""
    TOKEN_CYCLE = "token_cycle"  # noqa: S105
    """A page token comes back again, ``cycle_length`` pages after it was first handed out."""


class FaultError(ValueError):
    """A fault that cannot be; the text says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        effect: What happens.
        operation: The operation it happens to; None for every operation.
        page: The page of a list it happens on, 1 the first; None for every request. For a token cycle the page whose
            answer carries the old token, ``cycle_length + 1`` if not given.
        times: How many requests it happens to; None until it is removed.
        error_code: The error's code, for ``Effect.ERROR``.
        message: The error's message.
        retry_after_seconds: The error's ``Retry-After``; None for none.
        delay_seconds: How late the answer comes, for ``Effect.DELAY``.
        cycle_length: 1 for a token that answers itself (A, A, …), 2 for A, B, A, B, … and so on.
        where: Members of the input, by name, and the values that they must have; nothing for every input. A vault
            without permission: ``where={"BackupVaultName": "locked"}``.
    """

    effect: Effect
    operation: str | None = None
    page: int | None = None
    times: int | None = None
    error_code: str = ""
    message: str = "Simulated fault"
    retry_after_seconds: int | None = None
    delay_seconds: float = 0.0
    cycle_length: int = 1
    where: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, operation: str, page: int, given: Mapping[str, Any]) -> bool:
        """Tells whether the fault happens to this page of this operation with this input."""
        due = self.cycle_length + 1 if self.page is None and self.effect is Effect.TOKEN_CYCLE else self.page
        return (
            self.times != 0
            and self.operation in {None, operation}
            and due in {None, page}
            and all(name in given and given[name] == value for name, value in self.where.items())
        )


@dataclass(frozen=True, slots=True)
class Breakable:
    """What a fault can be about.

    Attributes:
        error_codes: The error codes that an operation may answer with.
        members: The members of its input.
    """

    error_codes: Collection[str]
    members: Collection[str]


class Faults:
    """The faults that are due.

    Args:
        operations: The operations there are. A fault that names none happens only to those that can have its error.
    """

    def __init__(self, operations: Mapping[str, Breakable]) -> None:
        self._operations = operations
        self._active: list[Fault] = []
        self._tokens: dict[tuple[str, int], str] = {}
        self._lock = threading.Lock()

    def add(self, effect: Effect | str, **details: Any) -> Fault:
        """Adds a fault.

        Args:
            effect: What happens.
            **details: The other attributes of :class:`Fault`, by name.

        Returns:
            The fault, which ``remove`` takes.

        Raises:
            FaultError: An unknown effect, operation, error code or detail, or a value that cannot be.
        """
        if effect not in list(Effect):
            raise FaultError(f"effect {effect!r} is unknown; allowed: {', '.join(Effect)}.")
        unknown = sorted(details.keys() - set(Fault.__slots__))
        if unknown:
            raise FaultError(f"{unknown[0]!r} is no detail of a fault; allowed: {', '.join(Fault.__slots__)}.")
        fault = Fault(effect=Effect(effect), **details)
        self._check(fault)
        with self._lock:
            self._active.append(fault)
        return fault

    def throttle(self, operation: str, *, retry_after_seconds: int = 1, **details: Any) -> Fault:
        """Adds throttling with ``Retry-After``, the fault that tests ask for most; see :meth:`add`."""
        details = {"message": "Rate exceeded", "error_code": "ThrottlingException", **details}
        return self.add(Effect.ERROR, operation=operation, retry_after_seconds=retry_after_seconds, **details)

    def remove(self, fault: Fault) -> None:
        """Removes a fault; nothing happens if it is used up."""
        with self._lock:
            # By value: the fault in the list has fewer times left than the one that was added.
            self._active = [due for due in self._active if replace(due, times=fault.times) != fault]

    def clear(self) -> None:
        """Removes all faults."""
        with self._lock:
            self._active.clear()
            self._tokens.clear()

    def active(self) -> tuple[Fault, ...]:
        """Returns the faults that are still due, with the times they have left."""
        with self._lock:
            return tuple(self._active)

    def take(self, operation: str, page: int, given: Mapping[str, Any]) -> tuple[Fault, ...]:
        """Returns what happens to a request, and counts it: every delay that matches, and the first other fault."""
        error_codes = {"", *self._operations[operation].error_codes}
        taken: list[Fault] = []
        left: list[Fault] = []
        with self._lock:
            for due in self._active:
                delay = due.effect is Effect.DELAY
                matches = due.matches(operation, page, given) and due.error_code in error_codes
                if matches and (delay or all(other.effect is Effect.DELAY for other in taken)):
                    taken.append(due)
                    left.append(due if due.times is None else replace(due, times=due.times - 1))
                else:
                    left.append(due)
            self._active = [due for due in left if due.times != 0]
        return tuple(taken)

    def remember_token(self, listing: str, page: int, token: str) -> None:
        """Notes the token by which a page was asked for, in case a token cycle wants it back.

        Args:
            listing: What is being listed: the operation and its input but for the token.
            page: The page.
            token: Its token.
        """
        with self._lock:
            if any(due.effect is Effect.TOKEN_CYCLE for due in self._active):
                self._tokens[listing, page] = token

    def cycled_token(self, fault: Fault, listing: str, page: int) -> str | None:
        """Returns the old token that a token cycle puts into the answer of this page; None if it was never seen."""
        with self._lock:
            return self._tokens.get((listing, page - fault.cycle_length + 1))

    def _check(self, fault: Fault) -> None:
        if fault.operation is not None and fault.operation not in self._operations:
            raise FaultError(f"operation {fault.operation!r} is unknown; allowed: {', '.join(self._operations)}.")
        if (fault.effect is Effect.ERROR) != bool(fault.error_code):
            raise FaultError("error_code is for the effect 'error', and the effect 'error' needs it.")
        about = [known for name, known in self._operations.items() if fault.operation in {None, name}]
        error_codes = {code for known in about for code in known.error_codes}
        if fault.error_code and fault.error_code not in error_codes:
            raise FaultError(f"error_code {fault.error_code!r} is unknown; allowed: {_listed(error_codes)}.")
        if not isinstance(fault.where, Mapping):
            raise FaultError(f"where must be a mapping of input members to values, not {fault.where!r}.")
        members = {name for known in about for name in known.members}
        for name in fault.where:
            if name not in members:
                raise FaultError(f"where names {name!r}, which is no input member; allowed: {_listed(members)}.")
        least: Mapping[str, float] = {"page": 1, "times": 1, "retry_after_seconds": 0, "cycle_length": 1}
        for name, minimum in least.items():
            value = getattr(fault, name)
            if value is not None and (not isinstance(value, int) or value < minimum):
                raise FaultError(f"{name} must be a whole number of at least {minimum}, not {value!r}.")
        if not isinstance(fault.delay_seconds, int | float) or not 0 <= fault.delay_seconds <= 3600:
            raise FaultError(f"delay_seconds must be a number from 0 to 3600, not {fault.delay_seconds!r}.")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
