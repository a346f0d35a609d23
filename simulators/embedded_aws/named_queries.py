"""Saved Athena queries in a stack: ministack's Athena keeps them, but its CloudFormation does not know the type.

They land in ministack's own Athena, so that `athena get-named-query` finds them, as on AWS.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

RESOURCE_TYPE: Final = "AWS::Athena::NamedQuery"


def provision_named_queries(handlers: dict[str, dict[str, Callable[..., Any]]], athena: Any) -> None:
    """Teaches CloudFormation the resource type.

    Args:
        handlers: ministack's handlers by resource type, to which this one is added.
        athena: ministack's Athena module.
    """

    def create(_logical_id: str, properties: Mapping[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
        _status, _headers, body = athena._create_named_query(dict(properties))  # noqa: SLF001
        identifier: str = json.loads(body)["NamedQueryId"]
        return identifier, {"NamedQueryId": identifier}

    def update(
        identifier: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        # On AWS a changed query is another query: each property requires replacement.
        delete(identifier, old)
        return create("", new, stack_name)

    def delete(identifier: str, _properties: Mapping[str, Any]) -> None:
        athena._delete_named_query({"NamedQueryId": identifier})  # noqa: SLF001

    handlers[RESOURCE_TYPE] = {"create": create, "update": update, "delete": delete}
