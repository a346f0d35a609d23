"""Who may do what: every statement of every role, written out, and every service that a policy admits."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import CHANGED, STANDARD, Json, SynthesizedStack, synthesized

IN_OUR_ACCOUNT = "<AWS::Region>:<AWS::AccountId>"
BUCKET, TABLE = "<ReportStoreBucket.Arn>", "<ReporterIdempotencyTable.Arn>"
BACKUP = f"arn:<AWS::Partition>:backup:{IN_OUR_ACCOUNT}"
EVIDENCE = [f"{BUCKET}/{folder}/*" for folder in ("excluded_backups", "questions", "reports", "summaries")]
MARKS = [f"{BUCKET}/reports/*/{mark}" for mark in ("notification-pending.json", "results-pending.json", "summary.json")]
RESULTS = "<ResultsStoreBucket.Arn>"

Statement = tuple[object, ...]


def statement(actions: str, *resources: str, condition: object = None) -> Statement:
    """Write a statement so that it can be compared: its actions, its resources, its condition."""
    return tuple(sorted(actions.split())), tuple(sorted(resources)), str(condition)


def via(service: str) -> dict[str, Any]:
    """Return the condition that a service uses a key on behalf of the role."""
    return {"StringEquals": {"kms:ViaService": f"{service}.<AWS::Region>.amazonaws.com"}}


def multivalued(operator: str, key: str, values: object) -> dict[str, Any]:
    """Return the condition that a request has a multivalued key, with these values alone."""
    return {f"ForAllValues:{operator}": {key: values}, "Null": {key: "false"}}


def of_every_function(log: str) -> list[Statement]:
    return [
        statement(
            "events:PutEvents",
            f"arn:<AWS::Partition>:events:{IN_OUR_ACCOUNT}:event-bus/default",
            condition=multivalued("StringEquals", "events:source", "search-coverage"),
        ),
        statement("logs:CreateLogStream logs:PutLogEvents", f"<{log}.Arn>"),
        statement("xray:PutTraceSegments xray:PutTelemetryRecords", "*"),
    ]


REPORT = [
    statement(
        "backup-search:GetSearchJob backup-search:ListSearchJobBackups backup-search:ListTagsForResource",
        f"arn:<AWS::Partition>:backup-search:{IN_OUR_ACCOUNT}:search-job/*",
    ),
    statement("s3:PutObject s3:AbortMultipartUpload", *EVIDENCE),
    statement("s3:GetObject", *EVIDENCE),
    statement("s3:DeleteObject", *MARKS),
    statement("s3:ListBucket", BUCKET),
    statement("kms:Decrypt kms:GenerateDataKey", "<ReportStoreKey.Arn>", condition=via("s3")),
    statement("sns:Publish", "<AlertsTopic>"),
    statement("kms:Decrypt kms:GenerateDataKey", "<AlertsKey.Arn>", condition=via("sns")),
    statement(
        "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem",
        TABLE,
        condition=multivalued("StringLike", "dynamodb:LeadingKeys", ["lease#*", "told#*"]),
    ),
    statement("sqs:SendMessage", "<ReporterFailureQueue.Arn>"),
    *of_every_function("ReporterReportLogs"),
]
RECOVERY_POINTS = f"{BACKUP}:recovery-point:*", "arn:<AWS::Partition>:ec2:<AWS::Region>::snapshot/*"
VAULTS = [
    statement("backup:ListBackupVaults", "*"),
    statement("ec2:DescribeSnapshots", "*"),
    statement("backup:ListRecoveryPointsByBackupVault", f"{BACKUP}:backup-vault:*"),
    statement("backup:DescribeRecoveryPoint backup:ListTags", *RECOVERY_POINTS),
]
INVENTORY = [*VAULTS, statement("backup:GetRecoveryPointIndexDetails", *RECOVERY_POINTS)]
KEEP_RESULTS = [
    statement(
        "backup-search:ListSearchJobResults", f"arn:<AWS::Partition>:backup-search:{IN_OUR_ACCOUNT}:search-job/*"
    ),
    statement(
        "s3:PutObject s3:AbortMultipartUpload s3:GetObject", f"{RESULTS}/results/*", f"{RESULTS}/search_results/*"
    ),
    statement("s3:ListBucket", RESULTS),
    statement("kms:Decrypt kms:GenerateDataKey", "<ResultsStoreKey.Arn>", condition=via("s3")),
]
SEARCH_KEYS = [
    statement(
        "kms:Decrypt",
        *CHANGED.search_key_arns,
        condition={
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "aws:backup-search:search-job"},
            "StringLike": {"kms:ViaService": "backup.*.amazonaws.com"},
        },
    )
]
WATCH = [
    statement("backup-search:ListSearchJobs", "*"),
    statement("s3:ListBucket", BUCKET, condition={"StringLike": {"s3:prefix": "reports/*"}}),
    statement(
        "dynamodb:BatchGetItem dynamodb:PutItem",
        TABLE,
        condition=multivalued("StringLike", "dynamodb:LeadingKeys", ["announcement#*"]),
    ),
    *of_every_function("WatcherWatchLogs"),
]
SCHEDULE = [
    statement("lambda:InvokeFunction", "<WatcherWatchFunction.Arn>"),
    statement("sqs:SendMessage", "<WatcherScheduleDeadLetterQueue.Arn>"),
]

POSTURES = [f"{BUCKET}/{folder}/*" for folder in ("index_failures", "posture", "posture_sources", "postures")]
POSTURE = [
    *VAULTS,
    statement("backup:GetBackupPlan", f"{BACKUP}:backup-plan:*"),
    statement("s3:PutObject s3:AbortMultipartUpload", *POSTURES),
    statement("s3:GetObject", *POSTURES),
    statement("s3:GetObjectVersion", f"{BUCKET}/posture_sources/*"),
    statement("s3:DeleteObject", f"{BUCKET}/posture/*/summary.json"),
    statement("s3:ListBucket", BUCKET),
    statement("kms:Decrypt kms:GenerateDataKey", "<ReportStoreKey.Arn>", condition=via("s3")),
    statement("sns:Publish", "<AlertsTopic>"),
    statement("kms:Decrypt kms:GenerateDataKey", "<AlertsKey.Arn>", condition=via("sns")),
    statement(
        "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem",
        TABLE,
        condition=multivalued("StringLike", "dynamodb:LeadingKeys", ["lease#posture"]),
    ),
    *of_every_function("PosterPostureLogs"),
]
POSTURE_SCHEDULE = [
    statement("lambda:InvokeFunction", "<PosterPostureFunction.Arn>"),
    statement("sqs:SendMessage", "<PosterDeadLetterQueue.Arn>"),
]

LAMBDA = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
SCHEDULER = {
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


@pytest.fixture(params=[STANDARD, CHANGED], ids=["standard settings", "all settings changed"])
def any_stack(request: pytest.FixtureRequest) -> SynthesizedStack:
    """The stack, with the standard settings and with all of them changed."""
    return synthesized(request.param)


ROLES = {
    # The trust, what the role may do with the standard settings, and with all settings changed. Without `inventory`,
    # the report function may not ask the vaults; without `keepResults`, it may not read results.
    "ReporterReportRole": (LAMBDA, [*REPORT, *INVENTORY], [*REPORT, *KEEP_RESULTS, *SEARCH_KEYS]),
    "WatcherWatchRole": (LAMBDA, WATCH, WATCH),
    "WatcherSchedulerRole": (SCHEDULER, SCHEDULE, SCHEDULE),
    # Without `inventory`, there is no posture.
    "PosterPostureRole": (LAMBDA, POSTURE, None),
    "PosterSchedulerRole": (SCHEDULER, POSTURE_SCHEDULE, None),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_it_does_and_no_more(
    role: str, stack: SynthesizedStack, changed_stack: SynthesizedStack
) -> None:
    trust, *allowed = ROLES[role]

    for of, expected in zip((stack, changed_stack), allowed, strict=True):
        if expected is None:
            assert role not in of.template["Resources"]
            continue
        properties = of.resource(role)
        assert properties["AssumeRolePolicyDocument"]["Statement"] == [trust]
        assert "ManagedPolicyArns" not in properties
        (policy,) = properties["Policies"]
        found = policy["PolicyDocument"]["Statement"]
        assert {each["Effect"] for each in found} == {"Allow"}
        assert all(each["Sid"] for each in found)
        assert sorted(map(_comparable, found), key=str) == sorted(expected, key=str)


def _comparable(found: Json) -> Statement:
    actions, resources = (
        [value] if isinstance(value, str) else value for value in (found["Action"], found["Resource"])
    )
    return statement(" ".join(actions), *resources, condition=found.get("Condition"))


def test_there_is_no_other_role_and_no_policy_outside_them(any_stack: SynthesizedStack) -> None:
    assert any_stack.resources("AWS::IAM::Role").keys() <= ROLES.keys()
    assert any_stack.resources("AWS::IAM::Policy") == any_stack.resources("AWS::IAM::ManagedPolicy") == {}


# Confused deputies: a service acts for any caller, so a policy that admits a service must say on whose behalf

POLICIES = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
"""The resource policies of the stack, and the member that holds the statements."""

WITHOUT_A_POLICY = {
    "Athena": ("NamedQuery", "WorkGroup"),
    "CloudWatch": ("Alarm", "Dashboard"),
    "DynamoDB": ("Table",),
    "Events": ("Rule",),
    "Glue": ("Database", "Table"),
    "IAM": ("Role",),
    "Lambda": ("EventInvokeConfig", "Function", "Permission"),
    "Logs": ("LogGroup", "QueryDefinition"),
    "S3": ("Bucket",),
    "SNS": ("Subscription", "Topic"),
    "SQS": ("Queue",),
    "Scheduler": ("Schedule",),
}
"""Resources whose policies are resources of their own, or that have none. The trust of the roles is tested above."""


def test_no_resource_type_is_new_and_without_review(any_stack: SynthesizedStack) -> None:
    types = {resource["Type"] for resource in any_stack.template["Resources"].values()}

    without = {f"AWS::{service}::{kind}" for service, kinds in WITHOUT_A_POLICY.items() for kind in kinds}
    assert types <= POLICIES.keys() | without


def allowing_statements(stack: SynthesizedStack) -> Iterator[Json]:
    for resource in stack.template["Resources"].values():
        if document := POLICIES.get(resource["Type"]):
            statements = resource["Properties"][document]["Statement"]
            yield from (each for each in statements if each["Effect"] == "Allow")


def test_a_resource_policy_admits_this_account_and_services_that_say_on_whose_behalf(
    any_stack: SynthesizedStack,
) -> None:
    allowing = list(allowing_statements(any_stack))
    services = [each for each in allowing if "Service" in each["Principal"]]

    assert len(services) >= 3
    for each in services:
        keys = {key for condition in each.get("Condition", {}).values() for key in condition}
        assert keys & {"aws:SourceArn", "aws:SourceAccount"}, each
    for each in allowing:
        if each not in services:
            assert each["Principal"] == {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"}


def test_a_service_invokes_a_function_for_one_resource_of_ours_only(any_stack: SynthesizedStack) -> None:
    for permission in any_stack.resources("AWS::Lambda::Permission").values():
        assert permission["SourceArn"].endswith(".Arn>")
