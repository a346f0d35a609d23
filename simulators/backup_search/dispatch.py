"""From a request to its reply: the operation it means, its input, the faults that are due, the operation's answer."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from botocore.model import OperationModel

from simulators.backup_search.account import Wire
from simulators.backup_search.faults import Effect, Fault, Faults
from simulators.backup_search.page_tokens import PageTokens
from simulators.backup_search.protocol import (
    Disruption,
    InvalidInputError,
    Reply,
    Request,
    Service,
    ServiceError,
    read_input,
    render_error,
    render_output,
    service_of,
)
from simulators.backup_search.request_log import RecordedRequest, RequestLog
from simulators.backup_search.search_jobs import Clock


class SimulatedService(Protocol):
    """What a service is made of: its model, and what answers its operations."""

    @property
    def service(self) -> Service:
        """The service's model."""

    @property
    def operations(self) -> Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        """What answers each operation: input by member name in, output by member name out, or a ServiceError."""

    @property
    def invalid_input_code(self) -> str:
        """The error code for input that the model does not allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Answers requests to the services.

    Attributes:
        services: The services.
        tokens: What reads page tokens, for faults that wait for a page.
        faults: What goes wrong.
        log: What notes the requests.
        clock: Gives the time of a noted request.
        lock: Held while an operation works on the account.
        pause: Waits for some seconds.
        wire: How answers are written.
    """

    services: Sequence[SimulatedService]
    tokens: PageTokens
    faults: Faults
    log: RequestLog
    clock: Clock
    lock: threading.RLock
    pause: Callable[[float], object]
    wire: Wire

    def answer(self, request: Request) -> Reply:
        """Returns the reply to a request."""
        candidates = service_of(request, [simulated.service for simulated in self.services])
        for simulated in self.services:
            match = simulated.service.match(request) if simulated.service in candidates else None
            if match is None:
                continue
            operation, labels = match
            if operation.name not in simulated.operations:
                message = f"The simulator does not imitate {operation.name}"
                return self._refuse(operation.name, 501, "NotImplemented", message)
            try:
                given = read_input(operation, request, labels)
            except InvalidInputError as error:
                reply = render_error(simulated.service, ServiceError(simulated.invalid_input_code, str(error)))
                return self._noted(operation.name, {}, reply, ())
            return self._operate(simulated, operation, given)
        return self._refuse("", 404, "UnknownOperationException", f"No operation is {request.method} {request.path}")

    def _operate(self, simulated: SimulatedService, operation: OperationModel, given: dict[str, Any]) -> Reply:
        token_names = simulated.service.page_tokens(operation.name)
        token_name = token_names[0] if token_names else ""
        token = given.get(token_name)
        page = self.tokens.page(token)
        listing = repr((operation.name, sorted((name, repr(given[name])) for name in given if name != token_name)))
        if token is not None:
            self.faults.remember_token(listing, page, token)
        faults = self.faults.take(operation.name, page, given)
        for fault in faults:
            self.pause(fault.delay_seconds)
        try:
            _raise_error_of(faults)
            with self.lock:
                output = simulated.operations[operation.name](given)
            for fault in faults:
                if fault.effect is Effect.TOKEN_CYCLE and token_names:
                    old = self.faults.cycled_token(fault, listing, page)
                    output = output if old is None else {**output, token_names[1]: old}
            reply = render_output(operation, output, nulls=self.wire.nulls)
        except ServiceError as error:
            reply = render_error(simulated.service, error)
        return self._noted(operation.name, given, reply, faults)

    def _noted(self, operation: str, given: Mapping[str, Any], reply: Reply, faults: Sequence[Fault]) -> Reply:
        for fault in faults:
            reply = _disrupted(reply, fault.effect)
        status = 0 if reply.disruption is Disruption.RESET else reply.status
        effects = tuple(fault.effect.value for fault in faults)
        self.log.add(RecordedRequest(self.clock(), operation, status, given, effects))
        return reply

    def _refuse(self, operation: str, status: int, code: str, message: str) -> Reply:
        reply = Reply.of_json({"message": message}, status=status)
        return self._noted(operation, {}, replace(reply, headers={"x-amzn-errortype": code}), ())


def _raise_error_of(faults: Sequence[Fault]) -> None:
    for fault in faults:
        if fault.effect is Effect.ERROR:
            raise ServiceError(fault.error_code, fault.message, retryAfterSeconds=fault.retry_after_seconds)


def _disrupted(reply: Reply, effect: Effect) -> Reply:
    if effect is Effect.CONNECTION_RESET:
        return replace(reply, disruption=Disruption.RESET)
    if effect is Effect.TRUNCATED_BODY:
        return replace(reply, disruption=Disruption.TRUNCATE)
    if effect is Effect.BROKEN_JSON:
        return replace(reply, status=200, body=reply.body[: len(reply.body) // 2] or b"{")
    return reply
