"""The statements of policies, and what they allow or deny: IAM's evaluation, as far as this stack makes use of it.

The rules for conditions are those of
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from tests.infra.conftest import SynthesizedStack
from tests.integration.aws_calls import ContextValue, Need


class UnknownOperator(Exception):
    """This evaluation does not know the operator of a condition."""


@dataclass(frozen=True)
class Condition:
    """One line of a statement's conditions: an operator, a key, and the values to compare with."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, ContextValue]) -> bool:
        """Whether the condition holds for a request with this context.

        Raises:
            UnknownOperator: This evaluation does not know the operator.
        """
        found = context.get(self.key)
        if self.operator == "Null":
            return ("true" if found in (None, ()) else "false") in self.values
        quantifier, _, operator = self.operator.rpartition(":")
        if operator not in _COMPARISONS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
            raise UnknownOperator(f"this evaluation does not know the operator {self.operator}")
        values = () if found is None else _listed(found)
        fits = [_COMPARISONS[operator](value, self.values) for value in values]
        if (
            quantifier == "ForAllValues"
        ):  # also holds without a value, which is why a Null of false must stand beside it
            return all(fits)
        if quantifier == "ForAnyValue":
            return any(fits)
        # A missing key fits a negated operator alone; several values fit no operator without a quantifier.
        return operator == "ArnNotEquals" if found is None else isinstance(found, str) and fits[0]


@dataclass(frozen=True)
class Statement:
    """One statement that allows or denies something."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def of(cls, written: Mapping[str, Any], real: Mapping[str, str]) -> Self:
        """Read a statement of a template."""
        assert written.keys() <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}

        def filled_in(value: Any) -> tuple[str, ...]:
            return tuple(re.sub(r"<[^>]+>", lambda found: real[found[0]], text) for text in _listed(value))

        return cls(
            written.get("Sid", ""),
            _listed(written["Action"]),
            filled_in(written["Resource"]),
            tuple(
                Condition(operator, key, filled_in(values))
                for operator, pairs in written.get("Condition", {}).items()
                for key, values in pairs.items()
            ),
        )

    def covers(self, need: Need) -> bool:
        """Whether the statement is about what is needed, by itself."""
        return (
            any(_matches(action.lower(), need.action.lower()) for action in self.actions)
            and any(_matches(resource, need.resource) for resource in self.resources)
            and all(condition.holds(dict(need.context)) for condition in self.conditions)
        )


@dataclass(frozen=True)
class _Policy:
    """The statements of a policy, all with the same effect."""

    statements: tuple[Statement, ...]

    def _covered(self, needs: Iterable[Need]) -> set[Need]:
        return {need for need in needs if any(statement.covers(need) for statement in self.statements)}


class RolePolicy(_Policy):
    """All statements of a role; each of them allows something."""

    @classmethod
    def of(cls, stack: SynthesizedStack, role: str, real: Mapping[str, str]) -> Self:
        """Read a role from the template.

        Args:
            stack: The stack.
            role: The logical id of the role.
            real: What to write for each reference of the template, such as `<AWS::Region>`.
        """
        written = [
            each for policy in stack.resource(role)["Policies"] for each in policy["PolicyDocument"]["Statement"]
        ]
        assert {each["Effect"] for each in written} == {"Allow"}
        return cls(tuple(Statement.of(each, real) for each in written))

    def refused(self, needs: Iterable[Need]) -> set[Need]:
        """Return what is needed and not allowed."""
        needs = set(needs)
        return needs - self._covered(needs)

    def idle(self, needs: Iterable[Need]) -> set[tuple[str, str]]:
        """Return what is allowed and not needed: each action and each resource of a statement, with its `Sid`."""
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

    def without(self, *sids: str) -> Self:
        """Leave statements out."""
        assert {statement.sid for statement in self.statements} >= set(sids)
        return replace(self, statements=tuple(each for each in self.statements if each.sid not in sids))

    def without_action(self, sid: str, action: str) -> Self:
        """Leave an action out of a statement."""
        return replace(
            self,
            statements=tuple(
                replace(each, actions=tuple(a for a in each.actions if a != action)) if each.sid == sid else each
                for each in self.statements
            ),
        )

    def with_statement(self, statement: Statement) -> Self:
        """Add a statement."""
        return replace(self, statements=(*self.statements, statement))


class DenyingPolicy(_Policy):
    """All statements of a resource's policy; each of them denies something to everybody."""

    @classmethod
    def of(cls, stack: SynthesizedStack, policy: str, real: Mapping[str, str]) -> Self:
        """Read the policy of a resource from the template, as `RolePolicy.of` does."""
        written = stack.resource(policy)["PolicyDocument"]["Statement"]
        assert all((each["Effect"], each["Principal"]) == ("Deny", {"AWS": "*"}) for each in written)
        return cls(tuple(Statement.of(each, real) for each in written))

    def denied(self, needs: Iterable[Need]) -> set[Need]:
        """Return what is needed and denied."""
        return self._covered(needs)


def _listed(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _matches(pattern: str, text: str) -> bool:
    """Compare as IAM does: `*` and `?` are wildcards, `[` is not one."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _alike(value: str, wanted: tuple[str, ...]) -> bool:
    return any(_matches(pattern, value) for pattern in wanted)


_COMPARISONS: Mapping[str, Callable[[str, tuple[str, ...]], bool]] = {
    "StringEquals": lambda value, wanted: value in wanted,
    "StringLike": _alike,
    "Bool": lambda value, wanted: value in wanted,
    "ArnNotEquals": lambda value, wanted: not _alike(value, wanted),
}
"""Whether one value of the request fits the values of the policy, of which one is enough."""
