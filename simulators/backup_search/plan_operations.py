"""The operations of ``backup`` about backup plans."""

from collections.abc import Iterable
from typing import Any

from botocore.validate import ParamValidator

from simulators.backup_search.field_types import ScenarioError
from simulators.backup_search.plans import Plan, PlanVersion, StoredPlan, problem_of
from simulators.backup_search.protocol import ServiceError
from simulators.backup_search.simulated_service import DEFAULT_PAGE, Input, Output, SimulatedService, not_found

_AT_TOP_TOO = ("AdvancedBackupSettings", "ScanSettings")


class PlanOperations(SimulatedService):
    """Reads and replaces backup plans."""

    def get_backup_plan(self, given: Input) -> Output:
        """Answer GetBackupPlan: the latest version, or the one that is asked for.

        A plan that was deleted is still shown, with its DeletionDate. AWS has such a member, and does not document for
        how long it shows such a plan.
        """
        plan, version_id = self._plan(given), given.get("VersionId")
        versions = [version for version in plan.versions if version_id in {None, version.version_id}]
        if not versions:
            raise not_found(f"Version {version_id} of backup plan {plan.plan_id}")
        return {**_members(plan, versions[-1]), **_settings(versions[-1]), "BackupPlan": versions[-1].content}

    def update_backup_plan(self, given: Input) -> Output:
        """Answer UpdateBackupPlan: the new version replaces the plan as a whole. AWS has no conditional update."""
        plan = self._plan(given)
        if plan.deleted_at:
            raise not_found(f"Backup plan {plan.plan_id}")
        if problem := problem_of(given["BackupPlan"]):
            raise ServiceError("InvalidParameterValueException", problem)
        version = plan.update(given["BackupPlan"], self._account.clock())
        members = _members(plan, version)
        return {**members, **_settings(version), "CreationDate": version.created_at}

    def list_backup_plans(self, given: Input) -> Output:
        """Answer ListBackupPlans: by id, without those that were deleted unless they are asked for."""
        found = (plan for plan in self._account.plans.values() if given.get("IncludeDeleted") or not plan.deleted_at)
        rows = ((plan.plan_id, _row(plan, plan.latest)) for plan in found)
        return self._page_of_rows(given, "ListBackupPlans()", "BackupPlansList", rows)

    def list_backup_plan_versions(self, given: Input) -> Output:
        """Answer ListBackupPlanVersions: the latest first."""
        plan = self._plan(given)
        rows = (
            (-number, {**_row(plan, version), "CreationDate": version.created_at})
            for number, version in enumerate(plan.versions, start=1)
        )
        return self._page_of_rows(given, f"ListBackupPlanVersions({plan.plan_id})", "BackupPlanVersionsList", rows)

    def check_plan(self, where: str, plan: Plan) -> None:
        """Raise a ScenarioError if AWS's model or its documentation does not allow a plan."""
        report = ParamValidator().validate(dict(plan.content), self.structure("BackupPlanInput"))
        problem = " ".join(report.generate_report().split()) if report.has_errors() else problem_of(plan.content)
        if problem:
            raise ScenarioError(f"{where}.content: {problem.rstrip('.')}.")

    def _page_of_rows(self, given: Input, listing: str, member: str, rows: Iterable[tuple[Any, Output]]) -> Output:
        page, position = self._place(listing, given)
        size = given.get("MaxResults", DEFAULT_PAGE)
        left = [(key, row) for key, row in sorted(rows, key=lambda row: row[0]) if position is None or key > position]
        output = {member: [row for _, row in left[:size]]}
        return self._page(listing, page, output, left[size - 1][0] if len(left) > size else None)

    def _plan(self, given: Input) -> StoredPlan:
        plan = self._account.plans.get(given["BackupPlanId"])
        if plan is None:
            raise not_found(f"Backup plan {given['BackupPlanId']}")
        return plan


def _members(plan: StoredPlan, version: PlanVersion) -> Output:
    return {
        "BackupPlanId": plan.plan_id,
        "BackupPlanArn": plan.arn,
        "VersionId": version.version_id,
        "CreationDate": plan.versions[0].created_at,
        "DeletionDate": plan.deleted_at,
        "LastExecutionDate": plan.last_run,
    }


def _row(plan: StoredPlan, version: PlanVersion) -> Output:
    return {**_members(plan, version), **_settings(version), "BackupPlanName": version.content["BackupPlanName"]}


def _settings(version: PlanVersion) -> Output:
    return {name: version.content[name] for name in _AT_TOP_TOO if version.content.get(name)}
