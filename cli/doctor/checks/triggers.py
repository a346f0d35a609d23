"""Do the schedule and the rule start the functions?"""

import json
from typing import Any

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, ok, wrong
from cli.doctor.section import Section


def schedule(deployment: Deployment) -> Finding:
    """Look whether the schedule is on, and starts the watch function."""
    name = deployment.resource("AWS::Scheduler::Schedule")
    try:
        found = deployment.client("scheduler").get_schedule(Name=name)
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no schedule {name}.", "See who deleted it, and put it back", Section.SILENT)
        raise
    if found["State"] != "ENABLED":
        return wrong(f"{name} is {found['State']}, so that nothing sweeps.", "Enable it", Section.SILENT)
    if found["Target"]["Arn"] != deployment.function_arn("WatchFunctionName"):
        return wrong(
            f"{name} starts {found['Target']['Arn']}, which is not the watch function.",
            "Give it back its target",
            Section.SILENT,
        )
    return ok(f"It is ENABLED, and starts the watch function at {found['ScheduleExpression']}.")


def rule(deployment: Deployment) -> Finding:
    """Look whether the rule is on, hands events to the report function, and may."""
    name = deployment.resource("AWS::Events::Rule").rsplit("|", 1)[-1]  # before that, the name of a bus of one's own
    events = deployment.client("events")
    try:
        found = events.describe_rule(Name=name)
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no rule {name}.", "See who deleted it, and put it back", Section.CHANGED)
        raise
    if found["State"] != "ENABLED":
        return wrong(f"{name} is {found['State']}, so that no report is made.", "Enable it", Section.OVERDUE)
    function = deployment.function_arn("ReportFunctionName")
    if function not in [target["Arn"] for target in events.list_targets_by_rule(Rule=name)["Targets"]]:
        return wrong(
            f"{name} does not have the report function as its target, so that no report is made.",
            "Give it back its target",
            Section.OVERDUE,
        )
    if not _may_invoke(deployment, found["Arn"]):
        return wrong(
            "The report function does not let the rule in: its policy has no statement for it.",
            "Put the permission back",
            Section.RULE_QUEUE,
        )
    return ok("It is ENABLED, and hands the end of a search job to the report function, which lets it in.")


def _may_invoke(deployment: Deployment, rule_arn: str) -> bool:
    """Whether the function's own policy lets EventBridge start it for this rule."""
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
