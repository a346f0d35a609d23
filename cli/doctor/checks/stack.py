"""Is the stack there, and whole?"""

from typing import Final

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import code_of, message_of
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section

_OUTPUTS: Final = (
    *("ReportBucketName", "AlertsTopicArn", "AlarmTopicArn", "ReportFunctionName", "WatchFunctionName"),
    *("IdempotencyTableName", "ScheduleName", "FailureQueueUrl", "RuleDeadLetterQueueUrl"),
    "ScheduleDeadLetterQueueUrl",
)
"""The outputs that the other checks begin with."""

_WHOLE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_ROLLED_BACK: Final = ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")


def look(deployment: Deployment) -> Finding:
    """Look at the status and the outputs of the stack."""
    name = deployment.stack_name
    try:
        status = str(deployment.stack["StackStatus"])
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
            return wrong(
                f"There is no stack {name} in account {deployment.account}, Region {deployment.region}.",
                "Choose the account and the Region that it was deployed to, or deploy it",
                Section.DOCTOR,
            )
        raise
    return _judge(deployment, status)


def _judge(deployment: Deployment, status: str) -> Finding:
    name = deployment.stack_name
    if status.startswith("DELETE"):
        return wrong(f"{name} is {status}: somebody removes it.", "Deploy it again if it is needed", Section.REMOVE)
    if status.endswith("_IN_PROGRESS"):
        return attention(
            f"{name} is {status}: somebody is deploying it.", "Wait until that is over, and look again", Section.UPGRADE
        )
    if status not in (*_WHOLE, *_ROLLED_BACK):
        reason = deployment.stack.get("StackStatusReason")
        return wrong(
            f"{name} is {status}{f' ({reason})' if reason else ''}.",
            "See in CloudFormation what failed, and deploy again",
            Section.UPGRADE,
        )
    missing = [output for output in _OUTPUTS if output not in deployment.outputs]
    if missing:
        return wrong(
            f"{name} is {status}, and has no output {', '.join(missing)}.",
            "Deploy the version that this command belongs to",
            Section.UPGRADE,
        )
    if status in _ROLLED_BACK:
        return attention(
            f"{name} is {status}: the last deployment failed, and the earlier version is back.",
            "See in CloudFormation why it failed, and deploy again",
            Section.UPGRADE,
        )
    return ok(f"{name} is {status}, with {len(deployment.resources)} resources.")
