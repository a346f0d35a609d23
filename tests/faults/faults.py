"""The faults of a call, and all the cases: each recorded call, with each fault, for as long as it can last."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of faults."""

    KILLED_BEFORE = "killed before"
    """SIGKILL to the function's process when the request arrives; the service never sees it."""
    KILLED_AFTER = "killed after"
    """The service executes the request, then the function's process gets SIGKILL instead of the answer."""
    THROTTLED = "throttled"
    SERVER_ERROR = "500"
    DENIED = "access denied"
    TIMEOUT = "timeout"
    """The service executes the request; its answer never comes."""
    RESET = "connection reset"
    """The connection is reset before the service sees the request."""
    TRUNCATED = "truncated body"
    """The service executes the request; half of its answer comes."""

    @property
    def kills(self) -> bool:
        return self in {Kind.KILLED_BEFORE, Kind.KILLED_AFTER}

    @property
    def hides_success(self) -> bool:
        """Whether the service executes the request, and the function does not learn it."""
        return self in {Kind.KILLED_AFTER, Kind.TIMEOUT, Kind.TRUNCATED}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one call.

    Attributes:
        number: Which call of this operation fails, from 1; the SDK's own retries do not count.
        once: Whether only the first try fails, or the SDK's retries as well.
    """

    service: str
    operation: str
    number: int
    kind: Kind
    once: bool


ONE_TRY, ONE_ATTEMPT, ALL_ATTEMPTS = "one try", "one attempt", "all attempts"
"""How long a fault lasts: the SDK's first try, a whole attempt, or all three attempts that Lambda makes."""

_AT_EACH_CALL = {
    Kind.SERVER_ERROR: (ONE_ATTEMPT,),
    Kind.TIMEOUT: (ONE_ATTEMPT,),
    Kind.TRUNCATED: (ONE_ATTEMPT,),
    Kind.DENIED: (ALL_ATTEMPTS,),
    Kind.KILLED_BEFORE: (ONE_ATTEMPT,),
    Kind.KILLED_AFTER: (ONE_ATTEMPT, ALL_ATTEMPTS),
}

_FOR_EACH_SERVICE = {
    Kind.THROTTLED: (ONE_TRY, ONE_ATTEMPT),
    Kind.TIMEOUT: (ONE_TRY,),
    Kind.RESET: (ONE_ATTEMPT,),
    Kind.DENIED: (ONE_ATTEMPT,),
}
"""What differs from those at each call only in what the SDK does, whose clients are made once for each service."""


@dataclass(frozen=True, slots=True)
class Case:
    """A call that fails.

    Attributes:
        function: ``report`` or ``watch``.
        subject: The kind of object, message or record that the call is about.
        lasting: How long the fault lasts.
    """

    function: str
    fault: Fault
    subject: str
    lasting: str

    @property
    def attempts(self) -> int:
        return 3 if self.lasting == "all attempts" else 1

    @property
    def call(self) -> str:
        number = f" ({self.fault.number})" if self.fault.number > 1 else ""
        return f"{self.fault.service} {self.fault.operation}{f' {self.subject}' if self.subject else number}"

    @property
    def digests_allowed(self) -> int:
        """One digest, and one more for each time that the function cannot know that it went out."""
        if self.subject == "told" and self.fault.kind is Kind.KILLED_BEFORE:
            return 1 + self.attempts
        if self.subject == "digest" and self.fault.kind.hides_success:
            sent_by_the_sdk = 1 if self.fault.kind.kills or self.fault.once else 3
            return 1 + sent_by_the_sdk * self.attempts
        return 1


def cases(recording: dict[str, list[dict[str, Any]]]) -> list[Case]:
    """Return the cases of the recorded calls of each function. Lambda does not retry a sweep, so it has fewer.

    Returns:
        All faults of `_AT_EACH_CALL`; those of `_FOR_EACH_SERVICE` at the first call of each service.
    """
    return [
        Case(
            function,
            Fault(call["service"], call["operation"], call["number"], kind, once=lasting == ONE_TRY),
            call["subject"],
            lasting,
        )
        for function, calls in recording.items()
        for place, call in enumerate(calls)
        for kind, spans in _faults_of(call, calls[:place])
        for lasting in dict.fromkeys(ONE_ATTEMPT if _is_swept(function, span) else span for span in spans)
    ]


def _is_swept(function: str, lasting: str) -> bool:
    return function == "watch" and lasting == ALL_ATTEMPTS


def _faults_of(call: dict[str, Any], before: list[dict[str, Any]]) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    yield from _AT_EACH_CALL.items()
    if all(call["service"] != earlier["service"] for earlier in before):
        yield from _FOR_EACH_SERVICE.items()


# The status and the code by which a service reports an error.
_ERRORS = {
    Kind.THROTTLED: {
        "s3": (503, "SlowDown"),
        "sns": (400, "Throttling"),
        "backup-search": (429, "ThrottlingException"),
    },
    Kind.SERVER_ERROR: {"s3": (500, "InternalError"), "sns": (500, "InternalFailure")},
    Kind.DENIED: {"s3": (403, "AccessDenied"), "sns": (403, "AuthorizationError")},
}
_OTHER_SERVICES = {
    Kind.THROTTLED: (400, "ThrottlingException"),
    Kind.SERVER_ERROR: (500, "InternalServerException"),
    Kind.DENIED: (400, "AccessDeniedException"),
}
_BODIES = {
    "s3": "<?xml version='1.0'?><Error><Code>{code}</Code><Message>Injected: {kind}</Message></Error>",
    "sns": "<ErrorResponse xmlns='http://sns.amazonaws.com/doc/2010-03-31/'><Error><Type>Sender</Type>"
    "<Code>{code}</Code><Message>Injected: {kind}</Message></Error><RequestId>injected</RequestId></ErrorResponse>",
}
_JSON_BODY = '{{"__type": "{code}", "message": "Injected: {kind}"}}'


def error_answer(kind: Kind, service: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body by which a service reports an error."""
    status, code = _ERRORS[kind].get(service, _OTHER_SERVICES[kind])
    body = _BODIES.get(service, _JSON_BODY).format(code=code, kind=kind).encode()
    if service in _BODIES:
        return status, {"Content-Type": "text/xml"}, body
    return status, {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": code}, body
