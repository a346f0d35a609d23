"""From an operation's output, or an error, to a reply: moto's serializers, with nulls and with rows of JSON text."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from moto.core.model import ListShape, OperationModel, Shape, StructureShape
from moto.core.serialize import EC2Serializer, RestJSONSerializer

from simulators.backup_search.protocol.service import Service


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer for the client, unless the connection is reset, or ends after half of the body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_reset: bool = False
    is_truncated: bool = False

    @classmethod
    def of_json(cls, value: Any, *, status: int = 200) -> "Reply":
        """Return a reply whose body is ``value`` as JSON; a type that JSON lacks (a time) becomes text."""
        return cls(status=status, body=json.dumps(value, default=str).encode())


class RenderedJson(str):
    """A member of an output that is JSON text already."""

    __slots__ = ()


class ServiceError(Exception):
    """An error that the service answers with: its code, and the members of its shape, ``message`` among them."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.members: dict[str, Any] = {"message": message, **members}


class _Serializer(RestJSONSerializer):
    """moto's serializer, for any structure of the model, which is what an error and a row of a list are."""

    def __init__(self, service: Service, *, nulls: bool) -> None:
        super().__init__(OperationModel({}, service.model))
        self._nulls = nulls

    def render(self, shape: Any, members: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """Return the JSON text of a structure, and the headers that the model wants some members in."""
        parts: dict[str, dict[str, Any]] = {"body": {}, "headers": {}}
        self._serialize_type_structure(parts, members, shape, "")
        texts = [f"{json.dumps(name)}:{_json_text(value)}" for name, value in parts["body"].items()]
        return f"{{{','.join(texts)}}}", parts["headers"]

    def _serialize_structure_member(self, serialized: Any, value: Any, shape: Shape, key: str) -> None:
        if self._nulls and value.get(key) is None and not shape.is_not_bound_to_body:
            serialized.get("body", serialized)[self.get_serialized_name(shape, key)] = None
        else:
            super()._serialize_structure_member(serialized, value, shape, key)

    def _serialize_type_list(self, serialized: Any, value: Any, shape: ListShape, key: str) -> None:
        if isinstance(value, RenderedJson):
            self._default_serialize(serialized, value, shape, key)
        else:
            super()._serialize_type_list(serialized, value, shape, key)


def render_json(service: Service, shape: StructureShape, members: Mapping[str, Any], *, nulls: bool = False) -> str:
    """Return the JSON text of a structure; members that it does not have are null if asked."""
    return _Serializer(service, nulls=nulls).render(shape, members)[0]


def render_output(
    service: Service, operation: OperationModel, output: Mapping[str, Any], *, nulls: bool = False
) -> Reply:
    """Return the reply that carries an operation's output; members that it does not have are null if asked."""
    if service.is_ec2:
        return Reply(200, str(EC2Serializer(operation).serialize(output)["body"]).encode())
    shape = operation.output_shape
    text, headers = _Serializer(service, nulls=nulls).render(shape, output) if shape else ("{}", {})
    return Reply(int(operation.http.get("responseCode", 200)), text.encode(), headers | _request_id())


def render_error(service: Service, error: ServiceError) -> Reply:
    """Return the reply that carries an error: status, ``x-amzn-errortype`` and members as the model says.

    AWS sends every required member, so one that the error does not have goes out as a placeholder. An error that the
    model lacks carries its message and ``Retry-After`` alone.
    """
    status = service.error_statuses[error.code]
    if service.is_ec2:
        text = f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.members['message'])}</Message></Error>"
        return Reply(status, f"<Response><Errors>{text}</Errors><RequestID>simulated</RequestID></Response>".encode())
    if shape := service.errors.get(error.code):
        given = {name.lower(): value for name, value in error.members.items()}  # a model may spell it "Message"
        members = {name: f"simulated {name}" for name in shape.required_members}
        members |= {name: given[name.lower()] for name in shape.members if name.lower() in given}
        text, headers = _Serializer(service, nulls=False).render(shape, members)
    else:
        text = json.dumps({"message": error.members["message"]})
        retry_after = error.members.get("retryAfterSeconds")
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Reply(status, text.encode(), {**headers, **_request_id(), "x-amzn-errortype": error.code})


def _json_text(value: Any) -> str:
    return value if isinstance(value, RenderedJson) else json.dumps(value, separators=(",", ":"))


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid.uuid4())}
