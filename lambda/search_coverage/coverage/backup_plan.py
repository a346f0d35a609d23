"""A backup plan as AWS Backup describes it, and which of its rules make indexes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BackupRule:
    """A rule of a backup plan.

    Attributes:
        vault: The name of the vault that its backups go to.
        indexed_types: The resource types whose backups get an index (IndexActions).
    """

    rule_id: str | None
    name: str | None
    vault: str | None
    indexed_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """A backup plan.

    Attributes:
        version_id: The version that was read; every update makes another one.
        content: The plan as GetBackupPlan returns it (BackupPlan): rules with RuleId, RuleName, IndexActions and more.
    """

    plan_id: str
    arn: str | None
    version_id: str | None
    content: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """The name."""
        return _text(self.content.get("BackupPlanName"))

    @property
    def rules(self) -> tuple[BackupRule, ...]:
        """The rules."""
        return tuple(map(_rule, self.content.get("Rules") or ()))

    def rule(self, name_or_id: str | None) -> BackupRule | None:
        """Return the rule with a name, else that with an id; None if the plan has none such (any more)."""
        rules = self.rules if name_or_id else ()
        of_name = [rule for rule in rules if rule.name == name_or_id]
        return next(iter(of_name or [rule for rule in rules if rule.rule_id == name_or_id]), None)


def _rule(rule: Mapping[str, Any]) -> BackupRule:
    actions = rule.get("IndexActions") or ()
    types = frozenset(kind for action in actions for kind in action.get("ResourceTypes") or ())
    return BackupRule(
        _text(rule.get("RuleId")), _text(rule.get("RuleName")), _text(rule.get("TargetBackupVaultName")), types
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
