"""How people ask all reports at once: a workgroup of Athena with saved queries, and where their results lie."""

from typing import Final

from aws_cdk import Acknowledgment, Aws, Duration, Size, Stack, Validations
from aws_cdk import aws_athena as athena
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.athena_queries import saved_queries
from infra.report_store import ReportStore, keep_with_its_policy
from infra.report_tables import ReportTables

RESULT_DAYS: Final = 7
"""A result is a copy, and asked anew in seconds: a week is for going back to what was found, not for keeping it."""

SCAN_LIMIT: Final = Size.gibibytes(10)
"""Athena ends a query that reads more, and says so. A million excluded backups are some 50 MB, compressed; whatever
needs more than 10 GiB was not meant so. At 5 USD a TB the dearest query costs 5 cents."""


class Analytics(Construct):
    """The workgroup, the bucket of the results, the tables and the saved queries.

    The results have a bucket of their own (docs/decisions/0012): in the bucket of the reports they would be kept for
    years, and under Object Lock nobody could delete them. The workgroup enforces its settings, so that no client can
    send results elsewhere, leave them unencrypted, or read without limit.

    No role is made and nobody may query by this: who may is said by IAM (docs/operations.md, "Ask all reports at
    once").

    Attributes:
        workgroup: The workgroup. It goes with the stack, its history and the saved queries with it.
        results: The bucket of the results. It stays with its policy when the stack is removed, since CloudFormation
            deletes no bucket that holds anything, and empties itself within a week.
        tables: The database and its tables.
    """

    def __init__(self, scope: Construct, construct_id: str, *, store: ReportStore) -> None:
        super().__init__(scope, construct_id)
        self.tables = ReportTables(self, "Tables", store=store)
        self.results = s3.Bucket(
            self,
            "Results",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=store.key,  # a result is part of a report; who may read the one may read the other
            bucket_key_enabled=True,
            versioned=False,  # what has expired is to be gone
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ResultsExpire",
                    expiration=Duration.days(RESULT_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )
        keep_with_its_policy(self.results)
        Validations.of(self.results).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1",
                reason=(
                    "The bucket holds copies that expire after a week. Who ran which query is in Athena's history and "
                    "in CloudTrail, which records StartQueryExecution by default."
                ),
            )
        )
        self.workgroup = athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=Stack.of(self).stack_name,  # Athena insists on a name
            description="Search Coverage: ask all reports at once",
            recursive_delete_option=True,  # or the stack could not be removed once somebody had run a query
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=SCAN_LIMIT.to_bytes(),
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"  # what the queries are written for
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=self.results.s3_url_for_object() + "/",
                    expected_bucket_owner=Aws.ACCOUNT_ID,  # never into a bucket that somebody else made by this name
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=store.key.key_arn
                    ),
                ),
            ),
        )
        for query in saved_queries():
            athena.CfnNamedQuery(
                self,
                "".join(word.capitalize() for word in query.file.split("-")),
                name=query.name,
                description=query.description,
                database=self.tables.database.ref,
                work_group=self.workgroup.ref,
                query_string=query.sql,
            )
