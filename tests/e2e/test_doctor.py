"""The doctor looks at the deployed stack: all is in order; then one thing after another is broken and found."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec

import boto3
import pytest
from botocore.model import OperationModel
from cli.doctor.__main__ import main
from cli.doctor.deployment import Deployment

from cli.doctor.checkup import CHECKS, STACK, examine
from cli.doctor.finding import Finding, State
from cli.doctor.section import RUNBOOK, Section
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.e2e.conftest import MAIL_ADDRESS, ROOT, Stack, eventually

NOT_KNOWN_HERE = {
    "rights of the watch function": "dynamodb:BatchGetItem, dynamodb:PutItem, events:PutEvents, s3:ListBucket.",
    "rights of the report function": (
        "dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PutItem, dynamodb:UpdateItem, events:PutEvents, kms:Decrypt, "
        "kms:GenerateDataKey."
    ),
}
"""The checks that the embedded AWS cannot answer whole, and of which actions: its IAM simulator heeds no conditions."""

READING = ("Describe", "Filter", "Get", "Head", "List", "Simulate")

Findings = Mapping[str, Finding]


class Clinic:
    """The deployed stack, the doctor, and what is needed to break things."""

    def __init__(self, stack: Stack, simulator: BackupSimulator) -> None:
        self.stack = stack
        self.simulator = simulator
        self.outputs = stack.outputs
        self.client = stack.aws.client
        self.report_function = self.outputs["ReportFunctionName"]
        self.watch_function = self.outputs["WatchFunctionName"]
        pages = (
            self.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=Deployment.stack_name)
        )
        self._resources: dict[str, tuple[str, str]] = {
            each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"])
            for page in pages
            for each in page["StackResourceSummaries"]
        }

    def resource(self, resource_type: str, named: str = "") -> str:
        """Give the physical id of a resource of the stack."""
        return next(
            physical
            for logical, (its_type, physical) in self._resources.items()
            if its_type == resource_type and logical.startswith(named)
        )

    def examine(
        self,
        *,
        session: boto3.session.Session | None = None,
        later: timedelta = timedelta(),
    ) -> Findings:
        """Let the doctor look, now or as if some time had passed."""
        deployment = Deployment(
            session or boto3.session.Session(),
            account=EmbeddedAws.account_id,
            now=lambda: datetime.now(UTC) + later,
        )
        return dict(examine(deployment))


@pytest.fixture(scope="module")
def mended(stack: Stack, simulator: BackupSimulator) -> Clinic:
    """The stack without what other tests left behind."""
    clinic = Clinic(stack, simulator)
    cloudwatch = clinic.client("cloudwatch")
    for queue in ("FailureQueueUrl", "RuleDeadLetterQueueUrl", "ScheduleDeadLetterQueueUrl"):
        clinic.client("sqs").purge_queue(QueueUrl=stack.outputs[queue])
    for alarm in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]:
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="a fresh start")
    stack.sweep()
    return clinic


@pytest.fixture
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables by which an operator's programs find the embedded AWS, set for this process, too."""
    whole = stack.aws.environment()
    for name, value in whole.items():
        if name.startswith("AWS_") or name.lower() == "no_proxy":
            monkeypatch.setenv(name, value)
    return whole


@pytest.fixture
def clinic(mended: Clinic, environment: dict[str, str]) -> Clinic:
    """The stack in order, and the doctor at the door."""
    return mended


def ailing(findings: Findings) -> dict[str, State]:
    """Give what is neither in order nor unknown."""
    return {name: each.state for name, each in findings.items() if each.state in {State.WRONG, State.ATTENTION}}


