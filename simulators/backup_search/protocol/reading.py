"""From a request to an operation's input, by pydantic types that are made from the model and check its constraints.

moto's parser checks nothing: a number where a structure belongs ends in an AttributeError, a body that is no JSON is
an ordinary member, and enums, patterns and limits do not matter. AWS refuses all of these.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from moto.core.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.core.parse import EC2QueryParser
from moto.core.request import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

_CONFIG = ConfigDict(regex_engine="python-re")


class InvalidInputError(Exception):
    """A request whose input breaks a constraint of the model; the text names every member and what it must be."""


def read_input(operation: OperationModel, request: Request, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the operation's input by member name; times are aware datetimes.

    Args:
        operation: The operation that the request is for.
        request: The request.
        labels: The decoded labels of the URI.

    Raises:
        InvalidInputError: A member is missing, has the wrong type, or is outside of what the model allows.
    """
    if operation.service_model.protocol == "ec2":
        try:
            form: dict[str, Any] = EC2QueryParser(operation).parse({"values": request.values})
        except ValueError as error:
            raise InvalidInputError(str(error)) from error
        return form
    sources = {"uri": labels, "querystring": request.args, None: _json_body(request)}
    sent: dict[str, Any] = {}
    for name, member in operation.input_shape.members.items():
        wire_name = member.serialization.get("name", name)
        sent[wire_name] = sources[member.serialization.get("location")].get(wire_name)
    try:
        given = _input_type(operation).model_validate(
            {name: value for name, value in sent.items() if value is not None}
        )
    except ValidationError as error:
        problems = [
            f"Value at '{'.'.join(map(str, each['loc']))}' failed to satisfy constraint: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        found = f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected"
        raise InvalidInputError(f"{found}: {'; '.join(problems)}") from error
    return given.model_dump(exclude_none=True)


def _json_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or "{}")
    except ValueError as error:
        raise InvalidInputError(f"The request body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise InvalidInputError("The request body is no JSON object")
    return body


@cache
def _input_type(operation: OperationModel) -> type[BaseModel]:
    return _structure(operation.input_shape)


def _structure(shape: StructureShape) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, member in shape.members.items():
        kind = _type(member, is_text="location" in member.serialization)
        alias = member.serialization.get("name", name)
        required = name in shape.required_members
        fields[name] = (kind, Field(alias=alias)) if required else (kind | None, Field(None, alias=alias))
    return create_model(shape.name, __config__=_CONFIG, **fields)


def _type(shape: Shape, *, is_text: bool) -> Any:  # noqa: PLR0911 - a table of types
    limits = shape.metadata
    size = Field(min_length=limits.get("min"), max_length=limits.get("max"))
    match shape.type_name:
        case "structure":
            assert isinstance(shape, StructureShape)  # noqa: S101 - for the type checker, as below
            return _structure(shape)
        case "list":
            assert isinstance(shape, ListShape)  # noqa: S101
            return Annotated[list[_type(shape.member, is_text=is_text)], size]  # type: ignore[misc]
        case "map":
            assert isinstance(shape, MapShape)  # noqa: S101
            return dict[str, _type(shape.value, is_text=is_text)]  # type: ignore[misc]
        case "string":
            enum = tuple(getattr(shape, "enum", ()))
            pattern = Field(pattern=f"^(?:{limits['pattern']})$" if "pattern" in limits else None)
            return Literal[enum] if enum else Annotated[str, size, pattern]
        case "timestamp":
            return Annotated[datetime, BeforeValidator(_time_of_text if is_text else _time_of_number)]
        case "boolean":
            return Annotated[bool, Field(strict=True), BeforeValidator(_boolean_of_text if is_text else _unchanged)]
    numbers = {"integer": int, "long": int, "float": float, "double": float}
    return Annotated[numbers[shape.type_name], Field(ge=limits.get("min"), le=limits.get("max"), strict=not is_text)]


def _time_of_text(sent: str) -> datetime:
    time = datetime.fromisoformat(sent)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time_of_number(sent: object) -> datetime:
    if type(sent) not in {int, float}:
        raise ValueError("a timestamp is a number of seconds")
    try:
        return datetime.fromtimestamp(sent, UTC)  # type: ignore[arg-type]
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error


def _boolean_of_text(sent: str) -> object:
    return {"true": True, "false": False}.get(sent, sent)


def _unchanged(sent: object) -> object:
    return sent
