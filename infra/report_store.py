"""The bucket of the reports, which keeps them as evidence, and the key that encrypts it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.permissions import EVIDENCE, POSTURE_EVIDENCE
from infra.settings import Settings

REPLACED_VERSION_DAYS: Final = 30
"""A report that was replaced or deleted by mistake can be restored for a month, enough time to notice."""

KEPT: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""The resource stays when the stack is deleted or replaces it. CloudFormation deletes it again if the deployment that
creates it fails (`RetainExceptOnCreate`, docs/aws-facts.md §7): it is empty then."""

REPLICATION: Final = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
"""What S3 requires to replicate another bucket into this one; it does not require `s3:PutObject`. A replicated object
would pass for a report, because the sweeps take a `summary.json` for the mark of one
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html)."""


class ReportStore(Construct):
    """The bucket of the reports and the key that encrypts it.

    Both stay when the stack is deleted (not when its first deployment fails): the reports are the evidence that the
    product exists for, and cannot be read without the key.

    *Retention.* A report expires after `reportRetentionDays`. A version that expired, was deleted or was replaced by a
    replay stays for `REPLACED_VERSION_DAYS` more (fewer if the retention is shorter) and is then deleted for good, so
    that nothing outlives the chosen retention by more than a month.

    *Object Lock* is always enabled, and locks nothing by default, so that a lock that is chosen later changes the
    bucket and never replaces it (docs/decisions/0013-object-lock-cannot-be-forgotten.md). The mode is GOVERNANCE: only
    a person with `s3:BypassGovernanceRetention` can delete a locked report, because an administrator must be able to
    comply with an erasure request or to correct a retention of 100 years. In COMPLIANCE mode not even the root user can
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html). The `s3:*` of an administrator includes
    this permission, so the bucket policy denies it to every principal. To delete a locked version, a
    person must change the policy first, which CloudTrail records (docs/access.md, "Object Lock"). The lifecycle
    rule is not affected: it never deletes a locked version, and policies do not apply to it.

    *Writers.* `allow_writes_only_by` and `allow_postures_only_by` name the writers of the evidence. The bucket policy
    denies replication into the evidence, and stays with the bucket when the stack is deleted.

    Attributes:
        key: The customer key of the bucket, rotated every year.
        bucket: The bucket. By the key policy, IAM decides who may use the key.
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
        retention_days, lock_days = settings.report_retention_days, settings.object_lock_days
        self.bucket = private_bucket(
            self,
            "Bucket",
            key=self.key,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=(
                s3.ObjectLockRetention.governance(Duration.days(lock_days)) if lock_days > 0 else None
            ),
            lifecycle_rule=s3.LifecycleRule(
                id="ReportRetention",
                expiration=Duration.days(retention_days),
                noncurrent_version_expiration=Duration.days(min(REPLACED_VERSION_DAYS, retention_days)),
                # An upload takes 15 minutes at most, the timeout of the report function.
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
            no_access_log=(
                "Server access logs would need a second bucket with its own retention. CloudTrail data events, which "
                "AWS prefers for this purpose and which the owner of the account turns on, record who read a report; "
                "docs/access.md says how."
            ),
        )
        deny_everybody(self.bucket, "NobodyLiftsALock", ["s3:BypassGovernanceRetention"], [""])
        deny_everybody(self.bucket, "NothingIsReplicatedIntoTheEvidence", REPLICATION, [*EVIDENCE, *POSTURE_EVIDENCE])
        keep_with_its_policy(self.bucket)

    def allow_writes_only_by(self, writer: iam.IRole) -> None:
        """Deny every principal but one role to write evidence, whatever IAM allows in the account.

        A condition names the role by its ARN, which needs no existing role and holds for all of its sessions. A caller
        that is an AWS service has no such key and is denied as well. The policy does not lock anyone out: reading,
        deleting and the policy itself stay with IAM, so an administrator can change this statement. While a deployment
        replaces the role, writes may fail for a moment; the retries of Lambda and the sweeps repeat them.

        Args:
            writer: The role of the report function.
        """
        self._allow_writes("OnlyTheReportFunctionWritesReports", EVIDENCE, writer)

    def allow_postures_only_by(self, writer: iam.IRole | None) -> None:
        """Deny every principal but the role of the posture function to write postures, as for the reports.

        Args:
            writer: The role; None where there is no posture function, so that nobody adds to what it once wrote.
        """
        self._allow_writes("OnlyThePostureFunctionWritesPostures", POSTURE_EVIDENCE, writer)

    def _allow_writes(self, sid: str, prefixes: Sequence[str], writer: iam.IRole | None) -> None:
        deny_everybody(
            self.bucket,
            sid,
            ["s3:PutObject"],  # multipart uploads and copies need it, too
            prefixes,
            conditions={"ArnNotEquals": {"aws:PrincipalArn": writer.role_arn}} if writer else None,
        )


def private_bucket(
    scope: Construct,
    construct_id: str,
    *,
    key: kms.IKey,
    lifecycle_rule: s3.LifecycleRule,
    no_access_log: str,
    **options: Any,
) -> s3.Bucket:
    """Make a bucket that is encrypted with a customer key, closed to the public and open to TLS only.

    Args:
        scope: The construct that the bucket belongs to.
        construct_id: The name of the bucket in the scope.
        key: The key that encrypts the objects.
        lifecycle_rule: When the objects expire.
        no_access_log: Why the bucket has no server access log.
        **options: Further options of `s3.Bucket`.
    """
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,  # one call to KMS for many objects instead of one per object
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        lifecycle_rules=[lifecycle_rule],
        **options,
    )
    Validations.of(bucket).acknowledge(Acknowledgment(id="AwsSolutions-S1", reason=no_access_log))
    return bucket


def deny_everybody(
    bucket: s3.Bucket,
    sid: str,
    actions: Sequence[str],
    prefixes: Sequence[str],
    conditions: Mapping[str, Mapping[str, str | list[str]]] | None = None,
) -> None:
    """Deny every principal some actions on the objects of a bucket with these prefixes."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=list(actions),
            resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes],
            conditions=conditions,
        )
    )


def keep_with_its_policy(bucket: s3.Bucket) -> None:
    """Keep a bucket when the stack is deleted, and the policy that denies access to it."""
    bucket.apply_removal_policy(KEPT)
    if bucket.policy:  # enforce_ssl made it
        bucket.policy.apply_removal_policy(KEPT)