def test_a_stack_in_order_is_said_to_be_and_what_cannot_be_known_here_says_why(
    clinic: Clinic, environment: dict[str, str]
) -> None:
    # When somebody calls the doctor in a shell
    command = [sys.executable, "-m", "cli.doctor"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)

    # Then every check is a line with a symbol, a word and a name, in the order of the checks
    assert done.stderr == ""
    assert done.returncode == 0
    *lines, summary = done.stdout.splitlines()
    told = [line for line in lines if not line.startswith("   ")]
    names = ["credentials", STACK.name, *(check.name for check in CHECKS)]
    # And all is in order but for what this IAM cannot say, and of that it says what and why
    for name, line in zip(names, told, strict=True):
        assert line[12:].startswith(name)
        if name in NOT_KNOWN_HERE:
            assert line.startswith("? unknown ")
            assert line.endswith(f"does not heed conditions, so that it is not known of {NOT_KNOWN_HERE[name]}")
        else:
            assert line.startswith("✓ ok "), line
    assert summary == "Nothing is wrong as far as it is known: 22 ok, 2 unknown, 0 attention, 0 wrong."
    assert f"Account {EmbeddedAws.account_id}, Region {EmbeddedAws.region}" in told[0]
    assert MAIL_ADDRESS in done.stdout


@pytest.fixture
def operations(clinic: Clinic) -> set[tuple[str, str]]:
    """What the doctor calls: services, by their endpoint prefixes, and operations."""
    clinic.simulator.finish_job(Scenario("known", (BackupGroup(count=1),)))  # whose key can be asked for
    session, called = boto3.session.Session(), set[tuple[str, str]]()

    def note(model: OperationModel, **_: object) -> None:
        called.add((model.service_model.endpoint_prefix, model.name))

    session.events.register("before-call", note)
    clinic.examine(session=session)
    return called


def test_the_doctor_only_reads(operations: set[tuple[str, str]]) -> None:
    assert len(operations) >= 20
    assert [name for _, name in operations if not name.startswith(READING)] == []


