"""Scenario files: YAML that a person writes, read into values; what is wrong is told in one sentence."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.scenario import BackupGroup, Progress, Scenario, by_name
from simulators.backup_search.vault_files import read_scope, read_vault
from simulators.backup_search.yaml_keys import YamlKeys


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
    keys = YamlKeys(origin, "", content)
    progress = YamlKeys(origin, "progress.", keys.value("progress", {}))
    scenario = keys.make(
        lambda: Scenario(
            name=keys.text("name", None) or "",
            backups=tuple(map(_group, keys.mappings("backups"))),
            resource_type=keys.text("resource_type", "S3") or "",
            runs_for=keys.seconds("runs_for", 0),
            stops_for=keys.seconds("stops_for", 2),
            end_status=keys.text("end_status", "COMPLETED") or "",
            status_message=keys.text("status_message", None),
            progress=Progress(**{name: progress.count(name, None) for name in Progress.__slots__}),
            ended_ago=keys.ago("ended"),
            omit=keys.texts("omit", "a list of member names"),
            origin=origin,
            scope=read_scope(keys, origin),
            vaults=tuple(map(read_vault, keys.mappings("vaults"))),
        )
    )
    progress.finish()
    keys.finish()
    return scenario


def _group(keys: YamlKeys) -> BackupGroup:
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
            omit=keys.texts("omit", "a list of member names"),
            listed=keys.flag("listed", default=True),
            vault=keys.text("vault", None),
            index=keys.text("index", None),
            index_message=keys.text("index_message", None),
        )
    )
    keys.finish()
    return group


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
