"""What can go wrong with a call."""

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.call import Request


class Kind(StrEnum):
    """What goes wrong."""

    KILLED_BEFORE = "killed before"
    """SIGKILL to the function's process when the request arrives; the service never sees it."""
    KILLED_AFTER = "killed after"
    """The service does what it is asked, then the function's process gets SIGKILL instead of the answer."""
    THROTTLED = "throttled"
    SERVER_ERROR = "500"
    DENIED = "access denied"
    TIMEOUT = "timeout"
    """The service does what it is asked; its answer never comes."""
    RESET = "connection reset"
    """The connection is reset before the service has seen the request."""
    TRUNCATED = "truncated body"
    """The service does what it is asked; half of its answer comes."""

    @property
    def kills(self) -> bool:
        """Whether the process does not live to see an error."""
        return self in {Kind.KILLED_BEFORE, Kind.KILLED_AFTER}

    @property
    def hides_success(self) -> bool:
        """Whether the service did it, and the function does not know."""
        return self in {Kind.KILLED_AFTER, Kind.TIMEOUT, Kind.TRUNCATED}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that waits for its call.

    Attributes:
        number: The how-manieth call of this operation it happens to, from 1; the SDK's own retries do not count.
        once: Whether it happens to the first try alone, or to the SDK's retries as well.
    """

    service: str
    operation: str
    number: int
    kind: Kind
    once: bool


# How each protocol says that something is wrong: status and code.
_ERRORS = {
    Kind.THROTTLED: {
        "s3": (503, "SlowDown"),
        "sns": (400, "Throttling"),
        "backup-search": (429, "ThrottlingException"),
    },
    Kind.SERVER_ERROR: {"s3": (500, "InternalError"), "sns": (500, "InternalFailure")},
    Kind.DENIED: {"s3": (403, "AccessDenied"), "sns": (403, "AuthorizationError")},
}
_OTHERWISE = {
    Kind.THROTTLED: (400, "ThrottlingException"),
    Kind.SERVER_ERROR: (500, "InternalServerException"),
    Kind.DENIED: (400, "AccessDeniedException"),
}


def error_answer(kind: Kind, request: Request) -> tuple[int, dict[str, str], bytes]:
    """Give the answer by which the request's service says that something is wrong."""
    status, code = _ERRORS[kind].get(request.service, _OTHERWISE[kind])
    message = f"Injected: {kind}"
    if request.service == "s3":
        return status, {"Content-Type": "application/xml"}, _S3_ERROR.format(code, message).encode()
    if request.service == "sns":
        return status, {"Content-Type": "text/xml"}, _QUERY_ERROR.format(code, message).encode()
    body = f'{{"__type": "{code}", "message": "{message}"}}'
    return status, {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": code}, body.encode()


_S3_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"
_QUERY_ERROR = (
    "<ErrorResponse xmlns='http://sns.amazonaws.com/doc/2010-03-31/'><Error><Type>Sender</Type><Code>{}</Code>"
    "<Message>{}</Message></Error><RequestId>injected</RequestId></ErrorResponse>"
)
