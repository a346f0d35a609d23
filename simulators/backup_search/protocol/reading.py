"""From a request to an operation's input, by pydantic types that are made from the model and check its constraints.

moto's parser checks nothing: a number where a structure belongs ends in an AttributeError, a body that is not JSON is
an ordinary member, and enums, patterns and limits do not matter. AWS refuses all of these.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from moto.core.model import OperationModel
from moto.core.parse import EC2QueryParser
from moto.core.request import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

_CONFIG = ConfigDict(regex_engine="python-re")


class InvalidInputError(Exception):
    """A request whose input breaks a constraint of the model; the text names every member and what it must be."""


def read_input(operation: OperationModel, request: Request, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the operation's input by member name; times are aware datetimes.

    Raises:
        InvalidInputError: A member is missing, has the wrong type, or is outside of what the model allows.
    """
    if operation.service_model.protocol == "ec2":
        form: Any = {"values": request.values}
        try:
            form = EC2QueryParser(operation).parse(form)
        except ValueError as error:
            raise InvalidInputError(str(error)) from error
        return dict(form)
    sources = {"uri": labels, "querystring": request.args, None: _json_body(request)}
    sent: dict[str, Any] = {}
    for name, member in _members(operation.input_shape):
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
        raise InvalidInputError(f"The request body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise InvalidInputError("The request body is not a JSON object")
    return body


@cache
def _input_type(operation: OperationModel) -> type[BaseModel]:
    return _structure(operation.input_shape)


def _structure(shape: Shape | None) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, member in _members(shape):
        kind = _type(member, is_text="location" in member.serialization)
        alias = member.serialization.get("name", name)
        is_required = isinstance(shape, StructureShape) and name in shape.required_members
        fields[name] = (kind, Field(alias=alias)) if is_required else (kind | None, Field(None, alias=alias))
    return create_model(shape.name if shape else "Nothing", __config__=_CONFIG, **fields)


def _members(shape: Shape | None) -> Iterable[tuple[str, Shape]]:
    return shape.members.items() if isinstance(shape, StructureShape) else ()


def _type(shape: Shape, *, is_text: bool) -> Any:  # noqa: PLR0911 - a table of types
    limits = shape.metadata
    size = Field(min_length=limits.get("min"), max_length=limits.get("max"))
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return Annotated[list[_type(shape.member, is_text=is_text)], size]  # type: ignore[misc]
    if isinstance(shape, MapShape):
        return dict[str, _type(shape.value, is_text=is_text)]  # type: ignore[misc]
    if isinstance(shape, StringShape):
        pattern = Field(pattern=f"^(?:{limits['pattern']})$" if "pattern" in limits else None)
        return Literal[tuple(shape.enum)] if shape.enum else Annotated[str, size, pattern]
    if shape.type_name == "timestamp":
        return Annotated[datetime, BeforeValidator(_time_of_text if is_text else _time_of_number)]
    if shape.type_name == "boolean":
        return Annotated[bool, Field(strict=True), *([BeforeValidator(_boolean_of_text)] if is_text else [])]
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
