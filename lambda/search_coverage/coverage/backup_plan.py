"""A backup plan as AWS Backup describes it, and which of its rules make backups that no search can look into."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
        name = self.content.get("BackupPlanName")
        return name if isinstance(name, str) else None
