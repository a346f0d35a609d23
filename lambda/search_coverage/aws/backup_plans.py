"""AWS Backup's plans."""

from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.coverage.backup_plan import BackupPlan

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient


class BackupPlans:
    """Implements `posture_ports.BackupPlans`."""

    def __init__(self, client: "BackupClient") -> None:
        self._client = client

    def plan(self, plan_id: str) -> BackupPlan | None:
        """Read a plan as it is now; a deleted one has a DeletionDate, or is not found (aws-facts.md §3)."""
        with reading(f"Reading backup plan {plan_id}"):
            try:
                answer: Any = self._client.get_backup_plan(BackupPlanId=plan_id)
            except self._client.exceptions.ResourceNotFoundException:
                return None
            if answer.get("DeletionDate"):
                return None
            return BackupPlan(plan_id, answer.get("BackupPlanArn"), answer.get("VersionId"), answer["BackupPlan"])
