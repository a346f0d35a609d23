"""One HTTP request and one HTTP reply as values, so that everything but the server itself works without a socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent.

    Attributes:
        method: The HTTP method, in capitals.
        path: The path as sent, still percent-encoded: a label may hold an encoded slash.
        query: The decoded query parameters, each with all its values.
        headers: The headers, names in lower case.
        body: The body, empty if there was none.
    """

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Disruption(StrEnum):
    """What happens to the connection while a reply is sent."""

    NONE = "none"
    RESET = "reset"
    TRUNCATE = "truncate"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets.

    Attributes:
        status: The HTTP status.
        body: The whole body, also where ``disruption`` lets only half of it out.
        headers: Headers besides Content-Length and Content-Type.
        disruption: What happens to the connection.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    disruption: Disruption = Disruption.NONE

    @classmethod
    def of_json(cls, value: Any, *, status: int = 200) -> "Reply":
        """Returns a reply whose body is ``value`` as JSON; what JSON does not know (a time) goes out as text."""
        return cls(status=status, body=json.dumps(value, default=str).encode())
