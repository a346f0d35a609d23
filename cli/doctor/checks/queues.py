"""Are failures kept, and is one waiting for the operator?"""

from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cli.aws_errors import is_missing
from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong, wrong_if_missing
from cli.doctor.section import Section


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


def failure_queue(deployment: Deployment) -> Finding:
    """Check that the failure queue exists, and is empty."""
    remedy = "Find the cause, and run: search-coverage replay --failed"
    return _check(deployment, "FailureQueueUrl", Section.FAILURE_QUEUE, remedy, if_missing=Section.NOT_KEPT)


def rule_queue(deployment: Deployment) -> Finding:
    """Check that the dead-letter queue of the rule exists, and is empty."""
    remedy = "Remove the cause, and empty the queue"
    return _check(deployment, "RuleDeadLetterQueueUrl", Section.RULE_QUEUE, remedy, if_missing=Section.NOT_KEPT)


def schedule_queue(deployment: Deployment) -> Finding:
    """Check that the dead-letter queue of the schedule exists, and is empty."""
    remedy = "Find the cause, and empty the queue when sweeps run"
    return _check(deployment, "ScheduleDeadLetterQueueUrl", Section.SCHEDULE_QUEUE, remedy, if_missing=Section.CHANGED)


def _check(deployment: Deployment, output: str, section: Section, remedy: str, *, if_missing: Section) -> Finding:
    url = deployment.output(output)
    name = url.rsplit("/", 1)[-1]
    with wrong_if_missing(f"queue {name}", if_missing, "Create it again under its old name, and deploy"):
        attributes = deployment.client("sqs").get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    count = sum(int(number) for number in attributes.values())
    if count:
        messages = "1 message" if count == 1 else f"{count} messages"
        return attention(f"{name} holds about {messages}.", remedy, section)
    return ok("Empty.")
