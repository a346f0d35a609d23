"""Checks that the stack exists and is complete."""

from typing import Final

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section
from cli.errors import StackMissing

_OUTPUTS: Final = {
    *("AlarmTopicArn", "AlertsTopicArn", "FailureQueueUrl", "IdempotencyTableName", "ReportBucketName"),
    *("ReportFunctionName", "RuleDeadLetterQueueUrl", "ScheduleDeadLetterQueueUrl", "ScheduleName"),
    "WatchFunctionName",
}
"""The outputs that the other checks begin with."""

_COMPLETE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_ROLLED_BACK: Final = ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")


def check(deployment: Deployment) -> Finding:
    """Check the status and the outputs of the stack."""
    try:
        status = str(deployment.stack["StackStatus"])
    except StackMissing as error:
        remedy = "Choose the account and the Region of the deployment, or deploy the stack"
        return wrong(error.message, remedy, Section.DOCTOR)
    return _judge(deployment, f"{deployment.stack_name} is {status}", status)


def _judge(deployment: Deployment, found: str, status: str) -> Finding:
    if status.startswith("DELETE"):
        return wrong(f"{found}: its removal has started.", "Deploy it again if you need it", Section.REMOVE)
    if status.endswith("_IN_PROGRESS"):
        return attention(f"{found}: it is being deployed.", "Wait for the end, and check again", Section.UPGRADE)
    if status not in (*_COMPLETE, *_ROLLED_BACK):
        reason = deployment.stack.get("StackStatusReason")
        found += f" ({reason})" if reason else ""
        return wrong(f"{found}.", "Look up in CloudFormation what failed, and deploy again", Section.UPGRADE)
    if missing := sorted(_OUTPUTS - deployment.outputs.keys()):
        found += f", and has no output {', '.join(missing)}."
        return wrong(found, "Deploy the version that this command belongs to", Section.UPGRADE)
    if status in _ROLLED_BACK:
        found += ": the last deployment failed, and the earlier version is back."
        return attention(found, "Look up in CloudFormation why it failed, and deploy again", Section.UPGRADE)
    return ok(f"{found}, with {len(deployment.resources)} resources.")
