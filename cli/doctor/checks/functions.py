"""Checks that the functions can run, that something starts them, and that their failures are kept."""

import json
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cli.aws_errors import is_missing
from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong, wrong_if_missing
from cli.doctor.section import Section


def watch(deployment: Deployment) -> Finding:
    """Check the watch function."""
    return _function(deployment, "WatchFunctionName", Section.SILENT)


def report(deployment: Deployment) -> Finding:
    """Check the report function."""
    return _function(deployment, "ReportFunctionName", Section.THROTTLED)


def schedule(deployment: Deployment) -> Finding:
    """Check that the schedule is on, and starts the watch function."""
    return _schedule(deployment, "WatcherSchedule", "WatchFunctionName", "sweep", Section.SILENT)


def posture(deployment: Deployment) -> Finding:
    """Check the posture function."""
    return _function(deployment, "PostureFunctionName", Section.POSTURE_FAILED)


def posture_schedule(deployment: Deployment) -> Finding:
    """Check that the schedule of the posture is on, and starts its function."""
    return _schedule(deployment, "PosterSchedule", "PostureFunctionName", "posture", Section.POSTURE_MISSING)


def _schedule(deployment: Deployment, named: str, function: str, run: str, section: Section) -> Finding:
    name = deployment.resource("AWS::Scheduler::Schedule", named=named)
    starts = "the watch function" if run == "sweep" else "the posture function"
    with wrong_if_missing(f"schedule {name}", section):
        found = deployment.client("scheduler").get_schedule(Name=name)
    if found["State"] != "ENABLED":
        return wrong(f"{name} is {found['State']}, so no {run} starts.", "Enable it", section)
    target = found["Target"]["Arn"]
    if target != deployment.function_arn(function):
        return wrong(f"{name} starts {target}, not {starts}.", "Restore its target", section)
    return ok(f"ENABLED, starts {starts} at {found['ScheduleExpression']}.")


def rule(deployment: Deployment) -> Finding:
    """Check that the rule is on, has the report function as its target, and has the permission to invoke it."""
    # The id may begin with the name of a bus.
    name = deployment.resource("AWS::Events::Rule", named="ReporterRule").rsplit("|", 1)[-1]
    events = deployment.client("events")
    with wrong_if_missing(f"rule {name}"):
        found = events.describe_rule(Name=name)
    if found["State"] != "ENABLED":
        return wrong(f"{name} is {found['State']}, so no report is made.", "Enable it", Section.OVERDUE)
    targets = [target["Arn"] for target in events.list_targets_by_rule(Rule=name)["Targets"]]
    if deployment.function_arn("ReportFunctionName") not in targets:
        return wrong(f"The report function is not a target of {name}.", "Restore its target", Section.OVERDUE)
    if not _can_invoke(deployment, found["Arn"]):
        found_out = "The policy of the report function does not allow the rule to invoke it."
        return wrong(found_out, "Restore the permission", Section.RULE_QUEUE)
    return ok("ENABLED, invokes the report function when a search job ends.")


def failure_destination(deployment: Deployment) -> Finding:
    """Check that Lambda sends the failures of the report function to the failure queue."""
    name = deployment.output("ReportFunctionName")
    configured: dict[str, Any] = {}
    try:
        configured = deployment.client("lambda").get_function_event_invoke_config(
            FunctionName=name, Qualifier="$LATEST"
        )
    except ClientError as error:
        if not is_missing(error):
            raise
    destination = configured.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    restore = partial(wrong, remedy="Restore the failure queue as its destination", section=Section.NOT_KEPT)
    if not destination:
        return restore(f"{name} has no failure destination, so a report that fails leaves no trace.")
    if destination != deployment.queue_arn("FailureQueueUrl"):
        return restore(f"Failures of {name} go to {destination}, not to the failure queue.")
    return ok("Failures of the report function go to the failure queue.")


def queue(output: str, full: Section, remedy: str, missing: Section, deployment: Deployment) -> Finding:
    """Check that the queue whose URL is an output exists, and is empty."""
    url = deployment.output(output)
    name = url.rsplit("/", 1)[-1]
    with wrong_if_missing(f"queue {name}", missing, "Create it again under its old name, and deploy"):
        attributes = deployment.client("sqs").get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    count = sum(int(number) for number in attributes.values())
    messages = "1 message" if count == 1 else f"{count} messages"
    return attention(f"{name} holds about {messages}.", remedy, full) if count else ok("Empty.")


def _function(deployment: Deployment, output: str, section_of_concurrency: Section) -> Finding:
    name = deployment.output(output)
    with wrong_if_missing(f"function {name}"):
        configuration = deployment.function(output)
    state, update = configuration.get("State", "unknown"), configuration.get("LastUpdateStatus", "unknown")
    found = f"The state of {name} is {state}, the status of its last update {update}"
    if "Failed" in {state, update}:
        reason = configuration.get("StateReason") or configuration.get("LastUpdateStatusReason") or "no reason given"
        return wrong(f"{found} ({reason}).", "Remove the cause, and deploy the stack again", Section.UPGRADE)
    if (state, update) != ("Active", "Successful"):
        remedy = "Wait a minute and check again; if it stays, deploy the stack again"
        return attention(f"{found}.", remedy, Section.UPGRADE)
    reserved = deployment.client("lambda").get_function_concurrency(FunctionName=name)
    concurrency = reserved.get("ReservedConcurrentExecutions")
    if concurrency == 0:
        found = f"{name} has a reserved concurrency of 0, so it cannot run."
        return wrong(found, "Restore its reserved concurrency", section_of_concurrency)
    return ok(f"Active, {'no' if concurrency is None else concurrency} reserved concurrency.")


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
