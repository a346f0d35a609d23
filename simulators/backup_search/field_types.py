"""Types of the fields of scenarios, vaults and faults. Pydantic checks them; a failed check becomes one sentence."""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from simulators.backup_search.numbered_text import PLACEHOLDER


class ScenarioError(ValueError):
    """A scenario or a vault that is not possible; the text names it or its file, the key, and what is allowed."""


_T = TypeVar("_T")
_AGO = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day)s? ago")
_LONGEST = timedelta(days=36_500)
_LONGEST_RUN = timedelta(days=30)
_ALLOWED = {
    "dataclass_type": "must be a mapping of keys to values",
    "string_type": "must be text (in quotes, if it looks like something else)",
    "tuple_type": "must be a list",
}

CONFIG = ConfigDict(extra="forbid", revalidate_instances="always")
"""The ``__pydantic_config__`` of a dataclass that is read from YAML or JSON."""


def one_of(*allowed: str) -> AfterValidator:
    """Return a validator that allows only these texts."""

    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return AfterValidator(check)


def _moment(value: object) -> object:
    try:
        if isinstance(value, str):
            value = _span(value) or datetime.fromisoformat(value)
        if isinstance(value, timedelta):
            return value
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
    except ValueError:
        pass
    raise ValueError("must be a time such as '3 hours ago' or 2026-11-20T03:00:00Z")


def _ago(value: object) -> object:
    span = _span(value) if isinstance(value, str) else value
    if isinstance(span, timedelta) and span >= timedelta(0):
        return span
    raise ValueError("must be a time such as '3 hours ago'")


def _span(text: str) -> timedelta | None:
    found = _AGO.fullmatch(text)
    try:
        span = timedelta(**{f"{found[2]}s": float(found[1])}) if found else None
    except OverflowError:
        return None
    return span if span is not None and span <= _LONGEST else None


def _seconds(value: object) -> object:
    span = timedelta(seconds=value) if type(value) in {int, float} and abs(value) <= 1e9 else value  # type: ignore[arg-type]
    if isinstance(span, timedelta) and timedelta(0) <= span <= _LONGEST_RUN:
        return span
    raise ValueError("must be a number of seconds from 0 to 2592000")


def _template(text: str) -> str:
    if "{i" in PLACEHOLDER.sub("", text):
        raise ValueError("must hold no placeholder but {i}, {i:04} and {i:017x}")
    return text


Moment = Annotated[datetime | timedelta, BeforeValidator(_moment)]
"""A time, or how long before an event it is: a search job's creation, the filling of a vault."""
Ago = Annotated[timedelta, BeforeValidator(_ago)]
Seconds = Annotated[timedelta, BeforeValidator(_seconds)]
Count = Annotated[int, Field(strict=True, ge=0)]
OneOrMore = Annotated[int, Field(strict=True, ge=1)]
Template = Annotated[str, AfterValidator(_template)]
"""A text that may hold ``{i}``, the number of a backup or of a result, also as ``{i:04}`` or ``{i:017x}``."""


def time_of(moment: datetime | timedelta, event: datetime) -> datetime:
    """Return the time of a moment; a span counts back from the event."""
    return (event - moment if isinstance(moment, timedelta) else moment).astimezone(UTC)


def validated(kind: type[_T], value: object, problem: Callable[[str], Exception]) -> _T:
    """Return a value as a dataclass, with every field checked.

    Args:
        kind: The dataclass.
        value: A mapping, or an instance, which is checked again.
        problem: Makes the exception from where the first problem is and what is allowed: ``count must be …``.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise problem(_sentence(kind, error)) from error


def _sentence(kind: type, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    match first["type"]:
        case "missing":
            return f"{where} is missing"
        case "unexpected_keyword_argument":
            return f"{where} is not a key here; allowed: {', '.join(keys_of(_class_at(kind, first['loc'][:-1])))}"
    allowed = first["msg"].removeprefix("Value error, ")
    allowed = _ALLOWED.get(first["type"]) or re.sub(r"^\w+ should", "must", allowed)
    if allowed.startswith("must"):
        return f"{where} {allowed}, not {first['input']!r}"
    return f"{where}.{allowed}".lstrip(".")


def keys_of(kind: Any) -> list[str]:
    """Return the keys that a mapping may have which is read as this dataclass."""
    return [str(key) for each in fields(kind) if (key := each.metadata.get("key", each.name))]


def _class_at(kind: Any, loc: tuple[int | str, ...]) -> Any:
    for part in loc:
        if isinstance(part, str):
            hint = get_type_hints(kind)[part]
            kind = next(each for each in (hint, *get_args(hint)) if is_dataclass(each))
    return kind
