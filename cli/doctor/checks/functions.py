"""Can the two functions run?"""

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section


def watch(deployment: Deployment) -> Finding:
    """Look at the watch function."""
    return _look(deployment, "WatchFunctionName", Section.SILENT)


def report(deployment: Deployment) -> Finding:
    """Look at the report function."""
    return _look(deployment, "ReportFunctionName", Section.THROTTLED)


def _look(deployment: Deployment, output: str, section_of_concurrency: Section) -> Finding:
    name = deployment.output(output)
    try:
        configuration = deployment.function(output)
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no function {name}.", "See who deleted it, and put it back", Section.CHANGED)
        raise
    state, update = configuration.get("State", "unknown"), configuration.get("LastUpdateStatus", "unknown")
    if "Failed" in {state, update}:
        reason = configuration.get("StateReason") or configuration.get("LastUpdateStatusReason") or "AWS says no more"
        return wrong(
            f"{name} is {state}, its last update {update} ({reason}).",
            "Remove the cause, and deploy the stack again",
            Section.UPGRADE,
        )
    if (state, update) != ("Active", "Successful"):
        return attention(
            f"{name} is {state}, its last update {update}.",
            "Wait a minute and look again; if it stays, deploy the stack again",
            Section.UPGRADE,
        )
    reserved = deployment.client("lambda").get_function_concurrency(FunctionName=name)
    concurrency = reserved.get("ReservedConcurrentExecutions")
    if concurrency == 0:
        return wrong(
            f"{name} has a reserved concurrency of 0: somebody stopped it.",
            "Give it its reserved concurrency back",
            section_of_concurrency,
        )
    return ok(f"It is Active, its reserved concurrency {'none' if concurrency is None else concurrency}.")
