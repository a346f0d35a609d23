"""Asks the policy simulator of IAM whether the roles allow what the functions and the schedule need.

The simulator evaluates the policies of a role and of the organization, but not those of keys and buckets: "Simulation
of resource-based policies isn't supported for IAM roles" (service model of IAM, SimulatePrincipalPolicy).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.deployment import Deployment
from cli.doctor.finding import Finding, ok, unknown, wrong
from cli.doctor.needs import INVENTORY, KEEP_RESULTS, POSTURE, REPORT, SCHEDULE, WATCH, Need, Places
from cli.doctor.section import Section
from infra.permissions import PUT_EVENTS, ConditionValue, as_tuple
from search_coverage.names import SERVICE, Variable


def watch(deployment: Deployment) -> Finding:
    """Check the role of the watch function."""
    function = deployment.function("WatchFunctionName")
    return _ask(deployment, function["Role"], WATCH, Places.of(deployment, function["LoggingConfig"]["LogGroup"]))


def report(deployment: Deployment) -> Finding:
    """Check the role of the report function."""
    function = deployment.function("ReportFunctionName")
    variables = function["Environment"]["Variables"]
    inventory, results = variables.get(Variable.INVENTORY) == "ON", variables.get(Variable.RESULTS_BUCKET)
    needs = (*REPORT, *(INVENTORY if inventory else ()), *(KEEP_RESULTS if results else ()))
    return _ask(deployment, function["Role"], needs, Places.of(deployment, function["LoggingConfig"]["LogGroup"]))


def posture(deployment: Deployment) -> Finding:
    """Check the role of the posture function."""
    function = deployment.function("PostureFunctionName")
    return _ask(deployment, function["Role"], POSTURE, Places.of(deployment, function["LoggingConfig"]["LogGroup"]))


def schedule(deployment: Deployment) -> Finding:
    """Check the role of the schedule."""
    return _schedule(deployment, "WatcherSchedule", Places.of(deployment))


def posture_schedule(deployment: Deployment) -> Finding:
    """Check the role of the schedule of the posture."""
    places = Places.of(deployment, scheduled=("PostureFunctionName", "PostureDeadLetterQueueUrl"))
    return _schedule(deployment, "PosterSchedule", places)


def _schedule(deployment: Deployment, named: str, places: Places) -> Finding:
    name = deployment.resource("AWS::Scheduler::Schedule", named=named)
    target = deployment.client("scheduler").get_schedule(Name=name)["Target"]
    return _ask(deployment, target["RoleArn"], SCHEDULE, places)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action that IAM does not allow.

    Attributes:
        action: The action.
        need: The request that it is part of.
        by_organization: Whether a policy of the organization denies it.
    """

    action: str
    need: Need
    by_organization: bool

    def __str__(self) -> str:
        return f"{self.action} on {self.need.resource}"


def _ask(deployment: Deployment, role: str, needs: Iterable[Need], places: Places) -> Finding:
    iam = deployment.client("iam")
    needs = [need.at(places) for need in needs]
    refusals = [refusal for need in needs for refusal in refusals_of(iam, role, need, deployment.region)]
    count = sum(len(need.actions) for need in needs)
    if not refusals:
        return ok(f"The role allows all {count} actions that it needs.")
    allowed = f"The role allows {count - len(refusals)} of the {count} actions that it needs"
    evaluates = evaluates_conditions(iam)
    certain = [each for each in refusals if not each.by_organization and (evaluates or not each.need.context)]
    if certain:
        return wrong(
            f"{allowed}, and not {', '.join(map(str, certain))}.",
            f"Find out who changed {role}, and undo the change",
            Section.CHANGED,
        )
    if evaluates:
        return unknown(
            f"{allowed}; a policy of the organization seems to deny {', '.join(map(str, refusals))}. The simulator of "
            "IAM does not see every condition key of a real call.",
            "Search the log of the function for denied access",
            Section.ALARMS,
        )
    return unknown(
        f"{allowed}; this IAM ignores conditions, so it cannot say whether the role allows "
        f"{', '.join(sorted({each.action for each in refusals}))}.",
        "Repeat the check against the IAM of AWS, which evaluates conditions",
        Section.DOCTOR,
    )


def refusals_of(iam: Any, role: str, need: Need, region: str) -> Iterator[Refusal]:
    """Yield the actions of a need that IAM does not allow a role."""
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role,
        ActionNames=list(need.actions),
        ResourceArns=[need.resource],
        ContextEntries=_entries({**need.context, "aws:RequestedRegion": region}),
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                organization = result.get("OrganizationsDecisionDetail", {})
                yield Refusal(
                    result["EvalActionName"], need, by_organization=not organization.get("AllowedByOrganizations", True)
                )


def evaluates_conditions(iam: Any) -> bool:
    """Whether this IAM evaluates conditions with a set operator on a multivalued key, the hardest of the roles."""
    statement = {
        "Effect": "Allow",
        "Action": PUT_EVENTS.actions,
        "Resource": "*",
        "Condition": PUT_EVENTS.conditions,
    }
    answer = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps({"Version": "2012-10-17", "Statement": [statement]})],
        ActionNames=list(PUT_EVENTS.actions),
        ContextEntries=_entries({"events:source": (SERVICE,)}),
    )
    return [result["EvalDecision"] for result in answer["EvaluationResults"]] == ["allowed"]


def _entries(context: Mapping[str, ConditionValue]) -> list[dict[str, object]]:
    """Return a context for the simulator, which needs the type of each key."""
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": list(as_tuple(value)),
            "ContextKeyType": "string" if isinstance(value, str) else "stringList",
        }
        for key, value in context.items()
    ]
