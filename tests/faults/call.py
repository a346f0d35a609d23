"""A request to AWS, as the proxy sees it. The SDK of the functions names its call in a header: see `name_calls`."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

OPERATION_HEADER = "x-operation"
ATTEMPT_HEADER = "x-attempt"
TIMEOUT_HEADER = "x-injected-timeout"

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_END = re.compile(r"^\d{13}-")  # of a search, in the key of its question
_RECORD = re.compile(rb'"id": *\{"S": *"(\w+)#')


def name_calls() -> None:
    """Make the SDK send the name of each operation, and time out without waiting where the proxy requests it."""
    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register("before-send", _name_call)
    send = URLLib3Session.send

    def send_or_time_out(session: URLLib3Session, request: Any) -> Any:
        answer = send(session, request)
        if TIMEOUT_HEADER in answer.headers:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    URLLib3Session.send = send_or_time_out  # type: ignore[method-assign,assignment]


def name_attempt(name: str) -> None:
    """Make all requests of this process carry the name of its attempt."""
    _headers[ATTEMPT_HEADER] = name


_headers: dict[str, str] = {}  # of each request that this process sends


def _name_call(request: Any, event_name: str, **_: Any) -> None:
    request.headers[OPERATION_HEADER] = event_name.rpartition(".")[2]
    request.headers.update(_headers)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. The names of its headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def invocation_id(self) -> str:
        """The identifier of a call, which the SDK repeats with each of its own retries."""
        return self.headers.get("amz-sdk-invocation-id", "")

    @property
    def attempt(self) -> str:
        """The name of the attempt, where several run at a time."""
        return self.headers.get(ATTEMPT_HEADER, "")

    @property
    def service(self) -> str:
        """The name that the request is signed for."""
        scope = _SCOPE.search(self.headers.get("authorization", ""))
        return scope[1] if scope else "unknown"

    @property
    def operation(self) -> str:
        return self.headers.get(OPERATION_HEADER, "unknown")

    @property
    def subject(self) -> str:
        """The kind of object, message or record that the call is about; the same in each run."""
        if self.service == "dynamodb":
            record = _RECORD.search(self.body)
            return record[1].decode() if record else ""
        if self.service == "sns":
            return "digest" if b"StringValue=digest" in self.body else "entries"
        if self.service != "s3":
            return ""
        name = unquote(urlsplit(self.target).path).rsplit("/", 1)[-1]
        return _UUID.sub("<search job>", _END.sub("<end>-", name))
