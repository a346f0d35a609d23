"""Scenario files: YAML that a person writes, read into values; what is wrong is told in one sentence."""

import re
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml

from local.backup_simulator.scenario import BackupGroup, Moment, Progress, Scenario, ScenarioError, by_name

_T = TypeVar("_T")
_AGO = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day)s? ago")
_LONGEST = timedelta(days=36_500)


def load_scenarios(directory: Path) -> tuple[Scenario, ...]:
    """Returns the scenarios of every ``.yaml`` file of a directory, in the order of the file names.

    Raises:
        ScenarioError: The directory or a file cannot be read, is wrong, or two scenarios have the same name.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as error:
        raise ScenarioError(f"{directory}: this scenario directory cannot be read: {error.strerror}.") from error
    if not paths:
        raise ScenarioError(f"{directory}: there is no scenario (*.yaml) in this directory.")
    return tuple(by_name(load_scenario(path) for path in paths).values())


def load_scenario(path: Path) -> Scenario:
    """Returns the scenario of one file.

    Raises:
        ScenarioError: The file cannot be read or is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: this scenario cannot be read: {error}.") from error
    return read_scenario(text, origin=str(path))


def read_scenario(text: str, *, origin: str) -> Scenario:
    """Returns the scenario that a YAML text (JSON is YAML as well) describes.

    Args:
        text: The text.
        origin: Where it comes from, for error texts.

    Raises:
        ScenarioError: The text is no YAML, or a key, a type or a value is wrong.
    """
    try:
        content = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date that is none
        raise ScenarioError(f"{origin}: this is no YAML: {' '.join(str(error).split())}.") from error
    return scenario_of(content, origin=origin)


def scenario_of(content: object, *, origin: str) -> Scenario:
    """Returns the scenario that the content of a scenario file describes.

    Raises:
        ScenarioError: A key, a type or a value is wrong.
    """
    keys = _Mapping(origin, "", content)
    progress = _Mapping(origin, "progress.", keys.value("progress", {}))
    scenario = keys.make(
        lambda: Scenario(
            name=keys.text("name", None) or "",
            backups=tuple(
                _group(_Mapping(origin, f"backups[{number}].", group))
                for number, group in enumerate(keys.list("backups"), 1)
            ),
            resource_type=keys.text("resource_type", "S3") or "",
            runs_for=keys.seconds("runs_for", 0),
            stops_for=keys.seconds("stops_for", 2),
            end_status=keys.text("end_status", "COMPLETED") or "",
            status_message=keys.text("status_message", None),
            progress=Progress(**{name: progress.count(name, None) for name in Progress.__slots__}),
            ended_ago=keys.ago("ended"),
            omit=keys.names("omit"),
            origin=origin,
        )
    )
    progress.finish()
    keys.finish()
    return scenario


def _group(keys: "_Mapping") -> BackupGroup:
    default = BackupGroup()
    group = keys.make(
        lambda: BackupGroup(
            count=keys.count("count", default.count) or 0,
            status=keys.text("status", default.status) or "",
            status_message=keys.text("status_message", None),
            resource_type=keys.text("resource_type", None),
            source=keys.text("source", None),
            backup_arn=keys.text("backup_arn", None),
            created=keys.moment("created", default.created),
            index_created=keys.moment("index_created", default.index_created),
            omit=keys.names("omit"),
        )
    )
    keys.finish()
    return group


class _Mapping:
    """The keys of one mapping; asking for a key is what makes it allowed."""

    def __init__(self, origin: str, prefix: str, content: object) -> None:
        self._origin = origin
        self._prefix = prefix
        if not isinstance(content, dict):
            raise self._wrong(prefix.rstrip(".") or "the scenario", "a mapping of keys to values", content)
        self._content = content
        self._known: list[str] = []

    def value(self, key: str, default: object) -> Any:
        self._known.append(key)
        return self._content.get(key, default)

    def text(self, key: str, default: str | None) -> str | None:
        value = self.value(key, default)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "text (in quotes, if it looks like something else)", value)
        return value

    def count(self, key: str, default: int | None) -> int | None:
        value = self.value(key, default)
        if value is not None and (type(value) is not int or value < 0):
            raise self._wrong(key, "a whole number of at least 0", value)
        return value

    def seconds(self, key: str, default: float) -> timedelta:
        value = self.value(key, default)
        if type(value) not in {int, float} or not 0 <= value <= 30 * 86_400:
            raise self._wrong(key, "a number of seconds from 0 to 2592000", value)
        return timedelta(seconds=value)

    def list(self, key: str) -> list[Any]:
        value = self.value(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, "a list", value)
        return value

    def names(self, key: str) -> tuple[str, ...]:
        names = self.list(key)
        if not all(isinstance(name, str) for name in names):
            raise self._wrong(key, "a list of member names", names)
        return tuple(names)

    def ago(self, key: str) -> timedelta | None:
        value = self.value(key, None)
        if value is None:
            return None
        span = _span(value)
        if span is None:
            raise self._wrong(key, "a time such as '3 hours ago'", value)
        return span

    def moment(self, key: str, default: Moment) -> Moment:
        value = self.value(key, default)
        if isinstance(value, timedelta):
            return value
        if isinstance(value, str):
            value = _span(value) or _timestamp(value)
        if isinstance(value, timedelta):
            return value
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        raise self._wrong(key, "a time such as '3 hours ago' or 2026-11-20T03:00:00Z", self._content[key])

    def make(self, build: Callable[[], _T]) -> _T:
        try:
            return build()
        except ScenarioError as error:
            if str(error).startswith(self._origin):
                raise
            raise self._error(str(error)) from error

    def finish(self) -> None:
        for key in self._content:
            if key not in self._known:
                raise self._error(f"{key} is no key here; allowed: {', '.join(self._known)}")

    def _wrong(self, key: str, allowed: str, value: object) -> ScenarioError:
        return self._error(f"{key} must be {allowed}, not {value!r}")

    def _error(self, sentence: str) -> ScenarioError:
        return ScenarioError(f"{self._origin}: {self._prefix}{sentence}.")


class _UniqueKeys(yaml.SafeLoader):
    """A SafeLoader that refuses a key that stands twice in a mapping; YAML's own would drop the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        """Returns the mapping.

        Raises:
            yaml.constructor.ConstructorError: A key stands twice.
        """
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


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
