"""The backup plans of the account: as a person writes them, and as AWS Backup keeps them, with their versions."""

import uuid
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.backup_search.field_types import CONFIG, Count, Template

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
"""The ScheduleExpression of a rule that has none (API_BackupRule)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Resources that a plan makes backups of. None as ``source`` stands for ARNs that fit the resource type."""

    __pydantic_config__ = CONFIG

    resource_type: str = "S3"
    source: Template | None = None
    count: Count = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A backup plan, as a value.

    Attributes:
        id: BackupPlanId.
        content: The plan as CreateBackupPlan takes it (BackupPlanInput).
        selections: What it makes backups of while the clock moves; see ``plan_runs``.
    """

    __pydantic_config__ = CONFIG

    id: str
    content: Mapping[str, Any]
    selections: tuple[Selection, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan, as GetBackupPlan returns it: its rules have ids."""

    version_id: str
    content: Mapping[str, Any]
    created_at: datetime

    def rule(self, name: str | None) -> Mapping[str, Any]:
        """Return a rule by its name; an empty one if there is none."""
        return next((rule for rule in self.content["Rules"] if rule["RuleName"] == name), {})


@dataclass(slots=True)
class StoredPlan:
    """A plan of the account, its oldest version first.

    Attributes:
        ran_until: Until when it has made the backups of its selections.
        last_run: When it made the latest of them; None if it made none.
    """

    plan_id: str
    arn: str
    ran_until: datetime
    selections: tuple[Selection, ...] = ()
    versions: list[PlanVersion] = field(default_factory=list)
    deleted_at: datetime | None = None
    last_run: datetime | None = None

    @property
    def latest(self) -> PlanVersion:
        """The version that holds."""
        return self.versions[-1]

    def version_at(self, moment: datetime) -> PlanVersion:
        """Return the version that held at a time; before the plan was made, its first one."""
        held = (version for version in reversed(self.versions) if version.created_at <= moment)
        return next(held, self.versions[0])

    def update(self, content: Mapping[str, Any], at: datetime) -> PlanVersion:
        """Replace the plan as a whole.

        AWS does not document whether a rule keeps its id. Here it does not: a client must not rely on it.
        """
        replaced = deepcopy(dict(content))
        for rule in replaced["Rules"]:
            rule["RuleId"] = str(uuid.uuid4())
        version = PlanVersion(str(uuid.uuid4()), replaced, at)
        self.versions.append(version)
        return version


def problem_of(content: Mapping[str, Any]) -> str | None:
    """Return what AWS documents that it does not accept in a plan; None for nothing.

    A rule takes one action in IndexActions, and DeleteAfterEvent is "not valid as an input" (botocore's model of
    BackupRuleInput and Lifecycle). An action without a resource type is refused, too. With two types it is taken, as in
    AWS's examples of backup policies, though the model says that "only 1 resource type will be accepted" (aws-facts.md
    §3).
    """
    if not content["Rules"]:
        return "A backup plan needs at least one rule"
    for rule in content["Rules"]:
        actions = rule.get("IndexActions", [])
        if len(actions) > 1 or not all(_are_indexable(action.get("ResourceTypes", [])) for action in actions):
            return f"Error in rule {rule['RuleName']}: a rule takes one index action with the resource types EBS or S3"
        for each in (rule, *rule.get("CopyActions", [])):
            if "DeleteAfterEvent" in each.get("Lifecycle", {}):
                return f"Error in rule {rule['RuleName']}: DeleteAfterEvent is not valid as an input"
    return None


def _are_indexable(types: Sequence[str]) -> bool:
    return bool(types) and set(types) <= {"EBS", "S3"} and len(set(types)) == len(types)


class Plans(dict[str, StoredPlan]):
    """The plans of the account by their ids, those that were deleted among them."""

    def creator(
        self, plan_id: str | None, rule_name: str | None, at: datetime, names: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """Return CreatedBy of the backups that a rule made at a time; None for backups on demand.

        Of a plan that is not known, as AWS forgets deleted ones some day, only the ids and the rule's name are left.
        """
        if plan_id is None:
            return None
        if plan_id not in self:
            rule_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{plan_id}/{rule_name}"))
            members: dict[str, Any] = {"BackupPlanArn": plan_arn(plan_id, names), "BackupRuleId": rule_id}
        else:
            version = self[plan_id].version_at(at)
            rule = version.rule(rule_name)
            members = {
                "BackupPlanArn": self[plan_id].arn,
                "BackupPlanName": version.content["BackupPlanName"],
                "BackupPlanVersion": version.version_id,
                "BackupRuleId": rule.get("RuleId"),
                "BackupRuleCron": rule.get("ScheduleExpression", DEFAULT_SCHEDULE),
                "BackupRuleTimezone": rule.get("ScheduleExpressionTimezone", "Etc/UTC"),
            }
        return {"BackupPlanId": plan_id, "BackupRuleName": rule_name, **members}


def plan_arn(plan_id: str, names: Mapping[str, str]) -> str:
    """Return the ARN of a plan."""
    return f"arn:aws:backup:{names['region']}:{names['account']}:backup-plan:{plan_id}"