def test_the_policy_in_the_runbook_is_what_the_doctor_needs(operations: set[tuple[str, str]]) -> None:
    # Given the names that IAM has for some of the calls
    other_names = {
        "s3:HeadBucket": "s3:ListBucket",
        "s3:ListObjectsV2": "s3:ListBucket",
        "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    }
    prefixes = {"monitoring": "cloudwatch"}

    needed = {f"{prefixes.get(prefix, prefix)}:{name}" for prefix, name in operations}

    section = (ROOT / RUNBOOK).read_text(encoding="utf-8").split(f"## {Section.DOCTOR}\n")[1].split("\n## ")[0]
    policy = json.loads(section.split("```json\n")[1].split("```")[0])
    granted = [each["Action"] for each in policy["Statement"]]
    assert {other_names.get(name, name) for name in needed} | {"s3:ListBucket"} == {
        action for actions in granted for action in ([actions] if isinstance(actions, str) else actions)
    }


Steps = ParamSpec("Steps")


def planted(steps: Callable[Steps, Iterator[None]]) -> Callable[Steps, AbstractContextManager[None]]:
    """Make a block of two steps, to break and to mend; it is mended whatever happens in between."""

    @contextmanager
    @wraps(steps)
    def block(*arguments: Steps.args, **options: Steps.kwargs) -> Iterator[None]:
        going = steps(*arguments, **options)
        next(going)
        try:
            yield
        finally:
            next(going, None)

    return block


@planted
def schedule(clinic: Clinic, **changes: Any) -> Iterator[None]:
    """Change the schedule for a moment."""
    client = clinic.client("scheduler")
    found = client.get_schedule(Name=clinic.outputs["ScheduleName"])
    kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State", "Description")
    as_it_was = {name: found[name] for name in kept}
    client.update_schedule(**as_it_was | changes)
    yield
    client.update_schedule(**as_it_was)


def schedule_is_disabled(clinic: Clinic) -> AbstractContextManager[None]:
    return schedule(clinic, State="DISABLED")


def schedule_starts_another_function(clinic: Clinic) -> AbstractContextManager[None]:
    found = clinic.client("scheduler").get_schedule(Name=clinic.outputs["ScheduleName"])
    other = found["Target"]["Arn"].replace(clinic.watch_function, "another-function")
    return schedule(clinic, Target={**found["Target"], "Arn": other})


@planted
def rule_is_disabled(clinic: Clinic) -> Iterator[None]:
    name = clinic.resource("AWS::Events::Rule")
    clinic.client("events").disable_rule(Name=name)
    yield
    clinic.client("events").enable_rule(Name=name)


@planted
def rule_has_no_target(clinic: Clinic) -> Iterator[None]:
    events, name = clinic.client("events"), clinic.resource("AWS::Events::Rule")
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    events.remove_targets(Rule=name, Ids=[target["Id"] for target in targets])
    yield
    events.put_targets(Rule=name, Targets=targets)


@planted
def rule_is_not_let_in(clinic: Clinic) -> Iterator[None]:
    client, name = clinic.client("lambda"), clinic.report_function
    (statement,) = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    client.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    yield
    client.add_permission(
        FunctionName=name,
        StatementId=statement["Sid"],
        Action=statement["Action"],
        Principal=statement["Principal"]["Service"],
        SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
    )


@planted
def stopped(clinic: Clinic, function: str) -> Iterator[None]:
    """Reserve no concurrency for a function."""
    clinic.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    yield
    clinic.client("lambda").delete_function_concurrency(FunctionName=function)


def report_function_is_stopped(clinic: Clinic) -> AbstractContextManager[None]:
    return stopped(clinic, clinic.report_function)


def watch_function_is_stopped(clinic: Clinic) -> AbstractContextManager[None]:
    return stopped(clinic, clinic.watch_function)


@planted
def key_is_disabled(clinic: Clinic) -> Iterator[None]:
    key = clinic.resource("AWS::KMS::Key", "ReportStoreKey")
    clinic.client("kms").disable_key(KeyId=key)
    yield
    clinic.client("kms").enable_key(KeyId=key)


@planted
def key_is_to_be_deleted(clinic: Clinic) -> Iterator[None]:
    key = clinic.resource("AWS::KMS::Key", "AlertsKey")
    clinic.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    yield
    clinic.client("kms").cancel_key_deletion(KeyId=key)
    clinic.client("kms").enable_key(KeyId=key)


@planted
def versioning_is_suspended(clinic: Clinic) -> Iterator[None]:
    s3, bucket = clinic.client("s3"), clinic.stack.bucket
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    yield
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@planted
def bucket_has_another_key(clinic: Clinic) -> Iterator[None]:
    s3, bucket = clinic.client("s3"), clinic.stack.bucket
    as_it_was = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    s3.delete_bucket_encryption(Bucket=bucket)
    yield
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=as_it_was)


@planted
def bucket_has_no_policy(clinic: Clinic) -> Iterator[None]:
    s3, bucket = clinic.client("s3"), clinic.stack.bucket
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


@planted
def search_forbids(clinic: Clinic) -> Iterator[None]:
    faults = clinic.simulator.faults
    fault = faults.add("error", operation="ListSearchJobs", error_code="AccessDeniedException", message="Taken away.")
    yield
    faults.remove(fault)


@planted
def search_is_down(clinic: Clinic) -> Iterator[None]:
    faults = clinic.simulator.faults
    fault = faults.add("error", operation="ListSearchJobs", error_code="InternalServerException", message="Down.")
    yield
    faults.remove(fault)


@planted
def role_lacks_an_action(clinic: Clinic) -> Iterator[None]:
    iam = clinic.client("iam")
    role = clinic.resource("AWS::IAM::Role", "ReporterReportRole")
    policy = {"RoleName": role, "PolicyName": "WhatTheFunctionCalls"}
    as_it_was = iam.get_role_policy(**policy)["PolicyDocument"]
    changed = {**as_it_was, "Statement": [each for each in as_it_was["Statement"] if each["Sid"] != "Notify"]}
    iam.put_role_policy(**policy, PolicyDocument=json.dumps(changed))
    yield
    iam.put_role_policy(**policy, PolicyDocument=json.dumps(as_it_was))


