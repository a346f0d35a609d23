"""Whether AWS's model allows a value that a person wrote; one that it does not is refused in one sentence."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from botocore.model import ListShape, Shape, StringShape, StructureShape

from simulators.backup_search.field_types import ScenarioError


def check_one_of(where: str, value: str, allowed: Iterable[str]) -> None:
    """Raise a ScenarioError if a value is not one of these."""
    if value not in allowed:
        raise ScenarioError(f"{where} must be one of {', '.join(allowed)}, not {value!r}.")


def check_value(where: str, value: object, shape: Shape) -> None:
    """Raise a ScenarioError if a value is not one of this shape; a time is a datetime, or text, with its zone."""
    if isinstance(shape, StructureShape):
        _check_structure(where, value, shape)
    elif isinstance(shape, ListShape):
        limits = shape.metadata
        if not isinstance(value, list | tuple) or not limits.get("min", 0) <= len(value) <= limits["max"]:
            allowed = f"a list of {limits.get('min', 0)} to {limits['max']}"
            raise ScenarioError(f"{where} must be {allowed}, not {_shown(value)}.")
        for number, each in enumerate(value, 1):
            check_value(f"{where}[{number}]", each, shape.member)
    elif isinstance(shape, StringShape) and shape.enum:
        check_one_of(where, str(value), shape.enum)
    elif shape.type_name == "timestamp":
        if not _is_time(value):
            raise ScenarioError(f"{where} must be a time such as 2026-11-20T03:00:00Z, not {value!r}.")
    elif type(value) is not {"string": str, "long": int}[shape.type_name]:
        kind = {"string": "text", "long": "a whole number"}[shape.type_name]
        raise ScenarioError(f"{where} must be {kind}, not {value!r}.")


def _check_structure(where: str, value: object, shape: StructureShape) -> None:
    if not isinstance(value, Mapping):
        raise ScenarioError(f"{where} must be a mapping of keys to values, not {value!r}.")
    for name in shape.required_members:
        if name not in value:
            raise ScenarioError(f"{where}.{name} is missing.")
    for name, each in value.items():
        if name not in shape.members:
            raise ScenarioError(f"{where}.{name} is not a key here; allowed: {', '.join(shape.members)}.")
        check_value(f"{where}.{name}", each, shape.members[name])


def _shown(value: object) -> str:
    return f"of {len(value)}" if isinstance(value, list | tuple) else repr(value)


def _is_time(value: object) -> bool:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return False
    return isinstance(time, datetime) and time.tzinfo is not None
