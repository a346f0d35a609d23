"""The bucket of the reports, which is evidence, and the bucket of the query results, which is not."""

import copy

from infra.permissions import EVIDENCE, POSTURE_EVIDENCE
from infra.report_store import REPLICATION
from infra.settings import Settings
from tests.infra.conftest import ABSENT, CHANGED, Json, Promise, SynthesizedStack, promises, synthesized

BUCKET, RESULTS = "ReportStoreBucket", "AnalyticsResults"
EVERYBODY = {"Effect": "Deny", "Principal": {"AWS": "*"}}
OBJECTS = [f"<{BUCKET}.Arn>/{folder}/*" for folder in ("excluded_backups", "questions", "reports", "summaries")]
ONLY_TLS = {
    **EVERYBODY,
    "Action": "s3:*",
    "Resource": [f"<{BUCKET}.Arn>", f"<{BUCKET}.Arn>/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ONLY_ONE_WRITER = {
    **EVERYBODY,
    "Sid": "OnlyTheReportFunctionWritesReports",
    "Action": "s3:PutObject",
    "Resource": OBJECTS,
    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "<ReporterReportRole.Arn>"}},
}
POSTURES = [f"<{BUCKET}.Arn>/{folder}/*" for folder in ("index_failures", "posture", "posture_sources", "postures")]
ONLY_ONE_WRITER_OF_POSTURES = {
    **EVERYBODY,
    "Sid": "OnlyThePostureFunctionWritesPostures",
    "Action": "s3:PutObject",
    "Resource": POSTURES,
    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "<PosterPostureRole.Arn>"}},
}
NOBODY_WRITES_POSTURES = {key: value for key, value in ONLY_ONE_WRITER_OF_POSTURES.items() if key != "Condition"}
NO_REPLICATION = {
    **EVERYBODY,
    "Sid": "NothingIsReplicatedIntoTheEvidence",
    "Action": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
    "Resource": sorted([*OBJECTS, *POSTURES]),
}
NOBODY_LIFTS_A_LOCK = {
    **EVERYBODY,
    "Sid": "NobodyLiftsALock",
    "Action": "s3:BypassGovernanceRetention",
    "Resource": f"<{BUCKET}.Arn>/*",
}


def encrypted(bucket: str) -> Promise:
    """Return the promise of both buckets: the customer key by default, and a bucket key."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "<ReportStoreKey.Arn>"}
    rule = {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": default}
    properties = {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]},
        "PublicAccessBlockConfiguration": dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        ),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    }
    return Promise("is encrypted with a customer key, and can never become public", bucket, properties)


def expires(rule: str, days: int, replaced_days: int | None) -> Json:
    replaced = {"NoncurrentVersionExpiration": {"NoncurrentDays": replaced_days}} if replaced_days else {}
    upload = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    return {"Rules": [{"Id": rule, "Status": "Enabled", "ExpirationInDays": days, **replaced, **upload}]}


def locked(days: int) -> Json:
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": days}}
    return {"ObjectLockEnabled": "Enabled", "Rule": retention}


@promises(
    encrypted(BUCKET),
    encrypted(RESULTS),
    Promise("the key rotates", "ReportStoreKey", {"EnableKeyRotation": True}),
    Promise(
        "a replaced version can be restored for a month",
        BUCKET,
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "LifecycleConfiguration": expires("ReportRetention", 2555, 30),
        },
    ),
    Promise(
        "versions expire no later than a retention of less than a month",
        BUCKET,
        {"LifecycleConfiguration": expires("ReportRetention", 10, 10)},
        CHANGED,
    ),
    Promise(
        "nothing is locked by default, and a lock is possible later",
        BUCKET,
        {"ObjectLockEnabled": True, "ObjectLockConfiguration": ABSENT},
    ),
    Promise("a report is locked for the chosen days", BUCKET, {"ObjectLockConfiguration": locked(9)}, CHANGED),
    Promise(
        "results expire after a week, and for good",
        RESULTS,
        {
            "LifecycleConfiguration": expires("ResultsExpire", 7, None),
            "VersioningConfiguration": ABSENT,
            "ObjectLockEnabled": ABSENT,
        },
    ),
    Promise("results are not locked even if the reports are", RESULTS, {"ObjectLockEnabled": ABSENT}, CHANGED),
)
def test_the_buckets(promise: Promise) -> None:
    promise.check()


def statements(stack: SynthesizedStack, policy: str) -> list[Json]:
    found: list[Json] = stack.resource(policy)["PolicyDocument"]["Statement"]
    return found


def test_the_policy_of_the_bucket_denies_and_never_locks_its_administrator_out(
    stack: SynthesizedStack, changed_stack: SynthesizedStack
) -> None:
    # Given the policy with a lock and without, then reading, deleting and the policy itself are left to IAM
    for any_stack, of_postures in ((stack, ONLY_ONE_WRITER_OF_POSTURES), (changed_stack, NOBODY_WRITES_POSTURES)):
        found = sorted(statements(any_stack, f"{BUCKET}Policy"), key=lambda each: each.get("Sid", ""))
        assert found == [ONLY_TLS, NOBODY_LIFTS_A_LOCK, NO_REPLICATION, of_postures, ONLY_ONE_WRITER]
    assert sorted(REPLICATION) == NO_REPLICATION["Action"]
    assert sorted(f"<{BUCKET}.Arn>/{prefix}*" for prefix in EVIDENCE) == OBJECTS
    assert sorted(f"<{BUCKET}.Arn>/{prefix}*" for prefix in POSTURE_EVIDENCE) == POSTURES


def test_results_are_handed_out_over_tls_only(stack: SynthesizedStack) -> None:
    (statement,) = statements(stack, f"{RESULTS}Policy")

    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_iam_of_this_account_decides_who_may_use_the_key(stack: SynthesizedStack) -> None:
    root = {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"}

    assert stack.resource("ReportStoreKey")["KeyPolicy"]["Statement"] == [
        {"Effect": "Allow", "Action": "kms:*", "Principal": root, "Resource": "*"}
    ]


def test_buckets_with_their_policies_and_the_key_outlive_the_stack_and_nothing_else_does(
    stack: SynthesizedStack,
) -> None:
    kept = {
        name
        for name, resource in stack.template["Resources"].items()
        if "Retain" in f"{resource.get('DeletionPolicy')} {resource.get('UpdateReplacePolicy')}"
    }

    # The bucket of the results stays because it may hold objects; they expire.
    assert kept == {BUCKET, f"{BUCKET}Policy", "ReportStoreKey", RESULTS, f"{RESULTS}Policy"}
    # A first deployment that fails removes them again, since they are empty.
    assert {stack.deletion_policy(name) for name in kept} == {("RetainExceptOnCreate", "Retain")}


def test_a_deployment_that_no_longer_asks_for_a_lock_changes_new_reports_only() -> None:
    locked, forgotten = synthesized(Settings(object_lock_days=365)), synthesized(Settings())

    with_lock, without = (
        copy.deepcopy({name: each for name, each in of.template["Resources"].items() if name.startswith("ReportStore")})
        for of in (locked, forgotten)
    )
    assert with_lock[BUCKET]["Properties"].pop("ObjectLockConfiguration")
    assert with_lock == without
