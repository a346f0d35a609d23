"""A role's statements, and what they allow: IAM's evaluation, as far as this stack's roles make use of it."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.infra.conftest import SynthesisedStack
from tests.integration.aws_calls import Need


@dataclass(frozen=True)
class Statement:
    """One statement that allows something."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, str], ...] = ()

    def allows(self, need: Need) -> bool:
        """Whether the statement allows what is needed, by itself."""
        return (
            any(_matches(action.lower(), need.action.lower()) for action in self.actions)
            and any(_matches(resource, need.resource) for resource in self.resources)
            and all(_holds(*condition, dict(need.context)) for condition in self.conditions)
        )


@dataclass(frozen=True)
class RolePolicy:
    """All statements of a role."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, stack: SynthesisedStack, role: str, real: Mapping[str, str]) -> "RolePolicy":
        """Read a role out of the template.

        Args:
            stack: The stack.
            role: The role's logical id.
            real: What to write for each reference of the template, such as `<AWS::Region>`.
        """
        return cls(
            tuple(
                _statement(each, real)
                for policy in stack.resource(role)["Policies"]
                for each in policy["PolicyDocument"]["Statement"]
            )
        )

    def refused(self, needs: Iterable[Need]) -> set[Need]:
        """Give what is needed and not allowed."""
        return {need for need in needs if not any(statement.allows(need) for statement in self.statements)}

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
            if not any(alone.allows(need) for need in needs)
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


def _statement(written: Mapping[str, Any], real: Mapping[str, str]) -> Statement:
    assert written["Effect"] == "Allow"
    assert written.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
    return Statement(
        written["Sid"],
        _listed(written["Action"]),
        tuple(_filled_in(resource, real) for resource in _listed(written["Resource"])),
        tuple(
            (operator, key, _filled_in(value, real))
            for operator, pairs in written.get("Condition", {}).items()
            for key, value in pairs.items()
        ),
    )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _filled_in(text: str, real: Mapping[str, str]) -> str:
    return re.sub(r"<[^>]+>", lambda found: real[found[0]], text)


def _matches(pattern: str, text: str) -> bool:
    """Compare as IAM does: `*` and `?` are wildcards, `[` is not one."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _holds(operator: str, key: str, value: str, context: Mapping[str, str]) -> bool:
    """Whether a condition holds; one on a key that the request does not have never does."""
    if key not in context:
        return False
    if operator == "StringEquals":
        return context[key] == value
    assert operator == "StringLike", f"nobody has taught this evaluation the operator {operator}"
    return _matches(value, context[key])
