"""Can the two functions run?"""

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong, wrong_if_missing
from cli.doctor.section import Section


def watch(deployment: Deployment) -> Finding:
    """Check the watch function."""
    return _check(deployment, "WatchFunctionName", Section.SILENT)


def report(deployment: Deployment) -> Finding:
    """Check the report function."""
    return _check(deployment, "ReportFunctionName", Section.THROTTLED)


def _check(deployment: Deployment, output: str, section_of_concurrency: Section) -> Finding:
    name = deployment.output(output)
    with wrong_if_missing(f"function {name}"):
        configuration = deployment.function(output)
    state, update = configuration.get("State", "unknown"), configuration.get("LastUpdateStatus", "unknown")
    states = f"The state of {name} is {state}, the status of its last update {update}"
    if "Failed" in {state, update}:
        reason = configuration.get("StateReason") or configuration.get("LastUpdateStatusReason") or "no reason given"
        return wrong(f"{states} ({reason}).", "Remove the cause, and deploy the stack again", Section.UPGRADE)
    if (state, update) != ("Active", "Successful"):
        return attention(
            f"{states}.", "Wait a minute and check again; if it stays, deploy the stack again", Section.UPGRADE
        )
    reserved = deployment.client("lambda").get_function_concurrency(FunctionName=name)
    concurrency = reserved.get("ReservedConcurrentExecutions")
    if concurrency == 0:
        return wrong(
            f"{name} has a reserved concurrency of 0: somebody stopped it.",
            "Restore its reserved concurrency",
            section_of_concurrency,
        )
    return ok(f"Active, {'no' if concurrency is None else concurrency} reserved concurrency.")
