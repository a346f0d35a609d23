"""From an operation's output, or an error, to a reply: wire names, locations and formats as the model says."""

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from simulators.backup_search.protocol import ec2_query
from simulators.backup_search.protocol.message import Reply
from simulators.backup_search.protocol.service import Service


class RenderedJson(str):
    """A member of an output that is JSON text already, and goes out as it is."""

    __slots__ = ()


class ServiceError(Exception):
    """An error that the service answers with.

    Attributes:
        code: One of the service's error codes.
        members: The members of the error's shape, ``message`` among them.
    """

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.members: dict[str, Any] = {"message": message, **members}


def render_output(operation: OperationModel, output: Mapping[str, Any], *, nulls: bool = False) -> Reply:
    """Returns the reply that carries an operation's output.

    Args:
        operation: The operation.
        output: Its output.
        nulls: Whether a member that is not there goes out as null, as AWS Backup does at times (aws-facts.md §7).
    """
    if operation.service_model.metadata["protocol"] == ec2_query.NAME:
        return ec2_query.render_xml(operation, output)
    return _reply(operation.output_shape, output, int(operation.http.get("responseCode", 200)), nulls=nulls)


def render_error(service: Service, error: ServiceError) -> Reply:
    """Returns the reply that carries an error: status, ``x-amzn-errortype`` and members as the model says.

    A required member that the error does not have goes out as a placeholder, because AWS always sends it. An error
    that the model lacks, but every service has, carries its message and ``Retry-After`` alone.

    Raises:
        KeyError: The service has no such error code.
    """
    status = service.error_status(error.code)
    if service.is_ec2:
        return ec2_query.render_xml_error(error.code, error.members["message"], status)
    shape = service.errors.get(error.code)
    if shape is None:
        reply = _common_error(error, status)
    else:
        # A model may spell it "Message".
        names = {name.lower(): name for name in shape.members}
        members = {names[name.lower()]: value for name, value in error.members.items() if name.lower() in names}
        placeholders = {name: f"simulated {name}" for name in shape.required_members if name not in members}
        reply = _reply(shape, placeholders | members, status)
    return Reply(reply.status, reply.body, {**reply.headers, "x-amzn-errortype": error.code})


def render_json(shape: Shape, value: Any, *, nulls: bool = False) -> str:
    """Returns ``value`` as JSON text in the wire form of ``shape``; members that are not there are null if asked."""
    return "null" if value is None else json.dumps(_wire(shape, value, nulls=nulls), separators=(",", ":"))


def _common_error(error: ServiceError, status: int) -> Reply:
    reply = _reply(None, {}, status)
    retry_after = error.members.get("retryAfterSeconds")
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = json.dumps({"message": error.members["message"]}).encode()
    return Reply(status, body, {**reply.headers, **headers})


def _reply(shape: StructureShape | None, output: Mapping[str, Any], status: int, *, nulls: bool = False) -> Reply:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    members: list[str] = []
    for name, member in shape.members.items() if shape is not None else ():
        value = output.get(name)
        wire_name = str(member.serialization.get("name", name))
        location = member.serialization.get("location")
        if value is None and (location or not nulls):
            continue
        if location == "header":
            headers[wire_name] = str(_wire(member, value, "rfc822"))
        elif location != "statusCode":
            text = value if isinstance(value, RenderedJson) else render_json(member, value, nulls=nulls)
            members.append(f"{json.dumps(wire_name)}:{text}")
    return Reply(status, f"{{{','.join(members)}}}".encode(), headers)


def _wire(shape: Shape, value: Any, time_format: str = "unixTimestamp", *, nulls: bool = False) -> Any:
    if isinstance(shape, StructureShape):
        return {
            str(member.serialization.get("name", name)): _wire(member, value[name], nulls=nulls)
            if value.get(name) is not None
            else None
            for name, member in shape.members.items()
            if nulls or value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_wire(shape.member, item, nulls=nulls) for item in value]
    if isinstance(shape, MapShape):
        return {key: _wire(shape.value, item, nulls=nulls) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _wire_time(value, shape.serialization.get("timestampFormat", time_format))
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def _wire_time(moment: datetime, time_format: str) -> str | float:
    if time_format == "rfc822":
        return format_datetime(moment.astimezone(UTC), usegmt=True)
    if time_format == "iso8601":
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seconds = round(moment.timestamp(), 3)
    return int(seconds) if seconds.is_integer() else seconds
