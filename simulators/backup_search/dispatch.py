"""From a request to its reply: the operation it means, its input, the faults that are due, the operation's answer."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moto.core.model import OperationModel

from simulators.backup_search.account import Account
from simulators.backup_search.faults import Effect, Fault, Faults
from simulators.backup_search.protocol import (
    InvalidInputError,
    Reply,
    Request,
    ServiceError,
    read_input,
    render_error,
    render_output,
    service_of,
)
from simulators.backup_search.simulated_service import SimulatedService


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request that was answered.

    Attributes:
        operation: The operation; empty if the request means none.
        status: The HTTP status; 0 if the connection was reset instead.
        params: The input by the model's member names; empty if it could not be read.
        faults: The effects of the faults that happened to it.
    """

    at: datetime
    operation: str
    status: int
    params: Mapping[str, Any]
    faults: tuple[str, ...] = ()


class Dispatcher:
    """Answers requests to the services, applies faults, and keeps a log of the latest requests."""

    def __init__(
        self,
        services: Sequence[SimulatedService],
        account: Account,
        lock: threading.RLock,
        pause: Callable[[float], object],
    ) -> None:
        self.faults = Faults(
            {name: (each.error_statuses, each.input_members(name)) for each in services for name in each.operations}
        )
        self.log: deque[RecordedRequest] = deque(maxlen=10_000)
        self._services = services
        self._account = account
        self._lock = lock
        self._pause = pause

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        for service in service_of(request, self._services):
            match = service.match(request)
            if match is None:
                continue
            operation, labels = match
            if operation.name not in service.operations:
                message = f"The simulator does not imitate {operation.name}"
                return self._refuse(operation.name, 501, "NotImplemented", message)
            try:
                given = read_input(operation, request, labels)
            except InvalidInputError as error:
                reply = render_error(service, ServiceError(service.invalid_input_code, str(error)))
                return self._recorded(operation.name, {}, reply)
            return self._operate(service, operation, given)
        return self._refuse("", 404, "UnknownOperationException", f"No operation is {request.method} {request.path}")

    def _operate(self, service: SimulatedService, operation: OperationModel, given: dict[str, Any]) -> Reply:
        token = given.get("NextToken")
        page = self._account.tokens.page(token)
        listing = repr((operation.name, sorted((name, repr(given[name])) for name in given if name != "NextToken")))
        if token is not None:
            self.faults.remember_token(listing, page, token)
        faults = self.faults.take(operation.name, page, given)
        for fault in faults:
            self._pause(fault.delay_seconds)
        try:
            _raise_error_of(faults)
            with self._lock:
                output = service.operations[operation.name](given)
            for fault in faults:
                old = self.faults.cycled_token(fault, listing, page) if fault.effect is Effect.TOKEN_CYCLE else None
                output = output if old is None else {**output, "NextToken": old}
            reply = render_output(service, operation, output, nulls=self._account.sends_nulls)
        except ServiceError as error:
            reply = render_error(service, error)
        return self._recorded(operation.name, given, reply, faults)

    def _recorded(self, operation: str, given: Mapping[str, Any], reply: Reply, faults: Sequence[Fault] = ()) -> Reply:
        for fault in faults:
            reply = _disrupted(reply, fault.effect)
        status = 0 if reply.is_reset else reply.status
        effects = tuple(fault.effect.value for fault in faults)
        self.log.append(RecordedRequest(self._account.clock(), operation, status, given, effects))
        return reply

    def _refuse(self, operation: str, status: int, code: str, message: str) -> Reply:
        reply = Reply.of_json({"message": message}, status=status)
        return self._recorded(operation, {}, replace(reply, headers={"x-amzn-errortype": code}))


def _raise_error_of(faults: Sequence[Fault]) -> None:
    for fault in faults:
        if fault.effect is Effect.ERROR:
            raise ServiceError(fault.error_code, fault.message, retryAfterSeconds=fault.retry_after_seconds)


def _disrupted(reply: Reply, effect: Effect) -> Reply:
    if effect is Effect.BROKEN_JSON:
        return replace(reply, status=200, body=reply.body[: len(reply.body) // 2] or b"{")
    is_reset, is_truncated = effect is Effect.CONNECTION_RESET, effect is Effect.TRUNCATED_BODY
    return replace(reply, is_reset=is_reset, is_truncated=is_truncated) if is_reset or is_truncated else reply
