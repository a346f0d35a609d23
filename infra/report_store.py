"""Where the reports lie: a bucket that keeps evidence, that nobody reads by accident and only the product writes."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.settings import Settings
from search_coverage.names import EXCLUDED_BACKUPS, REPORTS, SUMMARIES

REPLACED_VERSION_DAYS: Final = 30
"""A report that was replaced or deleted by mistake can be had back for a month, the time in which people notice."""

EVIDENCE: Final = (f"{REPORTS}*", f"{EXCLUDED_BACKUPS}*", f"{SUMMARIES}*")
"""The keys that only the report function writes. Others, such as the results of queries, are nobody's evidence."""

KEPT: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""Stays when the stack is removed or replaces it. What a deployment made that then failed goes again (CloudFormation's
`RetainExceptOnCreate`, docs/aws-facts.md §7): it holds nothing, and nobody would ever look for it."""

REPLICATION: Final = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
"""What S3 asks for in the name of whoever replicates another bucket into this one; it asks for no `s3:PutObject`. An
object that came this way would pass for a report, and the sweeps take a `summary.json` for the mark that there is one
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html)."""


class ReportStore(Construct):
    """The bucket of the reports and the key that encrypts it.

    Both stay when the stack is removed (but not when its first deployment fails): the reports are the evidence that
    the product exists for, and without the key nobody could read them.

    *Retention.* A report expires after `reportRetentionDays`. What expired, was deleted or was replaced by a replay
    stays for `REPLACED_VERSION_DAYS` more (fewer if the retention itself is shorter) and is then gone for good, so
    that nothing outlives the chosen retention by more than a month.

    *Object Lock* is always possible in this bucket, and locks nothing unless asked for, so that to ask for it later
    changes the bucket and never makes a new one (docs/decisions/0013-object-lock-cannot-be-forgotten.md). It is in
    GOVERNANCE mode, which keeps everybody from deleting a report, except a person who was given
    `s3:BypassGovernanceRetention` for the purpose: somebody must be able to obey an erasure request or to correct a
    retention that was set to 100 years. In COMPLIANCE mode not even the root user could
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html). But an administrator's `s3:*` holds this
    permission as well, so that the bucket's policy takes it from everybody, whatever is locked: to delete a locked
    version, somebody has to change the policy first, which CloudTrail records (docs/operations.md, "Object Lock"). The
    lifecycle rule is not affected: it never deletes a locked version, and no policy holds for it.

    *Who writes* is said by `let_only_write`; that nothing is replicated into the evidence, by the bucket's policy from
    the start. The bucket's policy stays with the bucket when the stack is removed.

    Attributes:
        key: The customer key of the bucket, rotated every year.
        bucket: The bucket. Its key policy leaves it to IAM who may use the key.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="Search Coverage: encrypts the reports",
            enable_key_rotation=True,
            removal_policy=KEPT,
        )
        lock_days = settings.object_lock_days
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,  # one call to KMS for many objects instead of one each
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            object_lock_enabled=True,
            object_lock_default_retention=(
                s3.ObjectLockRetention.governance(Duration.days(lock_days)) if lock_days > 0 else None
            ),
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ReportRetention",
                    expiration=Duration.days(settings.report_retention_days),
                    noncurrent_version_expiration=Duration.days(
                        min(REPLACED_VERSION_DAYS, settings.report_retention_days)
                    ),
                    # An upload lives at most 15 minutes, the time-out of the report function.
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )
        self.bucket.add_to_resource_policy(
            _denied_to_all("NobodyLiftsALock", ["s3:BypassGovernanceRetention"], self.bucket.arn_for_objects("*"))
        )
        self.bucket.add_to_resource_policy(
            _denied_to_all(
                "NothingIsReplicatedIntoTheEvidence",
                REPLICATION,
                *(self.bucket.arn_for_objects(keys) for keys in EVIDENCE),
            )
        )
        keep_with_its_policy(self.bucket)
        Validations.of(self.bucket).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1",
                reason=(
                    "Server access logs would need a second bucket with its own retention. Who read a report is "
                    "answered by CloudTrail data events, which AWS prefers for this purpose and which the account's "
                    "owner turns on; docs/operations.md says how."
                ),
            )
        )

    def let_only_write(self, writer: iam.IRole) -> None:
        """Deny everybody but one role to write what counts as evidence.

        Whatever IAM allows in the account: who is not this role can neither add a report nor replace one. The role
        is named by its ARN, in a condition, which needs no role to exist and holds for all its sessions; a caller
        that is an AWS service has no such key, and is denied as well. Nobody is locked out: reading, deleting and the
        policy itself stay with IAM, so that an administrator can change this statement. While a deployment replaces
        the role, writes may be denied for a moment; Lambda's retries and the sweeps make that good.

        Args:
            writer: The role of the report function.
        """
        self.bucket.add_to_resource_policy(
            _denied_to_all(
                "OnlyTheReportFunctionWritesReports",
                ["s3:PutObject"],  # multipart uploads and copies need it, too
                *(self.bucket.arn_for_objects(keys) for keys in EVIDENCE),
                conditions={"ArnNotEquals": {"aws:PrincipalArn": writer.role_arn}},
            )
        )


def keep_with_its_policy(bucket: s3.Bucket) -> None:
    """Let a bucket stay when the stack is removed, and what denies access to it as well."""
    bucket.apply_removal_policy(KEPT)
    if bucket.policy:  # enforce_ssl made it
        bucket.policy.apply_removal_policy(KEPT)


def _denied_to_all(
    sid: str, actions: Sequence[str], *resources: str, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=list(resources),
        conditions=conditions,
    )