@planted
def nowhere_to_put_failures(clinic: Clinic) -> Iterator[None]:
    client = clinic.client("lambda")
    place = {"FunctionName": clinic.report_function, "Qualifier": "$LATEST"}
    found = client.get_function_event_invoke_config(**place)
    kept = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    as_it_was = {name: found[name] for name in kept}
    client.put_function_event_invoke_config(**place, **as_it_was | {"DestinationConfig": {}})
    yield
    client.put_function_event_invoke_config(**place, **as_it_was)


@planted
def message_in(clinic: Clinic, queue: str) -> Iterator[None]:
    """Put a message into a queue."""
    sqs, url = clinic.client("sqs"), clinic.outputs[queue]
    sqs.send_message(QueueUrl=url, MessageBody="what failed")
    yield
    sqs.purge_queue(QueueUrl=url)


def failure_is_waiting(clinic: Clinic) -> AbstractContextManager[None]:
    return message_in(clinic, "FailureQueueUrl")


def rule_could_not_hand_over(clinic: Clinic) -> AbstractContextManager[None]:
    return message_in(clinic, "RuleDeadLetterQueueUrl")


def schedule_could_not_start(clinic: Clinic) -> AbstractContextManager[None]:
    return message_in(clinic, "ScheduleDeadLetterQueueUrl")


@planted
def alarm_is_on(clinic: Clinic) -> Iterator[None]:
    cloudwatch, alarm = clinic.client("cloudwatch"), clinic.resource("AWS::CloudWatch::Alarm", "MonitoringReportErrors")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
    yield
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="the test is over")


@planted
def alarm_is_mute(clinic: Clinic) -> Iterator[None]:
    cloudwatch, alarm = clinic.client("cloudwatch"), clinic.resource("AWS::CloudWatch::Alarm", "MonitoringWatchSilent")
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm])
    yield
    cloudwatch.enable_alarm_actions(AlarmNames=[alarm])


WRONG, ATTENTION = State.WRONG, State.ATTENTION


@dataclass(frozen=True)
class Fault:
    """Something that is broken on purpose.

    Attributes:
        plant: Breaks it, and mends it at the end of the block.
        check: The check that finds it.
        state: What the check says.
        found: A part of the sentence that says what was found.
        remedy: A part of the one that says what to do.
        section: Where the runbook says more.
    """

    plant: Callable[[Clinic], AbstractContextManager[None]]
    check: str
    state: State
    found: str
    remedy: str
    section: Section

    def __str__(self) -> str:
        return self.plant.__name__.replace("_", " ")


