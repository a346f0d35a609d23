"""Can a failure be kept, and is one waiting for somebody?"""

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section


def failure_destination(deployment: Deployment) -> Finding:
    """Look whether Lambda puts the failures of the report function into the failure queue."""
    name = deployment.output("ReportFunctionName")
    try:
        configured = deployment.client("lambda").get_function_event_invoke_config(
            FunctionName=name, Qualifier="$LATEST"
        )
    except ClientError as error:
        if not is_missing(error):
            raise
        configured = {}
    destination = configured.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if not destination:
        return wrong(
            f"{name} has no failure destination, so that a report that fails leaves no trace.",
            "Give it back the failure queue as its destination",
            Section.NOT_KEPT,
        )
    if destination != deployment.queue_arn("FailureQueueUrl"):
        return wrong(
            f"Failures of {name} go to {destination}, which is not the failure queue.",
            "Give it back the failure queue as its destination",
            Section.NOT_KEPT,
        )
    return ok("What the report function fails at goes to the failure queue.")


def failure_queue(deployment: Deployment) -> Finding:
    """Look whether the failure queue is there, and empty."""
    return _look(deployment, "FailureQueueUrl", Section.FAILURE_QUEUE, "redo what is in it", gone=Section.NOT_KEPT)


def rule_queue(deployment: Deployment) -> Finding:
    """Look whether the dead-letter queue of the rule is there, and empty."""
    return _look(
        deployment,
        "RuleDeadLetterQueueUrl",
        Section.RULE_QUEUE,
        "empty it once the cause is gone",
        gone=Section.NOT_KEPT,
    )


def schedule_queue(deployment: Deployment) -> Finding:
    """Look whether the dead-letter queue of the schedule is there, and empty."""
    return _look(
        deployment,
        "ScheduleDeadLetterQueueUrl",
        Section.SCHEDULE_QUEUE,
        "empty it once sweeps run",
        gone=Section.CHANGED,
    )


def _look(deployment: Deployment, output: str, full: Section, then: str, *, gone: Section) -> Finding:
    url = deployment.output(output)
    name = url.rsplit("/", 1)[-1]
    try:
        attributes = deployment.client("sqs").get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no queue {name}.", "Make it again under its old name, and deploy", gone)
        raise
    count = sum(int(number) for number in attributes.values())
    if count:
        messages = "1 message" if count == 1 else f"{count} messages"
        return attention(f"{name} holds about {messages}.", f"Read what happened, and {then}", full)
    return ok("It is there, and empty.")
