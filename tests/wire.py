"""An SDK client that AWS answers byte for byte as a test says: nothing is sent, all else is the SDK's own."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from tests.invocation import CREDENTIALS

Answer = bytes | dict[str, Any] | Exception | AWSResponse


class Wire:
    """A client of a service, and what it was asked.

    Attributes:
        requests: The parameters of each call.
    """

    def __init__(self, service: str, *answers: Answer) -> None:
        self.answer(*answers)
        make: Any = boto3.client
        self.client = make(
            service,
            **CREDENTIALS,
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.client.meta.events.register("provide-client-params", self._note)
        self.client.meta.events.register("before-send", self._answer)

    def answer(self, *answers: Answer) -> None:
        """Answer each further request with the next of these, and all others with the last."""
        self.requests: list[dict[str, Any]] = []
        self._answers = list(answers)

    def _note(self, params: dict[str, Any], **_: object) -> None:
        self.requests.append(params)

    def _answer(self, **_: object) -> AWSResponse:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, AWSResponse) else response(answer)


def response(body: bytes | dict[str, Any], status: int = 200, error: str | None = None) -> AWSResponse:
    """Return an answer of HTTP; with an error's code as AWS's JSON protocols have it."""
    headers = HTTPHeaders.from_dict({"x-amzn-errortype": error} if error else {})
    raw: Any = _Body(body if isinstance(body, bytes) else json.dumps(body).encode())
    return AWSResponse("https://aws.example", status, headers, raw)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content