FAULTS = [
    Fault(schedule_is_disabled, "schedule", WRONG, "is DISABLED", "Enable it", Section.SILENT),
    Fault(schedule_starts_another_function, "schedule", WRONG, "another-function", "target", Section.SILENT),
    Fault(rule_is_disabled, "rule", WRONG, "is DISABLED", "Enable it", Section.OVERDUE),
    Fault(rule_has_no_target, "rule", WRONG, "does not have the report function", "target", Section.OVERDUE),
    Fault(rule_is_not_let_in, "rule", WRONG, "does not let the rule in", "permission", Section.RULE_QUEUE),
    Fault(report_function_is_stopped, "report function", WRONG, "concurrency of 0", "concurrency", Section.THROTTLED),
    Fault(watch_function_is_stopped, "watch function", WRONG, "concurrency of 0", "concurrency", Section.SILENT),
    Fault(key_is_disabled, "key of the reports", WRONG, "is Disabled", "enable-key", Section.CHANGED),
    Fault(key_is_to_be_deleted, "key of the messages", WRONG, "deleted on", "cancel-key-deletion", Section.CHANGED),
    Fault(versioning_is_suspended, "bucket", WRONG, "versioning is Suspended", "undo it", Section.CHANGED),
    Fault(bucket_has_another_key, "bucket", WRONG, "encrypted with AES256", "undo it", Section.CHANGED),
    Fault(bucket_has_no_policy, "bucket", WRONG, "has no policy", "undo it", Section.CHANGED),
    Fault(search_is_down, "AWS Backup search", WRONG, "InternalServerException", "look again", Section.SWEEPS_FAIL),
    Fault(
        role_lacks_an_action,
        "rights of the report function",
        WRONG,
        "not sns:Publish",
        "changed arn:",
        Section.CHANGED,
    ),
    Fault(nowhere_to_put_failures, "failure destination", WRONG, "no failure destination", "queue", Section.NOT_KEPT),
    Fault(failure_is_waiting, "failure queue", ATTENTION, "about 1 message", "redo", Section.FAILURE_QUEUE),
    Fault(rule_could_not_hand_over, "queue of the rule", ATTENTION, "about 1 message", "empty it", Section.RULE_QUEUE),
    Fault(
        schedule_could_not_start,
        "queue of the schedule",
        ATTENTION,
        "about 1 message",
        "sweeps run",
        Section.SCHEDULE_QUEUE,
    ),
    Fault(alarm_is_on, "alarms", ATTENTION, "ReportErrors", "description", Section.ALARMS),
    Fault(alarm_is_mute, "alarms", WRONG, "switched off", "enable-alarm-actions", Section.CHANGED),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_is_broken_is_found_and_nothing_else_is_blamed(clinic: Clinic, fault: Fault) -> None:
    with fault.plant(clinic):
        findings = clinic.examine()

    assert ailing(findings) == {fault.check: fault.state}
    finding = findings[fault.check]
    assert fault.found in finding.found
    assert fault.remedy in finding.remedy
    assert finding.section is fault.section
    # And once it is mended, it is no longer found
    assert ailing(clinic.examine()) == {}


def test_something_wrong_is_the_exit_code_and_stands_in_the_last_line(
    clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    with rule_is_disabled(clinic):
        assert main([]) == 1

    printed = capsys.readouterr().out
    assert '(docs/operations.md, "A search job has no report for an hour").' in printed
    assert printed.splitlines()[-1].startswith("Something is wrong: 21 ok, 2 unknown, 0 attention, 1 wrong")


def test_something_to_look_at_is_no_failure(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    with failure_is_waiting(clinic):
        assert main([]) == 0

    assert capsys.readouterr().out.splitlines()[-1].startswith("It works, and somebody has to look at something")


def test_a_search_job_without_its_report_is_named(clinic: Clinic) -> None:
    with schedule_is_disabled(clinic):  # or it has its report within the minute
        search_job = clinic.simulator.finish_job(
            Scenario("forgotten", (BackupGroup(count=2),)), ended_ago=timedelta(hours=5)
        )

        findings = clinic.examine()

    assert ailing(findings) == {"schedule": WRONG, "overdue reports": WRONG}
    assert search_job in findings["overdue reports"].found
    assert findings["overdue reports"].section is Section.OVERDUE
    # And once it has its report, all is in order
    clinic.stack.sweep()
    eventually(lambda: clinic.stack.summary(search_job), seconds=30)
    assert ailing(clinic.examine()) == {}


def test_a_watch_that_fell_silent_is_found_with_the_time_and_its_last_error(clinic: Clinic) -> None:
    # Given that no sweep succeeds any more
    clinic.stack.sweep()
    with search_forbids(clinic):
        assert "errorMessage" in clinic.stack.sweep()

        # When an hour has passed
        findings = clinic.examine(later=timedelta(minutes=61))

    # Then it is said since when, and why
    finding = findings["last sweep"]
    assert finding.state is State.WRONG
    assert re.search(r"was 6[1-3] minutes ago, and the last error since then says: Listing the search", finding.found)
    assert finding.found.endswith("AccessDeniedException: Taken away.")
    assert finding.remedy == "Remove the cause"
    assert finding.section is Section.SWEEPS_FAIL
    # And what the doctor may not list itself, it does not call down
    assert findings["AWS Backup search"].state is State.UNKNOWN
    assert findings["overdue reports"].found.startswith("You may not call ListSearchJobs")


def test_a_stack_that_is_not_there_is_named_and_what_needs_it_is_left_out(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Deployment, "stack_name", "SearchCoverge")

    assert main([]) == 1

    printed = capsys.readouterr().out
    assert (
        f"There is no stack SearchCoverge in account {EmbeddedAws.account_id}, Region {EmbeddedAws.region}." in printed
    )
    assert "Choose the account and the Region that it was deployed to, or deploy it" in printed
    assert printed.splitlines()[-1].endswith("1 wrong, 21 not made for want of the stack.")


@pytest.mark.parametrize(
    ("without", "arguments", "sentence"),
    [
        (["AWS_ACCESS_KEY_ID"], [], "There are no AWS credentials"),
        (["AWS_REGION", "AWS_DEFAULT_REGION"], [], "There is no Region"),
        ([], ["--profile", "nobody"], "The config profile (nobody) could not be found"),
    ],
)
def test_without_credentials_or_a_region_it_says_so_and_does_not_begin(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    without: list[str],
    arguments: list[str],
    sentence: str,
) -> None:
    for name in without:
        monkeypatch.delenv(name)

    assert main(arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("The doctor could not begin: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_an_aws_that_does_not_answer_is_said_in_a_sentence(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert main([]) == 2

    assert "Could not connect" in capsys.readouterr().err


def test_a_search_that_cannot_be_reached_is_said_with_the_region(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BACKUPSEARCH", "http://127.0.0.1:9")

    findings = clinic.examine()

    assert ailing(findings) == {"AWS Backup search": WRONG}
    assert findings["AWS Backup search"].found == (
        f"AWS Backup search is not reachable in Region {EmbeddedAws.region}."
    )
    assert findings["overdue reports"].state is State.UNKNOWN
    assert "Could not connect" in findings["overdue reports"].found


def test_what_an_operator_may_not_see_is_unknown_and_not_in_order(clinic: Clinic) -> None:
    # Given an operator who may not read schedules, keys, and IAM
    session = boto3.session.Session()
    denied = ("scheduler.GetSchedule", "kms.DescribeKey", "iam.SimulatePrincipalPolicy")
    for operation in denied:
        session.events.register(f"after-call.{operation}", _deny)

    findings = clinic.examine(session=session)

    for name, operation in (
        ("schedule", "GetSchedule"),
        ("key of the reports", "DescribeKey"),
        ("key of the messages", "DescribeKey"),
        ("rights of the report function", "SimulatePrincipalPolicy"),
    ):
        assert findings[name].state is State.UNKNOWN
        assert findings[name].found.startswith(f"You may not call {operation}, so that this is not known (")
        assert findings[name].section is Section.DOCTOR
    assert findings["last sweep"].state is State.OK
    assert ailing(findings) == {}


def _deny(http_response: Any, parsed: dict[str, Any], **_: object) -> None:
    http_response.status_code = 403
    parsed["Error"] = {"Code": "AccessDeniedException", "Message": "not authorized to perform this action"}


def test_an_address_that_did_not_confirm_is_shown(clinic: Clinic) -> None:
    # Given what AWS lists before somebody follows the link, which the embedded AWS takes for granted
    session = boto3.session.Session()
    session.events.register("after-call.sns.ListSubscriptionsByTopic", _unconfirmed)

    findings = clinic.examine(session=session)

    assert ailing(findings) == {"mails of reports": ATTENTION, "mails of alarms": ATTENTION}
    for name in ("mails of reports", "mails of alarms"):
        assert findings[name].found == f"{MAIL_ADDRESS} did not confirm the subscription, and gets nothing."
        assert "Follow the link" in findings[name].remedy
        assert "two days" in findings[name].remedy


def _unconfirmed(parsed: dict[str, Any], **_: object) -> None:
    for subscription in parsed["Subscriptions"]:
        if subscription["Protocol"] == "email":
            subscription["SubscriptionArn"] = "PendingConfirmation"
