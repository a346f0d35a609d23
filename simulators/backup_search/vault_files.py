"""What a scenario file says of vaults and of the scope of a search, read into values."""

from typing import Any

from simulators.backup_search.scope import Scope
from simulators.backup_search.vault import RecoveryPointGroup, Vault
from simulators.backup_search.yaml_keys import YamlKeys

_MEMBERS = "a list of member names"
_ARNS = "a list of ARNs"


def vault_of(content: object, *, origin: str) -> Vault:
    """Returns the vault that a mapping describes.

    Args:
        content: The mapping.
        origin: Where it comes from, for error texts.

    Raises:
        ScenarioError: A key, a type or a value is wrong.
    """
    return read_vault(YamlKeys(origin, "", content))


def read_vault(keys: YamlKeys) -> Vault:
    """Returns the vault that the keys of a mapping describe.

    Raises:
        ScenarioError: A key, a type or a value is wrong.
    """
    default = Vault("")
    vault = keys.make(
        lambda: Vault(
            name=keys.text("name", None) or "",
            type=keys.text("type", default.type) or "",
            created=keys.moment("created", default.created),
            recovery_points=tuple(map(_recovery_points, keys.mappings("recovery_points"))),
        )
    )
    keys.finish()
    return vault


def read_scope(keys: YamlKeys, origin: str) -> Scope | None:
    """Returns the scope that stands under the key ``scope``; None if there is none.

    Raises:
        ScenarioError: A key, a type or a value is wrong.
    """
    content: Any = keys.value("scope", None)
    if content is None:
        return None
    inner = YamlKeys(origin, "scope.", content)
    scope = Scope(
        created_after=inner.moment_or_none("created_after"),
        created_before=inner.moment_or_none("created_before"),
        source_arns=inner.texts("source_arns", _ARNS),
        backup_arns=inner.texts("backup_arns", _ARNS),
        tags=inner.pairs("tags"),
    )
    inner.finish()
    return scope


def _recovery_points(keys: YamlKeys) -> RecoveryPointGroup:
    default = RecoveryPointGroup()
    group = keys.make(
        lambda: RecoveryPointGroup(
            count=keys.count("count", default.count) or 0,
            resource_type=keys.text("resource_type", default.resource_type) or "",
            source=keys.text("source", None),
            arn=keys.text("arn", None),
            created=keys.moment("created", default.created),
            completed=keys.moment_or_none("completed"),
            status=keys.text("status", default.status) or "",
            status_message=keys.text("status_message", None),
            index=_index(keys.text("index", default.index)),
            index_message=keys.text("index_message", None),
            index_created=keys.moment_or_none("index_created"),
            items_indexed=keys.count("items_indexed", default.items_indexed),
            iam_role_arn=keys.text("iam_role_arn", default.iam_role_arn) or "",
            storage_class=keys.text("storage_class", default.storage_class) or "",
            move_to_cold_storage_at=keys.moment_or_none("move_to_cold_storage_at"),
            tags=keys.pairs("tags"),
            search_status=keys.text("search_status", default.search_status) or "",
            search_message=keys.text("search_message", None),
            omit=keys.texts("omit", _MEMBERS),
        )
    )
    keys.finish()
    return group


def _index(text: str | None) -> str | None:
    return None if text == "NONE" else text
