"""Who may do what: every statement of every role, written out. A new permission has to be written here as well."""

from typing import Any

from infra.report_store import EVIDENCE
from infra.reporter import CLAIMS
from infra.settings import Settings
from tests.infra.conftest import Synthesise, SynthesisedStack

IN_OUR_ACCOUNT = "<AWS::Region>:<AWS::AccountId>"
BUS = f"arn:<AWS::Partition>:events:{IN_OUR_ACCOUNT}:event-bus/default"
ONLY_OUR_EVENTS = {
    "ForAllValues:StringEquals": {"events:source": "search-coverage"},
    "Null": {"events:source": "false"},
}


def records(*keys: str) -> dict[str, Any]:
    """Give the condition that a request is about records of these keys alone."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}, "Null": {"dynamodb:LeadingKeys": "false"}}


TABLE = "<ReporterIdempotencyTable.Arn>"
BUCKET = "<ReportStoreBucket.Arn>"


def via(service: str) -> dict[str, Any]:
    """Give the condition that a key is used by the service in the role's name."""
    return {"StringEquals": {"kms:ViaService": f"{service}.<AWS::Region>.amazonaws.com"}}


def statement(actions: str, *resources: str, condition: object = None) -> tuple[object, ...]:
    """Write a statement so that it can be compared: its actions, its resources, its condition."""
    return tuple(sorted(actions.split())), tuple(sorted(resources)), str(condition)


def statements_of(stack: SynthesisedStack, role: str) -> list[tuple[object, ...]]:
    """Give all statements of a role, each as `statement` writes it."""
    properties = stack.resource(role)
    assert "ManagedPolicyArns" not in properties
    return sorted(
        (
            statement(" ".join(_listed(each["Action"])), *_listed(each["Resource"]), condition=each.get("Condition"))
            for policy in properties["Policies"]
            for each in policy["PolicyDocument"]["Statement"]
            if each["Effect"] == "Allow"
        ),
        key=str,
    )


def test_there_are_three_roles_and_no_policy_outside_them(stack: SynthesisedStack) -> None:
    assert sorted(stack.resources("AWS::IAM::Role")) == [
        "ReporterReportRole",
        "WatcherSchedulerRole",
        "WatcherWatchRole",
    ]
    assert stack.resources("AWS::IAM::Policy") == {}
    assert stack.resources("AWS::IAM::ManagedPolicy") == {}


def test_the_report_function_may_do_what_it_does_and_no_more(stack: SynthesisedStack) -> None:
    search_jobs = f"arn:<AWS::Partition>:backup-search:{IN_OUR_ACCOUNT}:search-job/*"
    backup = f"arn:<AWS::Partition>:backup:{IN_OUR_ACCOUNT}"

    assert statements_of(stack, "ReporterReportRole") == sorted(
        [
            statement("backup-search:GetSearchJob backup-search:ListSearchJobBackups", search_jobs),
            statement("backup:ListBackupVaults", "*"),
            statement("ec2:DescribeSnapshots", "*"),
            statement("backup:ListRecoveryPointsByBackupVault", f"{backup}:backup-vault:*"),
            statement(
                "backup:DescribeRecoveryPoint backup:GetRecoveryPointIndexDetails backup:ListTags",
                f"{backup}:recovery-point:*",
                "arn:<AWS::Partition>:ec2:<AWS::Region>::snapshot/*",
            ),
            statement("s3:PutObject s3:AbortMultipartUpload", *(f"{BUCKET}/{keys}" for keys in EVIDENCE)),
            statement("s3:GetObject", *(f"{BUCKET}/{keys}" for keys in EVIDENCE)),
            statement(
                "s3:DeleteObject",
                f"{BUCKET}/reports/*/notification-pending.json",
                f"{BUCKET}/reports/*/summary.json",
            ),
            statement("s3:ListBucket", BUCKET),
            statement("kms:Decrypt kms:GenerateDataKey", "<ReportStoreKey.Arn>", condition=via("s3")),
            statement("sns:Publish", "<AlertsTopic>"),
            statement("kms:Decrypt kms:GenerateDataKey", "<AlertsKey.Arn>", condition=via("sns")),
            statement("events:PutEvents", BUS, condition=ONLY_OUR_EVENTS),
            statement(
                "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem",
                TABLE,
                condition=records(*CLAIMS),
            ),
            statement("sqs:SendMessage", "<ReporterFailureQueue.Arn>"),
            statement("logs:CreateLogStream logs:PutLogEvents", "<ReporterReportLogs.Arn>"),
            statement("xray:PutTraceSegments xray:PutTelemetryRecords", "*"),
        ],
        key=str,
    )


def test_without_the_inventory_the_report_function_may_not_ask_the_vaults(synthesise: Synthesise) -> None:
    stack = synthesise(Settings(inventory=False))

    actions = [action for each in statements_of(stack, "ReporterReportRole") for action in each[0]]  # type: ignore[attr-defined]
    assert [action for action in actions if action.startswith("backup:")] == []
    assert stack.resource("ReporterReportFunction")["Environment"]["Variables"]["INVENTORY"] == "OFF"


def test_the_watch_function_may_do_what_it_does_and_no_more(stack: SynthesisedStack) -> None:
    assert statements_of(stack, "WatcherWatchRole") == sorted(
        [
            statement("backup-search:ListSearchJobs", "*"),
            statement("s3:ListBucket", BUCKET, condition={"StringLike": {"s3:prefix": "reports/*"}}),
            statement("dynamodb:BatchGetItem dynamodb:PutItem", TABLE, condition=records("announcement#*")),
            statement("events:PutEvents", BUS, condition=ONLY_OUR_EVENTS),
            statement("logs:CreateLogStream logs:PutLogEvents", "<WatcherWatchLogs.Arn>"),
            statement("xray:PutTraceSegments xray:PutTelemetryRecords", "*"),
        ],
        key=str,
    )


def test_the_schedule_may_run_the_watch_function_and_fill_its_queue(stack: SynthesisedStack) -> None:
    assert statements_of(stack, "WatcherSchedulerRole") == [
        statement("lambda:InvokeFunction", "<WatcherWatchFunction.Arn>"),
        statement("sqs:SendMessage", "<WatcherScheduleDeadLetterQueue.Arn>"),
    ]


def test_every_statement_says_what_it_is_for(stack: SynthesisedStack) -> None:
    assert all(
        each.get("Sid")
        for role in stack.resources("AWS::IAM::Role").values()
        for policy in role["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
    )


def test_only_lambda_takes_the_roles_of_the_functions(stack: SynthesisedStack) -> None:
    for role in ("ReporterReportRole", "WatcherWatchRole"):
        assert stack.resource(role)["AssumeRolePolicyDocument"]["Statement"] == [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ]


def test_only_schedules_of_this_account_take_the_role_of_the_schedule(stack: SynthesisedStack) -> None:
    assert stack.resource("WatcherSchedulerRole")["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": "<AWS::AccountId>",
                    "aws:SourceArn": f"arn:<AWS::Partition>:scheduler:{IN_OUR_ACCOUNT}:schedule-group/default",
                }
            },
        }
    ]


def _listed(value: str | list[str]) -> list[str]:
    """Give what IAM lets one write as a text or a list, as a list."""
    return [value] if isinstance(value, str) else value
