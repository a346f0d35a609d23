"""From a request to an operation's input: values, taken from where the model puts them and checked against it."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from simulators.backup_search.protocol import ec2_query
from simulators.backup_search.protocol.message import Request

_NUMBERS = {"integer", "long", "float", "double"}
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "blob": (str,),
    "timestamp": (int, float, str),
}
_NOTHING = object()


class InvalidInputError(Exception):
    """A request whose input breaks a constraint of the model; the text names every member and what it must be."""


def read_input(operation: OperationModel, request: Request, labels: Mapping[str, str]) -> dict[str, Any]:
    """Returns the operation's input by member name; times are aware datetimes.

    Args:
        operation: The operation that the request is for.
        request: The request.
        labels: What the route took from the URI, decoded.

    Raises:
        InvalidInputError: Something is missing, has the wrong type, or is outside of what the model allows.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    if operation.service_model.metadata["protocol"] == ec2_query.NAME:
        try:
            return ec2_query.read_form(operation, request)
        except ValueError as error:
            raise InvalidInputError(str(error)) from error
    reader = _Reader()
    body = _json_body(request)
    values: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire_name = str(member.serialization.get("name", name))
        where = member.serialization.get("location")
        if where == "uri":
            value = reader.text(member, labels[wire_name], wire_name, "iso8601")
        elif where == "querystring":
            value = reader.query(member, request.query, wire_name)
        elif where == "header":
            sent = request.headers.get(wire_name.lower())
            value = _NOTHING if sent is None else reader.text(member, sent, wire_name, "rfc822")
        else:
            sent = body.get(wire_name)
            value = _NOTHING if sent is None else reader.json(member, sent, wire_name)
        if value is not _NOTHING:
            values[name] = value
        elif name in shape.required_members:
            reader.complain(wire_name, "Member must not be null")
    reader.finish()
    return values


def _json_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body) if request.body else {}
    except ValueError as error:
        raise InvalidInputError(f"The request body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise InvalidInputError("The request body is no JSON object")
    return body


def _is_json(kind: str, sent: Any) -> bool:
    # bool is an int for Python, not for JSON.
    return isinstance(sent, _JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(sent, bool))


class _Reader:
    """Turns wire values into Python values and collects what is wrong with them."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def complain(self, path: str, constraint: str) -> None:
        self._problems.append(f"Value at '{path}' failed to satisfy constraint: {constraint}")

    def finish(self) -> None:
        count = len(self._problems)
        if count:
            noun = "error" if count == 1 else "errors"
            raise InvalidInputError(f"{count} validation {noun} detected: {'; '.join(self._problems)}")

    def query(self, shape: Shape, query: Mapping[str, list[str]], name: str) -> Any:
        if isinstance(shape, MapShape):
            return {key: values[0] for key, values in query.items()}
        sent = query.get(name)
        if sent is None:
            return _NOTHING
        if isinstance(shape, ListShape):
            return self._checked(shape, [self.text(shape.member, text, name, "iso8601") for text in sent], name)
        return self.text(shape, sent[0], name, "iso8601")

    def text(self, shape: Shape, text: str, path: str, time_format: str) -> Any:
        try:
            if shape.type_name in {"integer", "long"}:
                return self._checked(shape, int(text), path)
            if shape.type_name in {"float", "double"}:
                return self._checked(shape, float(text), path)
        except ValueError:
            return self.complain(path, "Member must be a number")
        if shape.type_name == "boolean":
            return text == "true" if text in {"true", "false"} else self.complain(path, "Member must be true or false")
        if shape.type_name == "timestamp":
            return self._time(shape, text, path, time_format)
        return self._checked(shape, text, path)

    def json(self, shape: Shape, sent: Any, path: str) -> Any:
        kind = shape.type_name
        if not _is_json(kind, sent):
            return self.complain(path, f"Member must be a {kind}")
        if isinstance(shape, StructureShape):
            return self._structure(shape, sent, path)
        if isinstance(shape, ListShape):
            items = [self.json(shape.member, item, f"{path}.{number}.member") for number, item in enumerate(sent, 1)]
            return self._checked(shape, items, path)
        if isinstance(shape, MapShape):
            return {
                self.json(shape.key, key, path): self.json(shape.value, value, f"{path}.{key}")
                for key, value in sent.items()
            }
        return self._scalar(shape, sent, path)

    def _scalar(self, shape: Shape, sent: Any, path: str) -> Any:
        if shape.type_name == "timestamp":
            return self._time(shape, sent, path, "unixTimestamp")
        if shape.type_name == "blob":
            return self._blob(sent, path)
        return self._checked(shape, sent, path)

    def _structure(self, shape: StructureShape, sent: dict[str, Any], path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, member in shape.members.items():
            wire_name = str(member.serialization.get("name", name))
            if sent.get(wire_name) is not None:
                values[name] = self.json(member, sent[wire_name], f"{path}.{wire_name}")
            elif name in shape.required_members:
                self.complain(f"{path}.{wire_name}", "Member must not be null")
        if shape.is_tagged_union and len(values) != 1:
            self.complain(path, f"Member must have exactly one of {list(shape.members)}")
        return values

    def _blob(self, sent: str, path: str) -> Any:
        try:
            return base64.b64decode(sent, validate=True)
        except binascii.Error:
            return self.complain(path, "Member must be base64")

    def _time(self, shape: Shape, sent: float | str, path: str, default_format: str) -> Any:
        time_format = shape.serialization.get("timestampFormat", default_format)
        try:
            if time_format == "unixTimestamp":
                return datetime.fromtimestamp(float(sent), UTC)
            if time_format == "rfc822":
                return parsedate_to_datetime(str(sent))
            moment = datetime.fromisoformat(str(sent))
        except (ValueError, OverflowError, OSError):
            return self.complain(path, f"Member must be a timestamp in the format {time_format}")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _checked(self, shape: Shape, value: Any, path: str) -> Any:
        """Looks at the constraints that botocore's own validator leaves to the service: enum, pattern, maximum."""
        limits = shape.metadata
        size = value if shape.type_name in _NUMBERS else len(value)
        about = "value" if shape.type_name in _NUMBERS else "length"
        if "min" in limits and size < limits["min"]:
            self.complain(path, f"Member must have {about} greater than or equal to {limits['min']}")
        if "max" in limits and size > limits["max"]:
            self.complain(path, f"Member must have {about} less than or equal to {limits['max']}")
        if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
            self.complain(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        if "pattern" in limits and not re.search(f"^(?:{limits['pattern']})$", value):
            self.complain(path, f"Member must satisfy regular expression pattern: {limits['pattern']}")
        return value
