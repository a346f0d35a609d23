"""The keys of a YAML mapping, taken one by one; what is wrong with one is told in one sentence."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.moment import Moment

_T = TypeVar("_T")
_AGO = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day)s? ago")
_LONGEST = timedelta(days=36_500)


class YamlKeys:
    """The keys of one mapping; asking for a key is what makes it allowed.

    Args:
        origin: Where the mapping comes from, for error texts.
        prefix: Where in there it stands.
        content: The mapping.

    Raises:
        ScenarioError: It is no mapping. All methods raise it for a value that cannot be.
    """

    def __init__(self, origin: str, prefix: str, content: object) -> None:
        self._origin = origin
        self._prefix = prefix
        if not isinstance(content, dict):
            place = prefix.rstrip(".") or "the scenario"
            raise ScenarioError(f"{origin}: {place} must be a mapping of keys to values, not {content!r}.")
        self._content = content
        self._known: list[str] = []

    def value(self, key: str, default: object) -> Any:
        """Returns what is given, or the default."""
        self._known.append(key)
        return self._content.get(key, default)

    def text(self, key: str, default: str | None) -> str | None:
        """Returns a text."""
        value = self.value(key, default)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "text (in quotes, if it looks like something else)", value)
        return value

    def count(self, key: str, default: int | None) -> int | None:
        """Returns a number of things."""
        value = self.value(key, default)
        if value is not None and (type(value) is not int or value < 0):
            raise self._wrong(key, "a whole number of at least 0", value)
        return value

    def seconds(self, key: str, default: float) -> timedelta:
        """Returns a span that is given in seconds."""
        value = self.value(key, default)
        if type(value) not in {int, float} or not 0 <= value <= 30 * 86_400:
            raise self._wrong(key, "a number of seconds from 0 to 2592000", value)
        return timedelta(seconds=value)

    def list(self, key: str) -> list[Any]:
        """Returns a list; an empty one if none is given."""
        value = self.value(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, "a list", value)
        return value

    def mappings(self, key: str) -> Iterator["YamlKeys"]:
        """Returns the mappings of a list."""
        for number, content in enumerate(self.list(key), 1):
            yield YamlKeys(self._origin, f"{self._prefix}{key}[{number}].", content)

    def texts(self, key: str, what: str) -> tuple[str, ...]:
        """Returns a list of texts; ``what`` says what it must be if it is none."""
        texts = self.list(key)
        if not all(isinstance(text, str) for text in texts):
            raise self._wrong(key, what, texts)
        return tuple(texts)

    def pairs(self, key: str) -> dict[str, str]:
        """Returns texts by text."""
        value = self.value(key, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for pair in value.items() for text in pair):
            raise self._wrong(key, "a mapping of texts to texts", value)
        return dict(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Returns true or false."""
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def ago(self, key: str) -> timedelta | None:
        """Returns how long ago something was; None if it is not given."""
        value = self.value(key, None)
        if value is None:
            return None
        span = _span(value)
        if span is None:
            raise self._wrong(key, "a time such as '3 hours ago'", value)
        return span

    def moment(self, key: str, default: Moment) -> Moment:
        """Returns a time, or how long ago it was."""
        moment = self.moment_or_none(key, default)
        return default if moment is None else moment

    def moment_or_none(self, key: str, default: Moment | None = None) -> Moment | None:
        """Returns a time, or how long ago it was; the default if it is not given."""
        given: object = self.value(key, None)
        if given is None and key not in self._content:
            return default
        moment = given
        if isinstance(given, str):
            span = _span(given)
            moment = _timestamp(given) if span is None else span
        if isinstance(moment, timedelta):
            return moment
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            return moment.astimezone(UTC)
        raise self._wrong(key, "a time such as '3 hours ago' or 2026-11-20T03:00:00Z", given)

    def make(self, build: Callable[[], _T]) -> _T:
        """Returns what ``build`` makes of the values; what it says is wrong is told with the place."""
        try:
            return build()
        except ScenarioError as error:
            if str(error).startswith(self._origin):
                raise
            raise self._error(str(error)) from error

    def finish(self) -> None:
        """Checks that nothing is given that was not asked for."""
        for key in self._content:
            if key not in self._known:
                raise self._error(f"{key} is no key here; allowed: {', '.join(self._known)}")

    def _wrong(self, key: str, allowed: str, value: object) -> ScenarioError:
        return self._error(f"{key} must be {allowed}, not {value!r}")

    def _error(self, sentence: str) -> ScenarioError:
        return ScenarioError(f"{self._origin}: {self._prefix}{sentence}.")


def _span(value: object) -> timedelta | None:
    found = _AGO.fullmatch(value) if isinstance(value, str) else None
    try:
        span = timedelta(**{f"{found[2]}s": float(found[1])}) if found else None
    except OverflowError:
        return None
    return span if span is not None and span <= _LONGEST else None


def _timestamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
