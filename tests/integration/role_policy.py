"""The statements of policies, and what they allow or deny: IAM's evaluation, as far as this stack makes use of it.

The rules for conditions are those of
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from tests.infra.conftest import SynthesisedStack
from tests.integration.aws_calls import ContextValue, Need


class UnknownOperator(Exception):
    """Nobody has taught this evaluation the operator of a condition."""


@dataclass(frozen=True)
class Condition:
    """One line of a statement's conditions: an operator, a key, and the values to compare with."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, ContextValue]) -> bool:
        """Whether the condition holds for a request with this context.

        Raises:
            UnknownOperator: The operator is not one that this evaluation knows.
        """
        found = context.get(self.key)
        quantifier, colon, operator = self.operator.rpartition(":")
        if operator == "Null" and not colon:
            return ("true" if found in (None, ()) else "false") in self.values
        try:
            compare = _COMPARISONS[operator]
            decide = _QUANTIFIERS[quantifier]
        except KeyError:
            raise UnknownOperator(f"nobody has taught this evaluation the operator {self.operator}") from None
        return decide(found, lambda value: compare(value, self.values), operator in _NEGATED)


@dataclass(frozen=True)
class Statement:
    """One statement that allows or denies something."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    def covers(self, need: Need) -> bool:
        """Whether the statement is about what is needed, by itself."""
        return (
            any(_matches(action.lower(), need.action.lower()) for action in self.actions)
            and any(_matches(resource, need.resource) for resource in self.resources)
            and all(condition.holds(dict(need.context)) for condition in self.conditions)
        )


@dataclass(frozen=True)
class RolePolicy:
    """All statements of a role; each of them allows something."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, stack: SynthesisedStack, role: str, real: Mapping[str, str]) -> "RolePolicy":
        """Read a role out of the template.

        Args:
            stack: The stack.
            role: The role's logical id.
            real: What to write for each reference of the template, such as `<AWS::Region>`.
        """
        written = [
            each for policy in stack.resource(role)["Policies"] for each in policy["PolicyDocument"]["Statement"]
        ]
        assert {each["Effect"] for each in written} == {"Allow"}
        return cls(tuple(_statement(each, real) for each in written))

    def refused(self, needs: Iterable[Need]) -> set[Need]:
        """Give what is needed and not allowed."""
        return {need for need in needs if not any(statement.covers(need) for statement in self.statements)}

    def idle(self, needs: Iterable[Need]) -> set[tuple[str, str]]:
        """Give what is allowed and not needed: each action and each resource of a statement, with its `Sid`."""
        needs = list(needs)
        return {
            (statement.sid, part)
            for statement in self.statements
            for part, alone in (
                *((action, replace(statement, actions=(action,))) for action in statement.actions),
                *((resource, replace(statement, resources=(resource,))) for resource in statement.resources),
            )
            if not any(alone.covers(need) for need in needs)
        }

    def without(self, *sids: str) -> "RolePolicy":
        """Leave statements out."""
        assert {statement.sid for statement in self.statements} >= set(sids)
        return RolePolicy(tuple(statement for statement in self.statements if statement.sid not in sids))

    def without_action(self, sid: str, action: str) -> "RolePolicy":
        """Leave an action out of a statement."""
        return RolePolicy(
            tuple(
                replace(each, actions=tuple(a for a in each.actions if a != action)) if each.sid == sid else each
                for each in self.statements
            )
        )

    def with_statement(self, statement: Statement) -> "RolePolicy":
        """Add a statement."""
        return RolePolicy((*self.statements, statement))


@dataclass(frozen=True)
class DenyingPolicy:
    """All statements of a resource's policy; each of them denies something to everybody."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, stack: SynthesisedStack, policy: str, real: Mapping[str, str]) -> "DenyingPolicy":
        """Read a resource's policy out of the template.

        Args:
            stack: The stack.
            policy: The policy's logical id.
            real: What to write for each reference of the template, such as `<AWS::Region>`.
        """
        written = stack.resource(policy)["PolicyDocument"]["Statement"]
        assert all((each["Effect"], each["Principal"]) == ("Deny", {"AWS": "*"}) for each in written)
        return cls(tuple(_statement(each, real) for each in written))

    def denied(self, needs: Iterable[Need]) -> set[Need]:
        """Give what is needed and denied."""
        return {need for need in needs if any(statement.covers(need) for statement in self.statements)}


def _statement(written: Mapping[str, Any], real: Mapping[str, str]) -> Statement:
    assert written.keys() <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    return Statement(
        written.get("Sid", ""),
        _listed(written["Action"]),
        tuple(_filled_in(resource, real) for resource in _listed(written["Resource"])),
        tuple(
            Condition(operator, key, tuple(_filled_in(value, real) for value in _listed(values)))
            for operator, pairs in written.get("Condition", {}).items()
            for key, values in pairs.items()
        ),
    )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _filled_in(text: str, real: Mapping[str, str]) -> str:
    return re.sub(r"<[^>]+>", lambda found: real[found[0]], text)


def _matches(pattern: str, text: str) -> bool:
    """Compare as IAM does: `*` and `?` are wildcards, `[` is not one."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _same(value: str, wanted: tuple[str, ...]) -> bool:
    return value in wanted


def _alike(value: str, wanted: tuple[str, ...]) -> bool:
    return any(_matches(pattern, value) for pattern in wanted)


_NEGATED = frozenset({"ArnNotEquals"})

_COMPARISONS: Mapping[str, Callable[[str, tuple[str, ...]], bool]] = MappingProxyType(
    {
        "StringEquals": _same,
        "StringLike": _alike,
        "Bool": _same,
        "ArnNotEquals": lambda value, wanted: not _alike(value, wanted),
    }
)
"""Whether one value of the request fits the values of the policy, of which one is enough."""


def _of_one(found: ContextValue | None, fits: Callable[[str], bool], negated: bool) -> bool:
    """Without a set operator: a key that is missing fits a negated operator alone, one of many values fits nothing."""
    if found is None:
        return negated
    return isinstance(found, str) and fits(found)


def _of_all(found: ContextValue | None, fits: Callable[[str], bool], _negated: bool) -> bool:
    """Of each value; also if there is none, which is why a `Null` of `false` has to stand beside it."""
    return all(fits(value) for value in _values(found))


def _of_any(found: ContextValue | None, fits: Callable[[str], bool], _negated: bool) -> bool:
    return any(fits(value) for value in _values(found))


def _values(found: ContextValue | None) -> tuple[str, ...]:
    return () if found is None else _listed(found) if isinstance(found, str) else found


_QUANTIFIERS: Mapping[str, Callable[[ContextValue | None, Callable[[str], bool], bool], bool]] = MappingProxyType(
    {"": _of_one, "ForAllValues": _of_all, "ForAnyValue": _of_any}
)
