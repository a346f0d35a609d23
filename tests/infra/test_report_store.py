"""What the bucket of the reports promises."""

import copy

import pytest

from infra.report_store import EVIDENCE, REPLICATION
from infra.settings import Settings, SettingsError
from tests.infra.conftest import Json, Synthesise, SynthesisedStack

BUCKET = "ReportStoreBucket"


def policy(stack: SynthesisedStack) -> Json:
    """Give the statements of the bucket's policy."""
    return stack.resource("ReportStoreBucketPolicy")["PolicyDocument"]["Statement"]


def test_reports_are_encrypted_with_a_customer_key_that_rotates(stack: SynthesisedStack) -> None:
    # Given the stack, when it is synthesised
    encryption = stack.resource(BUCKET)["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    # Then every object gets the customer key by default, over a bucket key
    assert encryption == [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "<ReportStoreKey.Arn>"},
        }
    ]
    assert stack.resource("ReportStoreKey")["EnableKeyRotation"] is True


def test_only_iam_of_this_account_says_who_may_use_the_key(stack: SynthesisedStack) -> None:
    assert stack.resource("ReportStoreKey")["KeyPolicy"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "kms:*",
            "Principal": {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"},
            "Resource": "*",
        }
    ]


def test_the_bucket_can_never_become_public(stack: SynthesisedStack) -> None:
    bucket = stack.resource(BUCKET)

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_answers_over_tls_only_and_its_policy_lets_nobody_in(stack: SynthesisedStack) -> None:
    statements = policy(stack)

    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert {
        "Effect": "Deny",
        "Action": "s3:*",
        "Principal": {"AWS": "*"},
        "Resource": ["<ReportStoreBucket.Arn>", "<ReportStoreBucket.Arn>/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in statements


def test_nobody_but_the_report_function_writes_what_is_evidence(stack: SynthesisedStack) -> None:
    folders = ("excluded_backups", "reports", "summaries")

    assert {
        "Sid": "OnlyTheReportFunctionWritesReports",
        "Effect": "Deny",
        "Action": "s3:PutObject",
        "Principal": {"AWS": "*"},
        "Resource": [f"<ReportStoreBucket.Arn>/{folder}/*" for folder in folders],
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "<ReporterReportRole.Arn>"}},
    } in policy(stack)


def test_nothing_is_replicated_into_what_is_evidence_by_anybody(stack: SynthesisedStack) -> None:
    folders = ("excluded_backups", "reports", "summaries")

    assert {
        "Sid": "NothingIsReplicatedIntoTheEvidence",
        "Effect": "Deny",
        "Action": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
        "Principal": {"AWS": "*"},
        "Resource": [f"<ReportStoreBucket.Arn>/{folder}/*" for folder in folders],
    } in policy(stack)


def test_the_report_function_writes_nothing_but_what_is_evidence(stack: SynthesisedStack) -> None:
    (written,) = [
        statement["Resource"]
        for statement in stack.resource("ReporterReportRole")["Policies"][0]["PolicyDocument"]["Statement"]
        if "s3:PutObject" in statement["Action"]
    ]

    assert sorted(written) == sorted(f"<ReportStoreBucket.Arn>/{keys}" for keys in EVIDENCE)


def test_a_policy_never_locks_its_administrator_out(synthesise: Synthesise) -> None:
    # Given everything that is denied without a condition that the caller can meet
    denied = {
        action
        for statement in policy(synthesise(Settings(object_lock_days=30)))
        if "aws:SecureTransport" not in str(statement.get("Condition"))
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }

    # Then reading, deleting and the policy itself are not among it
    assert denied == {"s3:PutObject", "s3:BypassGovernanceRetention", *REPLICATION}


def test_a_report_that_was_overwritten_can_be_had_back_for_a_month(stack: SynthesisedStack) -> None:
    bucket = stack.resource(BUCKET)

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_reports_expire_after_the_retention_and_broken_uploads_after_a_day(synthesise: Synthesise) -> None:
    # Given a retention that is shorter than a month
    stack = synthesise(Settings(report_retention_days=10))

    # When the lifecycle is read
    rules = stack.resource(BUCKET)["LifecycleConfiguration"]["Rules"]

    # Then the one rule holds for all objects, and old versions go no later than the retention says
    assert rules == [
        {
            "Id": "ReportRetention",
            "Status": "Enabled",
            "ExpirationInDays": 10,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 10},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]


def test_the_bucket_with_its_policy_and_its_key_outlive_the_stack_and_nothing_else_does(
    stack: SynthesisedStack,
) -> None:
    kept = {
        name
        for name, resource in stack.template["Resources"].items()
        if "Retain" in f"{resource.get('DeletionPolicy')} {resource.get('UpdateReplacePolicy')}"
    }

    # The bucket of Athena's results stays only because it may hold something; it empties itself (test_analytics.py).
    kept -= {"AnalyticsResults", "AnalyticsResultsPolicy"}
    assert kept == {BUCKET, "ReportStoreBucketPolicy", "ReportStoreKey"}
    # And what a first deployment made that then failed is removed again, since it holds nothing
    assert {stack.deletion_policy(name) for name in kept} == {("RetainExceptOnCreate", "Retain")}


NOBODY_LIFTS_A_LOCK = {
    "Sid": "NobodyLiftsALock",
    "Effect": "Deny",
    "Action": "s3:BypassGovernanceRetention",
    "Principal": {"AWS": "*"},
    "Resource": "<ReportStoreBucket.Arn>/*",
}


def test_nothing_is_locked_unless_asked_for(stack: SynthesisedStack) -> None:
    assert "ObjectLockConfiguration" not in stack.resource(BUCKET)


def test_what_was_once_locked_stays_so_whatever_is_deployed_later(synthesise: Synthesise) -> None:
    # Given a stack with a lock, and one in which nobody asks for it any more
    locked, forgotten = synthesise(Settings(object_lock_days=365)), synthesise(Settings())

    # Then all that differs is what new reports get; neither the bucket nor who may lift a lock does
    with_lock, without = (
        {
            name: copy.deepcopy(resource)
            for name, resource in each.template["Resources"].items()
            if name.startswith("ReportStore")
        }
        for each in (locked, forgotten)
    )
    assert with_lock[BUCKET]["Properties"].pop("ObjectLockConfiguration")
    assert with_lock == without
    assert without[BUCKET]["Properties"]["ObjectLockEnabled"] is True
    assert NOBODY_LIFTS_A_LOCK in policy(forgotten)


def test_no_lock_is_forgotten_by_a_deployment_that_leaves_out_an_option(synthesise: Synthesise) -> None:
    # Given a cdk.json that asks for a lock of a year, when it is deployed with options and without
    in_file = {"objectLockDays": 365}
    for options in ({}, {"pollMinutes": "5"}):
        stack = synthesise(Settings.from_context({"searchCoverage": in_file, **options}))

        # Then reports are locked in any case
        rule = stack.resource(BUCKET)["ObjectLockConfiguration"]["Rule"]
        assert rule == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}}
    # And there is no option that could be left out (test_settings.py)
    with pytest.raises(SettingsError, match="deployment that omits"):
        Settings.from_context({"objectLockDays": "365"})


def test_object_lock_keeps_every_report_for_the_days_asked_for(synthesise: Synthesise) -> None:
    # Given a lock of a year
    stack = synthesise(Settings(object_lock_days=365))
    bucket = stack.resource(BUCKET)

    # Then it holds for each object from its writing, and nobody can lift it who has not changed the policy before
    assert NOBODY_LIFTS_A_LOCK in policy(stack)
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}},
    }
