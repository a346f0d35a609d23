"""What the doctor asks IAM about the roles, and what it says to the answers."""

from collections.abc import Mapping
from typing import Any

import pytest

from cli.doctor.finding import State
from cli.doctor.needs import INVENTORY, POSTURE, REPORT, SCHEDULE, WATCH, Places
from cli.doctor.needs import Need as Needed
from cli.doctor.section import Section
from infra.settings import Settings
from tests.infra.conftest import synthesized
from tests.integration.aws_calls import Need
from tests.integration.command_line.scripted_aws import ACCOUNT, IN_ORDER, REGION, ScriptedStack, find, policy_simulator
from tests.integration.role_policy import RolePolicy


def real_names(places: Places) -> dict[str, str]:
    """Return what stands in a deployment for each reference of the template."""
    return {
        "<AWS::Partition>": places.partition,
        "<AWS::Region>": places.region,
        "<AWS::AccountId>": places.account,
        "<ReportStoreBucket.Arn>": places.bucket,
        "<ReportStoreKey.Arn>": places.reports_key,
        "<AlertsTopic>": places.topic,
        "<AlertsKey.Arn>": places.messages_key,
        "<ReporterIdempotencyTable.Arn>": places.table,
        "<ReporterFailureQueue.Arn>": places.failure_queue,
        "<WatcherScheduleDeadLetterQueue.Arn>": places.schedule_queue,
        "<WatcherWatchFunction.Arn>": places.scheduled_function,
        "<PosterPostureFunction.Arn>": places.scheduled_function,
        "<PosterDeadLetterQueue.Arn>": places.schedule_queue,
        "<PosterPostureLogs.Arn>": f"{places.log}:*",
        "<ReporterReportLogs.Arn>": f"{places.log}:*",
        "<WatcherWatchLogs.Arn>": f"{places.log}:*",
    }


@pytest.mark.parametrize(
    ("role", "needed", "inventory"),
    [
        ("WatcherWatchRole", WATCH, True),
        ("ReporterReportRole", (*REPORT, *INVENTORY), True),
        ("ReporterReportRole", REPORT, False),
        ("WatcherSchedulerRole", SCHEDULE, True),
        ("PosterPostureRole", POSTURE, True),
        ("PosterSchedulerRole", SCHEDULE, True),
    ],
)
def test_the_doctor_asks_for_exactly_what_the_stack_grants(
    role: str, needed: tuple[Needed, ...], *, inventory: bool
) -> None:
    places = Places.of(ScriptedStack(), "the-log")
    policy = RolePolicy.of(synthesized(Settings(inventory=inventory)), role, real_names(places))
    needs = {
        Need(action, need.resource, tuple(need.context.items()))
        for need in (each.at(places) for each in needed)
        for action in need.actions
    }

    assert policy.refused(needs) == set()
    assert policy.idle(needs) == set()


@pytest.mark.parametrize(("role", "actions"), [("report function", 47), ("watch function", 9), ("schedule", 2)])
def test_a_role_with_all_permissions_is_in_order(role: str, actions: int) -> None:
    finding = find(f"role of the {role}", ScriptedStack())

    assert finding.state is State.OK
    assert str(actions) in finding.found


def test_the_simulator_receives_multivalued_condition_keys_as_lists() -> None:
    # Given an IAM that records what it is asked
    asked: list[dict[str, Any]] = []
    answer: Any = IN_ORDER["SimulatePrincipalPolicy"]

    def record(params: dict[str, Any]) -> Mapping[str, Any]:
        asked.append(params["body"])
        recorded: Mapping[str, Any] = answer(params)
        return recorded

    # When the doctor checks the role of the watch function
    find("role of the watch function", ScriptedStack({**IN_ORDER, "SimulatePrincipalPolicy": record}))

    # Then each condition key has its type in AWS's reference
    types = {
        body[f"{entry}.ContextKeyName"]: body[f"{entry}.ContextKeyType"]
        for body in asked
        for entry in {key.rpartition(".")[0] for key in body if key.endswith(".ContextKeyName")}
    }
    assert types == {
        "aws:RequestedRegion": "string",
        "s3:prefix": "string",
        "events:source": "stringList",
        "dynamodb:LeadingKeys": "stringList",
    }


PUT_EVENTS = f"events:PutEvents on arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"


@pytest.mark.parametrize(
    ("denied", "options", "state", "named", "section"),
    [
        ("events:PutEvents", {}, State.WRONG, PUT_EVENTS, Section.CHANGED),
        ("events:PutEvents", {"conditions": False}, State.UNKNOWN, "events:PutEvents", Section.DOCTOR),
        (
            "backup-search:ListSearchJobs",
            {"conditions": False},
            State.WRONG,
            "backup-search:ListSearchJobs on *",
            Section.CHANGED,
        ),
        (
            "backup-search:ListSearchJobs",
            {"organization": False},
            State.UNKNOWN,
            "deny backup-search:ListSearchJobs on *",
            Section.ALARMS,
        ),
    ],
)
def test_a_denied_action_is_wrong_unless_the_simulator_cannot_decide(
    denied: str, options: dict[str, bool], state: State, named: str, section: Section
) -> None:
    answers = {**IN_ORDER, **policy_simulator(denied, **options)}

    finding = find("role of the watch function", ScriptedStack(answers))

    assert (finding.state, finding.section) == (state, section)
    assert "8 of the 9" in finding.found
    assert named in finding.found
