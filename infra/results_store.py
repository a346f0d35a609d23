"""The bucket of what searches found, which names files and objects, and the key that encrypts it."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.permissions import RESULTS_OF_SEARCHES
from infra.report_store import (
    KEPT,
    REPLACED_VERSION_DAYS,
    REPLICATION,
    deny_everybody,
    keep_with_its_policy,
    private_bucket,
)
from infra.settings import Settings

ANSWERS: Final = "athena/"
"""Where Athena puts its answers about results: they name files as well."""

_ANSWER_DAYS: Final = 7


class ResultsStore(Construct):
    """The bucket of the results of searches, and its key (docs/decisions/0016-results-have-a-bucket-of-their-own.md).

    Results are another kind of data than reports: they name files, which can be personal data. So they have their own
    key, retention and readers. They have no Object Lock: somebody may have to erase them. Their checksums are in the
    summary of the report, which can be locked.

    The bucket and its key stay when the stack is deleted, and when `keepResults` is turned off.

    Attributes:
        key: The customer key of the bucket, rotated every year.
        bucket: The bucket.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._readers = settings.result_reader_arns
        self.key = kms.Key(
            self,
            "Key",
            description="Search Coverage: encrypts the results of searches",
            enable_key_rotation=True,
            removal_policy=KEPT,
        )
        days = settings.result_retention_days
        self.bucket = private_bucket(
            self,
            "Bucket",
            key=self.key,
            versioned=True,
            lifecycle_rule=s3.LifecycleRule(
                id="ResultRetention",
                expiration=Duration.days(days),
                noncurrent_version_expiration=Duration.days(min(REPLACED_VERSION_DAYS, days)),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
            no_access_log=(
                "Server access logs would need a third bucket with its own retention. CloudTrail data events, which "
                "the owner of the account turns on, record who read a result; docs/access.md says how."
            ),
        )
        self.bucket.add_lifecycle_rule(
            id="AnswersExpire",
            prefix=ANSWERS,
            expiration=Duration.days(_ANSWER_DAYS),
            noncurrent_version_expiration=Duration.days(1),
        )
        deny_everybody(self.bucket, "NothingIsReplicatedIntoTheResults", REPLICATION, RESULTS_OF_SEARCHES)
        keep_with_its_policy(self.bucket)

    def allow_only(self, writer: iam.IRole) -> None:
        """Deny every principal but one role to write results, and all but that and the chosen readers to read them.

        Args:
            writer: The role of the report function, which reads what is there before it replaces it.
        """
        deny_everybody(
            self.bucket,
            "OnlyTheReportFunctionWritesResults",
            ["s3:PutObject"],
            RESULTS_OF_SEARCHES,
            conditions={"ArnNotEquals": {"aws:PrincipalArn": writer.role_arn}},
        )
        if self._readers:
            deny_everybody(
                self.bucket,
                "OnlyTheChosenReadersReadResults",
                ["s3:GetObject", "s3:GetObjectVersion"],
                (*RESULTS_OF_SEARCHES, ANSWERS),
                conditions={"ArnNotEquals": {"aws:PrincipalArn": [writer.role_arn, *self._readers]}},
            )
