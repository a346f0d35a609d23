"""`search-coverage` against the deployed stack."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.model import OperationModel
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.deployment import Deployment
from cli.doctor.checkup import CHECKS, STACK, run_checks
from cli.doctor.finding import Finding, State
from cli.permissions import PERMISSIONS
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.e2e.conftest import MAIL_ADDRESS, ROOT, Stack, eventually
from tests.planted import refuse_planted

ATTENTION, WRONG = State.ATTENTION, State.WRONG
QUEUES = ("FailureQueueUrl", "RuleDeadLetterQueueUrl", "ScheduleDeadLetterQueueUrl", "PostureDeadLetterQueueUrl")

UNKNOWN_HERE = {
    "role of the watch function": ("dynamodb:BatchGetItem", "dynamodb:PutItem", "events:PutEvents", "s3:ListBucket"),
    "role of the report function": ("dynamodb:DeleteItem", "events:PutEvents", "kms:Decrypt", "kms:GenerateDataKey"),
    "role of the posture function": ("dynamodb:DeleteItem", "events:PutEvents", "kms:Decrypt", "kms:GenerateDataKey"),
}
"""The checks that the embedded AWS cannot answer in full, and for which actions: its IAM ignores conditions."""


@pytest.fixture(scope="module")
def in_order(stack: Stack) -> Stack:
    """The stack, without what other tests left behind."""
    sqs, cloudwatch = stack.aws.client("sqs"), stack.aws.client("cloudwatch")
    for queue in QUEUES:
        sqs.purge_queue(QueueUrl=stack.outputs[queue])
    for alarm in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]:
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="a fresh start")
    stack.sweep()
    stack.invoke(stack.outputs["PostureFunctionName"], {"posture": {}})
    return stack


@pytest.fixture
def environment(in_order: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables by which an operator's programs find the embedded AWS, set for this process, too."""
    whole = in_order.aws.environment()
    for name, value in whole.items():
        if name.startswith("AWS_") or name.lower() == "no_proxy":
            monkeypatch.setenv(name, value)
    return whole


def run(*arguments: str) -> Result:
    """Run the command."""
    result = CliRunner().invoke(main, arguments)
    refuse_planted(result.output, "what the command prints")
    return result


def check_up(*, session: boto3.session.Session | None = None, later: timedelta = timedelta()) -> dict[str, Finding]:
    """Run all checks of the doctor, now or as if some time had passed."""
    deployment = Deployment(
        session or boto3.session.Session(),
        account=EmbeddedAws.account_id,
        now=lambda: datetime.now(UTC) + later,
    )
    return dict(run_checks(deployment))


def not_in_order(findings: Mapping[str, Finding]) -> dict[str, State]:
    """Return what is neither in order nor unknown."""
    return {name: each.state for name, each in findings.items() if each.state in {WRONG, ATTENTION}}


def test_the_doctor_finds_a_new_stack_in_order(environment: dict[str, str]) -> None:
    # When an operator calls the doctor in a shell
    command = [sys.executable, "-m", "cli", "doctor"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)

    # Then every check is a line with a symbol, a word and a name, in the order of the checks
    assert (done.returncode, done.stderr) == (0, "")
    *lines, summary = done.stdout.splitlines()
    shown = [line for line in lines if not line.startswith("   ")]
    names = ["credentials", STACK.name, *(check.name for check in CHECKS)]
    # And all is in order except what this IAM cannot evaluate, where it names the actions
    for name, line in zip(names, shown, strict=True):
        assert line[12:].startswith(name)
        assert line.startswith("? unknown " if name in UNKNOWN_HERE else "✓ ok "), line
        assert all(action in line for action in UNKNOWN_HERE.get(name, ()))
    assert summary == "Nothing is known to be wrong: 28 ok, 3 unknown, 0 attention, 0 wrong."
    assert f"Account {EmbeddedAws.account_id}, Region {EmbeddedAws.region}" in shown[0]
    assert MAIL_ADDRESS in done.stdout


