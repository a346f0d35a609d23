"""Do the schedule and the rule start the functions?"""

import json
from typing import Any

from botocore.exceptions import ClientError

from cli.aws_errors import is_missing
from cli.deployment import Deployment
from cli.doctor.finding import Finding, ok, wrong, wrong_if_missing
from cli.doctor.section import Section


def schedule(deployment: Deployment) -> Finding:
    """Check that the schedule is on, and starts the watch function."""
    name = deployment.resource("AWS::Scheduler::Schedule")
    with wrong_if_missing(f"schedule {name}", Section.SILENT):
        found = deployment.client("scheduler").get_schedule(Name=name)
    if found["State"] != "ENABLED":
        return wrong(f"{name} is {found['State']}, so no sweep starts.", "Enable it", Section.SILENT)
    target = found["Target"]["Arn"]
    if target != deployment.function_arn("WatchFunctionName"):
        return wrong(f"{name} starts {target}, not the watch function.", "Restore its target", Section.SILENT)
    return ok(f"ENABLED, starts the watch function at {found['ScheduleExpression']}.")


def rule(deployment: Deployment) -> Finding:
    """Check that the rule is on, has the report function as its target, and has the permission to invoke it."""
    name = deployment.resource("AWS::Events::Rule").rsplit("|", 1)[-1]  # the id may begin with the name of a bus
    events = deployment.client("events")
    with wrong_if_missing(f"rule {name}"):
        found = events.describe_rule(Name=name)
    if found["State"] != "ENABLED":
        return wrong(f"{name} is {found['State']}, so no report is made.", "Enable it", Section.OVERDUE)
    function = deployment.function_arn("ReportFunctionName")
    if function not in [target["Arn"] for target in events.list_targets_by_rule(Rule=name)["Targets"]]:
        return wrong(
            f"{name} does not have the report function as its target, so no report is made.",
            "Restore its target",
            Section.OVERDUE,
        )
    if not _can_invoke(deployment, found["Arn"]):
        return wrong(
            "The policy of the report function does not allow the rule to invoke it.",
            "Restore the permission",
            Section.RULE_QUEUE,
        )
    return ok("ENABLED, invokes the report function when a search job ends.")


def _can_invoke(deployment: Deployment, rule_arn: str) -> bool:
    """Whether the policy of the report function allows EventBridge to invoke it for this rule."""
    try:
        answer = deployment.client("lambda").get_policy(FunctionName=deployment.output("ReportFunctionName"))
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    statements: list[dict[str, Any]] = json.loads(answer["Policy"])["Statement"]
    return any(
        each["Effect"] == "Allow"
        and "events.amazonaws.com" in json.dumps(each["Principal"])
        and (not each.get("Condition") or rule_arn in json.dumps(each["Condition"]))
        for each in statements
    )
