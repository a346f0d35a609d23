"""Reads scenario files, the YAML that a person writes. ``scenarios/nightly-invoices.yaml`` shows every key.

Everything here raises a ScenarioError with one sentence if a file cannot be read or is wrong.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from simulators.backup_search.field_types import ScenarioError, keys_of, validated
from simulators.backup_search.scenario import Scenario, by_name

_T = TypeVar("_T")


def load_scenarios(directory: Path) -> tuple[Scenario, ...]:
    """Return the scenarios of every ``.yaml`` file of a directory, in the order of the file names."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as error:
        raise ScenarioError(f"{directory}: this scenario directory cannot be read: {error.strerror}.") from error
    if not paths:
        raise ScenarioError(f"{directory}: there is no scenario (*.yaml) in this directory.")
    return tuple(by_name(load_scenario(path) for path in paths).values())


def load_scenario(path: Path) -> Scenario:
    """Return the scenario of one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: this scenario cannot be read: {error}.") from error
    return read_scenario(text, origin=str(path))


def read_scenario(text: str, *, origin: str) -> Scenario:
    """Return the scenario that a YAML text (JSON is YAML as well) describes; ``origin`` is for error texts."""
    try:
        content = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is an impossible date
        raise ScenarioError(f"{origin}: this is not YAML: {' '.join(str(error).split())}.") from error
    return scenario_of(content, origin=origin)


def scenario_of(content: object, *, origin: str) -> Scenario:
    """Return the scenario that the content of a scenario file describes."""
    if not isinstance(content, dict):
        raise ScenarioError(f"{origin}: the scenario must be a mapping of keys to values, not {content!r}.")
    if "origin" in content:
        raise ScenarioError(f"{origin}: origin is not a key here; allowed: {', '.join(keys_of(Scenario))}.")
    return checked(Scenario, {**content, "origin": origin}, origin)


def checked(kind: type[_T], value: object, where: str) -> _T:
    """Return a scenario or a vault, made from a mapping or already made, whose values are all possible."""
    return validated(kind, value, lambda sentence: ScenarioError(f"{where}: {sentence}."))


class _UniqueKeys(yaml.SafeLoader):
    """A SafeLoader that refuses a mapping with the same key twice, of which PyYAML silently drops the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} appears twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