def test_the_doctor_only_reads_and_needs_no_more_than_its_permissions(
    environment: dict[str, str], simulator: BackupSimulator
) -> None:
    # Given a search job, whose key the doctor asks for
    simulator.finish_job(Scenario("known", (BackupGroup(count=1),)))
    session, called = boto3.session.Session(), set[str]()

    def record(model: OperationModel, **_: object) -> None:
        prefix = model.service_model.endpoint_prefix.replace("monitoring", "cloudwatch")
        called.add(f"{prefix}:{model.name}")

    session.events.register("before-call", record)
    check_up(session=session)

    other_names = {
        "s3:HeadBucket": "s3:ListBucket",
        "s3:ListObjectsV2": "s3:ListBucket",
        "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    }
    assert {other_names.get(name, name) for name in called} == set(PERMISSIONS["doctor"])
    reading = ("Describe", "Filter", "Get", "Head", "List", "Simulate")
    assert [name for name in called if not name.partition(":")[2].startswith(reading)] == []


def resource_of(stack: Stack, kind: str, named: str = "") -> str:
    """Return the physical id of a resource."""
    paginator = stack.aws.client("cloudformation").get_paginator("list_stack_resources")
    return next(
        str(each["PhysicalResourceId"])
        for page in paginator.paginate(StackName=Deployment.stack_name)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == f"AWS::{kind}" and each["LogicalResourceId"].startswith(named)
    )


@contextmanager
def broken(stack: Stack) -> Iterator[None]:
    """Break one thing of each kind, and repair all of them at the end of the block."""
    outputs, client, resource = stack.outputs, stack.aws.client, partial(resource_of, stack)
    events, scheduler, lambda_, kms, s3, iam, sqs, cloudwatch = map(
        client, ("events", "scheduler", "lambda", "kms", "s3", "iam", "sqs", "cloudwatch")
    )
    with ExitStack() as repairs:
        rule = resource("Events::Rule", "ReporterRule")
        events.disable_rule(Name=rule)
        repairs.callback(events.enable_rule, Name=rule)

        for output in ("ScheduleName", "PostureScheduleName"):
            found = scheduler.get_schedule(Name=outputs[output])
            members = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State", "Description")
            schedule = {name: found[name] for name in members}
            scheduler.update_schedule(**schedule | {"State": "DISABLED"})
            repairs.callback(scheduler.update_schedule, **schedule)

        function = {"FunctionName": outputs["ReportFunctionName"]}
        lambda_.put_function_concurrency(**function, ReservedConcurrentExecutions=0)
        repairs.callback(lambda_.delete_function_concurrency, **function)

        key = {"KeyId": resource("KMS::Key", "ReportStore")}
        kms.disable_key(**key)
        repairs.callback(kms.enable_key, **key)

        bucket = {"Bucket": stack.bucket}
        policy = s3.get_bucket_policy(**bucket)["Policy"]
        s3.delete_bucket_policy(**bucket)
        repairs.callback(s3.put_bucket_policy, **bucket, Policy=policy)
        s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
        repairs.callback(s3.put_bucket_versioning, **bucket, VersioningConfiguration={"Status": "Enabled"})

        inline = {"RoleName": resource("IAM::Role", "ReporterReport"), "PolicyName": "WhatTheFunctionCalls"}
        document = iam.get_role_policy(**inline)["PolicyDocument"]
        rest = [each for each in document["Statement"] if each["Sid"] != "Notify"]
        iam.put_role_policy(**inline, PolicyDocument=json.dumps({**document, "Statement": rest}))
        repairs.callback(iam.put_role_policy, **inline, PolicyDocument=json.dumps(document))

        for queue in QUEUES:
            sqs.send_message(QueueUrl=outputs[queue], MessageBody="what failed")
            repairs.callback(sqs.purge_queue, QueueUrl=outputs[queue])

        alarms = {"AlarmNames": [resource("CloudWatch::Alarm", "MonitoringWatchSilent")]}
        cloudwatch.disable_alarm_actions(**alarms)
        repairs.callback(cloudwatch.enable_alarm_actions, **alarms)
        yield


def test_the_doctor_finds_all_that_is_broken_and_nothing_else(in_order: Stack, environment: dict[str, str]) -> None:
    with broken(in_order):
        text, document = run("doctor"), run("doctor", "--json")

    found = {each["name"]: (each["state"], each["found"]) for each in json.loads(document.stdout)["checks"]}
    parts = {
        "report function": (WRONG, "reserved concurrency of 0"),
        "schedule": (WRONG, "is DISABLED"),
        "schedule of the posture": (WRONG, "is DISABLED"),
        "rule": (WRONG, "is DISABLED"),
        "KMS key of the reports": (WRONG, "is Disabled"),
        "bucket": (WRONG, "versioning is Suspended), and has no policy"),
        "role of the report function": (WRONG, "sns:Publish"),
        "failure queue": (ATTENTION, "about 1 message"),
        "queue of the rule": (ATTENTION, "about 1 message"),
        "queue of the schedule": (ATTENTION, "about 1 message"),
        "queue of the posture": (ATTENTION, "about 1 message"),
        "alarms": (WRONG, "1 alarm is switched off"),
    }
    assert {name for name, (state, _) in found.items() if state in {WRONG, ATTENTION}} == set(parts)
    for name, (state, part) in parts.items():
        assert found[name][0] == state
        assert part in found[name][1]
    # And the exit code and the last line say so
    assert (text.exit_code, document.exit_code) == (1, 1)
    assert '(docs/operations.md, "A search job has no report for an hour").' in text.stdout
    assert text.stdout.splitlines()[-1].startswith("Something is wrong: ")
    # And after the repair, nothing is found
    assert not_in_order(check_up()) == {}


def test_what_needs_attention_is_no_failure(in_order: Stack, environment: dict[str, str]) -> None:
    sqs, queue = in_order.aws.client("sqs"), in_order.outputs["FailureQueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="what failed")

    result = run("doctor")

    sqs.purge_queue(QueueUrl=queue)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("The product works, and something needs attention")


def test_a_silent_watch_function_is_found_with_the_time_and_its_last_error(
    in_order: Stack, environment: dict[str, str], simulator: BackupSimulator
) -> None:
    # Given that no sweep succeeds any more
    in_order.sweep()
    fault = simulator.faults.add(
        "error", operation="ListSearchJobs", error_code="AccessDeniedException", message="Taken away."
    )
    assert "errorMessage" in in_order.sweep()

    # When an hour has passed
    finding = check_up(later=timedelta(minutes=61))["last sweep"]

    simulator.faults.remove(fault)
    assert finding.state is WRONG
    assert "minutes ago. The last error since then: Listing the search" in finding.found
    assert finding.found.endswith("AccessDeniedException: Taken away.")


def test_a_report_is_shown_replayed_and_redone_from_the_failure_queue(
    in_order: Stack, environment: dict[str, str], simulator: BackupSimulator
) -> None:
    # Given the report of one search job, and another that fails
    reported = simulator.finish_job(Scenario("shown", (BackupGroup(count=2), BackupGroup(status="STOPPED"))))
    in_order.sweep()
    eventually(lambda: in_order.summary(reported), seconds=30)
    failing = simulator.finish_job(Scenario("fails", (BackupGroup(count=3000),)))
    fault = simulator.faults.add("token_cycle", operation="ListSearchJobBackups")
    in_order.sweep()
    queue = {"QueueUrl": in_order.outputs["FailureQueueUrl"], "AttributeNames": ["All"]}

    def failures() -> int:
        attributes: dict[str, Any] = in_order.aws.client("sqs").get_queue_attributes(**queue)["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    eventually(failures, seconds=30)
    simulator.faults.remove(fault)

    # Then the one is shown, and the other has none
    shown = run("report", reported, "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["verdict"]) == (1, "PARTIAL")
    assert run("report", failing).exit_code == 3

    # When the failure queue is redone
    redone = run("replay", "--failed")

    # Then it has its report, and the queue is empty
    assert (redone.exit_code, redone.stderr, failures()) == (0, "", 0)
    assert f"{failing}  COMPLETE: 3000 listed" in redone.stdout
    assert run("report", failing).exit_code == 0

    # And a replay notifies again
    mails = len(in_order.mails(reported))
    replayed = run("replay", "--yes", reported)
    assert replayed.exit_code == 0
    assert replayed.stdout.startswith(f"{reported}  PARTIAL: 3 listed, 2 searched, 1 excluded, 0 failed")
    assert len(in_order.mails(reported)) == mails + 1
