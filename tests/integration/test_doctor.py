"""What the doctor says of things that the embedded AWS cannot break: any answer gives a sentence, none a crash."""

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from cli.doctor.deployment import Deployment, Resource
from cli.doctor.printed import Printout
from rich.console import Console

from cli.doctor.checks import functions, mails, rights, searches, stack, storage, sweeps, triggers
from cli.doctor.checkup import CHECKS, Check, examine, examine_one
from cli.doctor.finding import Finding, State, attention, ok
from cli.doctor.needs import INVENTORY, REPORT, SCHEDULE, WATCH, Places
from cli.doctor.needs import Need as Needed
from cli.doctor.section import RUNBOOK, Section
from infra.settings import Settings
from search_coverage.names import SWEEP_DONE, Variable
from tests.infra.conftest import ROOT, synthesised
from tests.integration.aws_calls import Need
from tests.integration.role_policy import RolePolicy

ACCOUNT, REGION = "123456789012", "us-east-1"
MADE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NOW = MADE + timedelta(days=1)
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"

OUTPUTS = {
    "ReportBucketName": "reports",
    "AlertsTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    "ReportFunctionName": "report",
    "WatchFunctionName": "watch",
    "IdempotencyTableName": "table",
    "ScheduleName": "schedule",
    "FailureQueueUrl": f"{QUEUE}/failures",
    "RuleDeadLetterQueueUrl": f"{QUEUE}/rule",
    "ScheduleDeadLetterQueueUrl": f"{QUEUE}/schedule",
}
RESOURCES = [
    Resource("AWS::KMS::Key", "ReportStoreKey8458C457", "11111111-2222-3333-4444-555555555555"),
    Resource("AWS::KMS::Key", "AlertsKey9E1197AF", "66666666-2222-3333-4444-555555555555"),
    Resource("AWS::Scheduler::Schedule", "WatcherSchedule56D5C7A5", "schedule"),
    Resource("AWS::Events::Rule", "ReporterRule05AE7282", "rule"),
    Resource("AWS::SNS::Subscription", "AlertsTopicbackup9CC23003", "arn:subscription"),
    Resource("AWS::CloudWatch::Alarm", "MonitoringWatchSilent0CE4722F", "silent"),
]
FUNCTION = {
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/its-role",
    "LoggingConfig": {"LogGroup": "watch-log"},
    "Environment": {"Variables": {Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED", Variable.INVENTORY: "ON"}},
}

Answer = Mapping[str, Any] | Callable[..., Mapping[str, Any]] | ClientError


LOADER = Loader()
"""Shared by all sessions here: reading the models of the services takes most of the time."""


class Scripted(Deployment):
    """A deployment whose AWS gives the answers of the test, by operation, and no others."""

    def __init__(self, answers: Mapping[str, Answer], *, now: datetime = NOW, status: str = "CREATE_COMPLETE") -> None:
        core: Any = botocore.session.Session()
        core.set_credentials("testing", "testing")
        core.register_component("data_loader", LOADER)
        session = boto3.session.Session(botocore_session=core, region_name=REGION)
        super().__init__(session, account=ACCOUNT, now=lambda: now)
        self._answers = answers
        self.__dict__["stack"] = {"StackStatus": status, "CreationTime": MADE}
        self.__dict__["outputs"] = OUTPUTS
        self.__dict__["resources"] = RESOURCES
        core.register("before-call", self._answer)

    def _answer(self, model: Any, params: dict[str, Any], **_: object) -> tuple[Any, Mapping[str, Any]]:
        answer = self._answers[model.name]
        if isinstance(answer, ClientError):
            raise answer
        return _Ok(), answer(params) if callable(answer) else answer


class _Ok:
    status_code = 200


def refused(operation: str, code: str, message: str = "No.") -> ClientError:
    """Make the error that boto3 raises."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def page(**members: Any) -> Mapping[str, Any]:
    """Give an answer that is the last page."""
    return members


def one(look: Callable[[Deployment], Finding], deployment: Deployment) -> Finding:
    """Make one check as the check-up does."""
    return examine_one(Check("it", look), deployment)


# What is there, and how it is


@pytest.mark.parametrize(
    ("status", "state", "part"),
    [
        ("CREATE_COMPLETE", State.OK, "with 6 resources"),
        ("UPDATE_COMPLETE", State.OK, "is UPDATE_COMPLETE"),
        ("UPDATE_IN_PROGRESS", State.ATTENTION, "somebody is deploying it"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", State.ATTENTION, "somebody is deploying it"),
        ("UPDATE_ROLLBACK_COMPLETE", State.ATTENTION, "the earlier version is back"),
        ("ROLLBACK_COMPLETE", State.WRONG, "is ROLLBACK_COMPLETE"),
        ("CREATE_FAILED", State.WRONG, "is CREATE_FAILED"),
        ("UPDATE_ROLLBACK_FAILED", State.WRONG, "is UPDATE_ROLLBACK_FAILED"),
        ("DELETE_IN_PROGRESS", State.WRONG, "somebody removes it"),
        ("DELETE_FAILED", State.WRONG, "somebody removes it"),
    ],
)
def test_the_status_of_the_stack_is_named(status: str, state: State, part: str) -> None:
    finding = one(stack.look, Scripted({}, status=status))

    assert finding.state is state
    assert part in finding.found
    assert bool(finding.remedy) is (state is not State.OK)


def test_outputs_that_are_missing_are_named_and_so_is_what_is_not_known_without_them() -> None:
    deployment = Scripted({})
    deployment.__dict__["outputs"] = {name: OUTPUTS[name] for name in OUTPUTS if name != "IdempotencyTableName"}

    assert one(stack.look, deployment).found.endswith("has no output IdempotencyTableName.")
    finding = one(storage.table, deployment)
    assert finding.state is State.UNKNOWN
    assert finding.found == "The stack has no output IdempotencyTableName, so that this is not known."
    assert finding.section is Section.UPGRADE


def test_a_stack_that_may_not_be_read_leaves_the_others_out_and_says_why() -> None:
    deployment = Scripted(
        {
            "DescribeStacks": refused("DescribeStacks", "AccessDenied", "Not you."),
            "ListSearchJobs": page(SearchJobs=[]),
        }
    )
    del deployment.__dict__["stack"], deployment.__dict__["outputs"], deployment.__dict__["resources"]

    findings = dict(examine(deployment))

    assert findings["stack"].state is State.UNKNOWN
    assert findings["stack"].found == "You may not call DescribeStacks, so that this is not known (Not you)."
    assert set(findings) == {"stack", "AWS Backup search"}


@pytest.mark.parametrize(
    ("changes", "state", "part"),
    [
        ({"State": "Pending"}, State.ATTENTION, "is Pending"),
        ({"LastUpdateStatus": "InProgress"}, State.ATTENTION, "its last update InProgress"),
        ({"State": "Failed", "StateReason": "The key is disabled."}, State.WRONG, "The key is disabled."),
        ({"LastUpdateStatus": "Failed"}, State.WRONG, "its last update Failed"),
    ],
)
def test_the_state_of_a_function_is_named(changes: dict[str, str], state: State, part: str) -> None:
    finding = one(functions.report, Scripted({"GetFunctionConfiguration": {**FUNCTION, **changes}}))

    assert finding.state is state
    assert part in finding.found


@pytest.mark.parametrize(
    ("check", "operation", "code", "section"),
    [
        ("watch function", "GetFunctionConfiguration", "ResourceNotFoundException", Section.CHANGED),
        ("schedule", "GetSchedule", "ResourceNotFoundException", Section.SILENT),
        ("rule", "DescribeRule", "ResourceNotFoundException", Section.CHANGED),
        ("mails of reports", "ListSubscriptionsByTopic", "NotFound", Section.CHANGED),
        ("key of the reports", "DescribeKey", "NotFoundException", Section.CHANGED),
        ("bucket", "HeadBucket", "404", Section.CHANGED),
        ("table", "DescribeTable", "ResourceNotFoundException", Section.TABLE_DELETED),
        ("failure queue", "GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue", Section.NOT_KEPT),
        ("queue of the schedule", "GetQueueAttributes", "QueueDoesNotExist", Section.CHANGED),
        ("failure destination", "GetFunctionEventInvokeConfig", "ResourceNotFoundException", Section.NOT_KEPT),
    ],
)
def test_what_was_deleted_is_said_to_be_missing(check: str, operation: str, code: str, section: Section) -> None:
    look = next(each.look for each in CHECKS if each.name == check)

    finding = one(look, Scripted({operation: refused(operation, code)}))

    assert finding.state is State.WRONG
    assert re.search(r"^There is no |has no failure destination", finding.found)
    assert finding.section is section


def test_an_alarm_that_was_deleted_is_named() -> None:
    look = next(each.look for each in CHECKS if each.name == "alarms")

    finding = one(look, Scripted({"DescribeAlarms": page(MetricAlarms=[])}))

    assert finding == Finding(
        State.WRONG, "1 alarm is not there: silent.", "See who deleted them, and put them back", Section.CHANGED
    )


def test_a_queue_of_somebody_else_is_no_failure_destination() -> None:
    elsewhere = {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:1:other"}}}
    look = next(each.look for each in CHECKS if each.name == "failure destination")

    finding = one(look, Scripted({"GetFunctionEventInvokeConfig": elsewhere}))

    assert finding.state is State.WRONG
    assert "arn:aws:sqs:us-east-1:1:other, which is not the failure queue" in finding.found


# The mails


def subscription(arn: str, protocol: str = "email", endpoint: str = "me@example.com") -> dict[str, str]:
    """Give a subscription as SNS lists it."""
    return {"SubscriptionArn": arn, "Protocol": protocol, "Endpoint": endpoint}


@pytest.mark.parametrize(
    ("listed", "state", "found"),
    [
        ([subscription("arn:1")], State.OK, "Confirmed: me@example.com."),
        (
            [subscription("arn:1"), subscription("arn:2", "sqs", "arn:aws:sqs")],
            State.OK,
            "Confirmed: me@example.com and 1 that are no mail addresses.",
        ),
        (
            [subscription("PendingConfirmation")],
            State.ATTENTION,
            "me@example.com did not confirm the subscription, and gets nothing.",
        ),
        (
            [subscription("arn:2", "sqs", "arn:aws:sqs")],
            State.ATTENTION,
            "The stack subscribed 1 address, of which 0 are left: somebody unsubscribed, or did not confirm in time.",
        ),
    ],
)
def test_who_gets_the_mails_is_told(listed: list[dict[str, str]], state: State, found: str) -> None:
    finding = one(mails.reports, Scripted({"ListSubscriptionsByTopic": page(Subscriptions=listed)}))

    assert (finding.state, finding.found) == (state, found)


def test_a_stack_without_addresses_is_worth_a_look() -> None:
    finding = one(mails.alarms, Scripted({"ListSubscriptionsByTopic": page(Subscriptions=[])}))

    assert finding.state is State.ATTENTION
    assert finding.found == "Nobody is subscribed, so that nobody is told."
    assert finding.remedy == "Write addresses into alarmEmails, and deploy"


# The sweeps


def log_of(*lines: tuple[timedelta, str]) -> Callable[..., Mapping[str, Any]]:
    """Give a log that answers as CloudWatch Logs does to one term: lines that hold it, not older than asked for."""

    def answer(params: dict[str, Any]) -> Mapping[str, Any]:
        asked = json.loads(params["body"])
        events = [{"timestamp": int((NOW - age).timestamp() * 1000), "message": text} for age, text in lines]
        term = asked["filterPattern"].strip('"')
        return {"events": [e for e in events if term in str(e["message"]) and e["timestamp"] >= asked["startTime"]]}

    return answer


def line(message: str, level: str = "INFO") -> str:
    """Give a line as the functions write it."""
    return json.dumps({"level": level, "message": message})


def minutes(count: float) -> timedelta:
    """Give a time span."""
    return timedelta(minutes=count)


SWEPT = line(SWEEP_DONE)


@pytest.mark.parametrize(
    ("rate", "lines", "state", "part"),
    [
        ("1 minute", [(minutes(0.5), SWEPT)], State.OK, "less than a minute ago"),
        ("1 minute", [(minutes(14), SWEPT)], State.OK, "14 minutes ago"),
        ("1 minute", [(minutes(16), SWEPT)], State.WRONG, "16 minutes ago, and the log has no error since"),
        ("15 minutes", [(minutes(44), SWEPT)], State.OK, "44 minutes ago"),
        ("15 minutes", [(minutes(46), SWEPT)], State.WRONG, "46 minutes ago"),
        (
            "1 minute",
            [(minutes(200), SWEPT), (minutes(190), line("First.", "ERROR")), (minutes(3), line("Last.", "ERROR"))],
            State.WRONG,
            "3 hours ago, and the last error since then says: Last.",
        ),
        (
            "1 minute",
            [(minutes(40), SWEPT), (minutes(5), "2026-11-21 x Task timed out after 60.00 seconds")],
            State.WRONG,
            "Task timed out after 60.00 seconds",
        ),
        (
            "1 minute",
            [(minutes(40), line("An ERROR of others, told", "WARNING"))],
            State.WRONG,
            "more than 24 hours ago, or never, and the log has no error since",
        ),
        ("1 minute", [(minutes(5), line("not a 'sweep done' line"))], State.WRONG, "or never"),
    ],
)
def test_the_last_sweep_is_found_in_the_log(
    rate: str, lines: list[tuple[timedelta, str]], state: State, part: str
) -> None:
    deployment = Scripted(
        {
            "GetFunctionConfiguration": FUNCTION,
            "GetSchedule": {"ScheduleExpression": f"rate({rate})"},
            "FilterLogEvents": log_of(*lines),
        }
    )

    finding = one(sweeps.look, deployment)

    assert finding.state is state
    assert part in finding.found


def test_a_stack_of_a_few_minutes_may_be_without_a_sweep() -> None:
    answers: dict[str, Answer] = {
        "GetFunctionConfiguration": FUNCTION,
        "GetSchedule": refused("GetSchedule", "AccessDenied"),
    }
    deployment = Scripted({**answers, "FilterLogEvents": page(events=[])}, now=MADE + minutes(3))

    assert one(sweeps.look, deployment).state is State.ATTENTION


def test_a_log_group_that_was_deleted_is_named() -> None:
    answers: dict[str, Answer] = {
        "GetFunctionConfiguration": FUNCTION,
        "GetSchedule": {"ScheduleExpression": "rate(1 minute)"},
    }
    missing = refused("FilterLogEvents", "ResourceNotFoundException")

    finding = one(sweeps.look, Scripted({**answers, "FilterLogEvents": missing}))

    assert (finding.state, finding.found) == (State.WRONG, "There is no log group watch-log.")


# The policy of the bucket

DENIED = {
    "OnlyTheReportFunctionWritesReports": "others can write reports",
    "NothingIsReplicatedIntoTheEvidence": "others can replicate reports into it",
    "NobodyLiftsALock": "others can lift a lock",
}


@pytest.mark.parametrize("missing", [*DENIED, None])
def test_each_statement_that_the_bucket_lacks_is_named_with_what_follows(missing: str | None) -> None:
    statements = [{"Sid": sid} for sid in DENIED if sid != missing]
    key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": RESOURCES[0].physical_id}
    answers: dict[str, Answer] = {
        "HeadBucket": {},
        "GetBucketVersioning": {"Status": "Enabled"},
        "GetBucketEncryption": {
            "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": key}]}
        },
        "GetBucketPolicy": {"Policy": json.dumps({"Statement": statements})},
    }

    finding = one(storage.bucket, Scripted(answers))

    assert finding.state is (State.WRONG if missing else State.OK)
    if missing:
        assert finding.found == f"reports has a policy without {missing}, so that {DENIED[missing]}."


def test_the_statements_that_the_doctor_looks_for_are_in_the_stack() -> None:
    written = synthesised(Settings()).resource("ReportStoreBucketPolicy")["PolicyDocument"]["Statement"]

    assert set(DENIED) == {each["Sid"] for each in written if "Sid" in each}


# The rights


def real_names(places: Places) -> dict[str, str]:
    """Give what stands in a deployment for each reference of the template."""
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
        "<WatcherWatchFunction.Arn>": places.watch_function,
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
    ],
)
def test_the_doctor_asks_for_what_the_stack_gives_no_more_and_no_less(
    role: str, needed: tuple[Needed, ...], *, inventory: bool
) -> None:
    places = Places.of(Scripted({}), "the-log")
    policy = RolePolicy.of(synthesised(Settings(inventory=inventory)), role, real_names(places))
    needs = {
        Need(action, need.resource, tuple(need.context.items()))
        for need in (each.at(places) for each in needed)
        for action in need.actions
    }

    assert policy.refused(needs) == set()
    assert policy.idle(needs) == set()


def simulator(*denied: str, organisation: bool = True, conditions: bool = True) -> dict[str, Answer]:
    """Give an IAM that allows all but some actions."""

    def results(actions: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "EvalActionName": action,
                "EvalDecision": "implicitDeny" if action in denied else "allowed",
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": organisation or action not in denied},
            }
            for action in actions
        ]

    def answer(params: dict[str, Any]) -> Mapping[str, Any]:
        asked = params["body"]
        return {"EvaluationResults": results([asked[key] for key in asked if key.startswith("ActionNames.member")])}

    custom = {"EvaluationResults": [{"EvalDecision": "allowed" if conditions else "implicitDeny"}]}
    return {
        "GetFunctionConfiguration": FUNCTION,
        "SimulatePrincipalPolicy": answer,
        "SimulateCustomPolicy": custom,
    }


def test_a_role_that_may_do_all_is_in_order() -> None:
    assert one(rights.report, Scripted(simulator())) == ok("Its role may call all of the 42 things that it has to.")
    assert one(rights.watch, Scripted(simulator())) == ok("Its role may call all of the 9 things that it has to.")


def test_what_a_request_says_of_itself_is_told_to_the_simulator_as_a_list_where_it_is_one() -> None:
    # Given an IAM that notes what it is asked
    asked: list[dict[str, Any]] = []
    answers = simulator()
    answer: Any = answers["SimulatePrincipalPolicy"]

    def noted(params: dict[str, Any]) -> Mapping[str, Any]:
        asked.append(params["body"])
        noted_answer: Mapping[str, Any] = answer(params)
        return noted_answer

    answers["SimulatePrincipalPolicy"] = noted

    # When the doctor asks it for the watch function
    one(rights.watch, Scripted(answers))

    # Then each condition key has the type that AWS's reference gives it
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


def test_an_action_under_a_condition_that_is_denied_is_wrong_where_conditions_are_heeded() -> None:
    finding = one(rights.watch, Scripted(simulator("events:PutEvents")))

    assert finding.state is State.WRONG
    assert finding.found == (
        "Its role may call 8 of the 9 things that it has to, "
        f"and not events:PutEvents on arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default."
    )
    assert finding.section is Section.CHANGED


def test_an_action_under_a_condition_is_unknown_where_conditions_are_not_heeded() -> None:
    finding = one(rights.watch, Scripted(simulator("events:PutEvents", conditions=False)))

    assert finding.state is State.UNKNOWN
    assert finding.found.endswith("does not heed conditions, so that it is not known of events:PutEvents.")


def test_what_the_organisation_seems_to_deny_is_not_called_wrong() -> None:
    finding = one(rights.watch, Scripted(simulator("backup-search:ListSearchJobs", organisation=False)))

    assert finding.state is State.UNKNOWN
    assert "a policy of the organisation seems to deny backup-search:ListSearchJobs on *" in finding.found


# Whatever AWS answers


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_survives_an_operator_who_may_do_nothing(check: Check) -> None:
    class Forbidden(dict[str, Answer]):
        def __missing__(self, operation: str) -> ClientError:
            return refused(operation, "AccessDenied", "Not you")

    finding = examine_one(check, Scripted(Forbidden()))

    assert finding.state is State.UNKNOWN
    assert re.fullmatch(r"You may not call \w+, so that this is not known \(Not you\)\.", finding.found)
    assert (finding.remedy, finding.section) == (
        "Look with credentials that have the permissions listed there",
        Section.DOCTOR,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("nonsense", [{}, {"Table": None, "State": 7, "events": None}], ids=["nothing", "nonsense"])
def test_every_check_survives_an_answer_that_nobody_documented(check: Check, nonsense: dict[str, Any]) -> None:
    class Senseless(dict[str, Answer]):
        def __missing__(self, operation: str) -> Mapping[str, Any]:
            return nonsense

    finding = examine_one(check, Scripted(Senseless()))

    assert finding.found.endswith((".", ")"))
    assert "Traceback" not in finding.found


def test_search_that_throttles_is_wrong_and_one_that_is_forbidden_is_unknown() -> None:
    throttled = refused("ListSearchJobs", "ThrottlingException", "Rate exceeded")

    finding = one(searches.answers, Scripted({"ListSearchJobs": throttled}))

    assert finding.state is State.WRONG
    assert finding.found == (
        "AWS Backup search does not list the search jobs: ListSearchJobs answered ThrottlingException: Rate exceeded."
    )


def test_a_permission_for_every_rule_lets_this_one_in() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}]}
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:report"
    deployment = Scripted(
        {
            "DescribeRule": {"State": "ENABLED", "Arn": "arn:rule"},
            "ListTargetsByRule": {"Targets": [{"Arn": target}]},
            "GetPolicy": {"Policy": json.dumps(policy)},
        }
    )

    assert one(triggers.rule, deployment).state is State.OK


# What is printed, and where it points


def test_every_section_that_is_named_is_in_the_runbook() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / RUNBOOK).read_text(encoding="utf-8"), re.MULTILINE)

    assert {str(section) for section in Section} <= set(headings)


@pytest.mark.parametrize(("encoding", "symbols"), [("utf-8", "✓!"), ("ascii", "+!")])
def test_a_line_has_a_symbol_and_a_word_and_stays_a_line(encoding: str, symbols: str) -> None:
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    printout = Printout(Console(file=written, width=40, highlight=False))

    printout.add("first", ok("It is [there]. " + "x" * 100))
    printout.add("second", attention("It is odd.", "Look", Section.ALARMS))
    printout.sum_up(left_out=0)

    written.seek(0)
    first, second, remedy, summary = written.read().splitlines()
    assert first.startswith(f"{symbols[0]} ok        first ")
    assert first.endswith(f"It is [there]. {'x' * 100}")
    assert second.startswith(f"{symbols[1]} attention second ")
    assert remedy == f'            -> Look ({RUNBOOK}, "Before you begin").'
    assert summary == "It works, and somebody has to look at something: 1 ok, 0 unknown, 1 attention, 0 wrong."
    assert printout.exit_code == 0
