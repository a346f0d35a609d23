"""Saved CloudWatch Logs Insights queries in a stack: ministack runs queries but knows none that are saved.

Only what a deployment needs: the resource is taken, gets an identifier, and can be changed and deleted. Nothing lists
the queries; that the stack holds the right ones is for the template to show.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

RESOURCE_TYPE: Final = "AWS::Logs::QueryDefinition"


def provision_query_definitions(handlers: dict[str, dict[str, Callable[..., Any]]]) -> None:
    """Teaches CloudFormation the resource type.

    Args:
        handlers: ministack's handlers by resource type, to which this one is added.
    """
    handlers[RESOURCE_TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _create(_logical_id: str, _properties: Mapping[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
    identifier = str(uuid.uuid4())
    return identifier, {"QueryDefinitionId": identifier}


def _update(
    identifier: str, _old: Mapping[str, Any], _new: Mapping[str, Any], _stack_name: str
) -> tuple[str, dict[str, str]]:
    return identifier, {"QueryDefinitionId": identifier}


def _delete(_identifier: str, _properties: Mapping[str, Any]) -> None:
    pass
