"""What holds for the stack as a whole, and for the app that makes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import Acknowledgment, App, Stage, Validations
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint  # type: ignore[import-untyped]  # ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from infra.settings import Settings
from infra.stack import SearchCoverageStack, SecondStackError
from tests.infra.conftest import ROOT, STANDARD, SynthesizedStack, cdk_context, synthesized

NOT_TAGGABLE = {
    "Athena": ("NamedQuery",),
    "Glue": ("Database", "Table"),
    "Lambda": ("EventInvokeConfig", "Permission"),
    "Logs": ("QueryDefinition",),
    "S3": ("BucketPolicy",),
    "SNS": ("Subscription", "TopicPolicy"),
    "SQS": ("QueuePolicy",),
    "Scheduler": ("Schedule",),
}

EVERYTHING_ON = STANDARD.model_copy(update={"object_lock_days": 30, "alarm_on_incomplete": True})

OUTPUTS = {
    "ReportBucketName": "<ReportStoreBucket>",
    "AlertsTopicArn": "<AlertsTopic>",
    "AlarmTopicArn": "<MonitoringTopic>",
    "ReportFunctionName": "<ReporterReportFunction>",
    "WatchFunctionName": "<WatcherWatchFunction>",
    "IdempotencyTableName": "<ReporterIdempotencyTable>",
    "ScheduleName": "<WatcherSchedule>",
    "FailureQueueUrl": "<ReporterFailureQueue>",
    "RuleDeadLetterQueueUrl": "<ReporterRuleDeadLetterQueue>",
    "ScheduleDeadLetterQueueUrl": "<WatcherScheduleDeadLetterQueue>",
    "DashboardName": "<Dashboard>",
    "DashboardUrl": (
        "https://<AWS::Region>.console.aws.amazon.com/cloudwatch/home?region=<AWS::Region>"
        "#dashboards/dashboard/<Dashboard>"
    ),
    "AthenaWorkGroupName": "<AnalyticsWorkGroup>",
    "AthenaResultsBucketName": "<AnalyticsResults>",
    "GlueDatabaseName": "<AnalyticsTablesDatabase>",
    "PostureFunctionName": "<PosterPostureFunction>",
    "PostureScheduleName": "<PosterSchedule>",
    "PostureDeadLetterQueueUrl": "<PosterDeadLetterQueue>",
}


def test_the_outputs_name_what_people_look_for(stack: SynthesizedStack) -> None:
    assert {name: output["Value"] for name, output in stack.template["Outputs"].items()} == OUTPUTS


def test_every_resource_that_can_have_tags_has_them(stack: SynthesizedStack) -> None:
    untagged = {
        resource["Type"]
        for resource in stack.template["Resources"].values()
        if {"Key": "application", "Value": "search-coverage"} not in resource["Properties"].get("Tags", [])
    }

    assert untagged == {f"AWS::{service}::{kind}" for service, kinds in NOT_TAGGABLE.items() for kind in kinds}


def test_nothing_is_named_by_hand_so_that_what_an_earlier_stack_left_is_never_in_the_way(
    stack: SynthesizedStack,
) -> None:
    names = {"BucketName", "TopicName", "QueueName", "TableName", "FunctionName", "RoleName", "Name", "AlarmName"}
    named = [
        name
        for name, resource in stack.template["Resources"].items()
        if names & resource["Properties"].keys()
        and resource["Type"] not in ("AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig")
        and not str(resource["Properties"].get("Name")).startswith("<AWS::StackName>/")  # a saved query needs a name
        and resource["Type"] not in ("AWS::Athena::WorkGroup", "AWS::Athena::NamedQuery")  # test_analytics.py
    ]

    assert named == []


def test_a_second_name_is_refused_with_a_sentence() -> None:
    # Given a stack of another name, and one that gets another name from a stage
    for names in (["Another"], ["Test", "SearchCoverage"]):
        *stages, name = names
        app = App(context=cdk_context())
        scope = Stage(app, stages[0]) if stages else app

        # When it is made, then it is refused
        with pytest.raises(SecondStackError) as caught:
            SearchCoverageStack(scope, name, settings=Settings())
        assert str(caught.value) == (
            f"The stack is named SearchCoverage, and not {'-'.join(names)}: an account has one in each Region, since "
            "the events, the metrics and the search jobs that it is about are the same for every stack there."
        )


def test_a_bundle_that_cannot_be_built_stops_the_app_with_a_sentence_and_what_uv_said(tmp_path: Path) -> None:
    # Given a machine without network and with an empty cache, and the app as the CDK command line runs it
    context = {key: value for key, value in cdk_context().items() if key != "aws:cdk:bundling-stacks"}
    changes = {
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    app = [sys.executable, str(ROOT / "app.py")]
    finished = subprocess.run(app, env=os.environ | changes, cwd=ROOT, capture_output=True, text=True, check=False)

    # Then the app stops, says so, and does not turn to Docker
    assert finished.returncode != 0
    assert "The functions could not be bundled: uv could not install" in finished.stderr
    assert "network was disabled" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "docker" not in finished.stderr.lower()


@pytest.mark.parametrize("settings", [Settings(), EVERYTHING_ON], ids=["defaults", "everything on"])
def test_cloudformation_would_accept_the_template(settings: Settings) -> None:
    # W3005: the CDK makes a function depend on its role both by reference and by DependsOn; harmless and not ours.
    config = ManualArgs(regions=["us-east-1", "eu-central-1"], ignore_checks=["W3005"])

    assert [str(finding) for finding in lint(synthesized(settings).text, config=config)] == []


def test_cdk_nag_finds_what_is_acknowledged_with_a_reason_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given the stack with everything that settings can add, and without its acknowledgements, which are recorded
    acknowledged: list[Acknowledgment] = []
    monkeypatch.setattr(Validations, "acknowledge", lambda _self, *each: acknowledged.extend(each))
    app = App(context=cdk_context())
    SearchCoverageStack(app, settings=EVERYTHING_ON)

    # When the rules of AWS Solutions examine it
    report = AwsSolutionsChecks(app).validate_scope(app)

    # Then they find what is acknowledged, and no acknowledgement is idle
    assert {violation.rule_name for violation in report.violations} == {each.id for each in acknowledged}
    assert all(len(each.reason) > 40 for each in acknowledged)


def test_cdk_nag_accepts_the_acknowledgements() -> None:
    app = App(context=cdk_context())
    SearchCoverageStack(app, settings=EVERYTHING_ON)

    assert [violation.rule_name for violation in AwsSolutionsChecks(app).validate_scope(app).violations] == []
