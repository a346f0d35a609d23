"""Where the reports lie: a bucket that keeps evidence and that nobody reads by accident."""

from typing import Final

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.settings import Settings

REPLACED_VERSION_DAYS: Final = 30
"""A report that was replaced or deleted by mistake can be had back for a month, the time in which people notice."""


class ReportStore(Construct):
    """The bucket of the reports and the key that encrypts it.

    Both stay when the stack is removed: the reports are the evidence that the product exists for, and without the key
    nobody could read them.

    *Retention.* A report expires after `reportRetentionDays`. What expired, was deleted or was replaced by a replay
    stays for `REPLACED_VERSION_DAYS` more (fewer if the retention itself is shorter) and is then gone for good, so
    that nothing outlives the chosen retention by more than a month.

    *Object Lock*, if asked for, is in GOVERNANCE mode. It keeps everybody from deleting a report, except a person who
    was given `s3:BypassGovernanceRetention` for the purpose: somebody must be able to obey an erasure request or to
    correct a retention that was set to 100 years. In COMPLIANCE mode not even the root user could
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html).

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
            removal_policy=RemovalPolicy.RETAIN,
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
            object_lock_enabled=lock_days > 0 or None,
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
            removal_policy=RemovalPolicy.RETAIN,
        )
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
