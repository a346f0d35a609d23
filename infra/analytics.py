"""Queries over all reports: an Athena workgroup with saved queries, and the bucket of their results."""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Aws, Duration, Size, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.athena_queries import QUERIES, SavedQuery, saved_queries
from infra.report_store import ReportStore, keep_with_its_policy, private_bucket
from infra.report_tables import ReportTables
from infra.results_store import ANSWERS, ResultsStore
from infra.settings import Settings

RESULT_DAYS: Final = 7
"""A query makes a result again in seconds, so a result is kept for a week only."""

SCAN_LIMIT: Final = Size.gibibytes(10)
"""Athena stops a query that reads more, and says so. A million excluded backups take some 50 MB, compressed, so a query
that needs more than 10 GiB is a mistake. At 5 USD per TB the most expensive query costs 5 cents."""


class Analytics(Construct):
    """The workgroup, the bucket of the results, the tables and the saved queries.

    The results have a bucket of their own (docs/decisions/0012): in the bucket of the reports they would be kept for
    years, and Object Lock would prevent their deletion. The workgroup enforces its settings, so that no client can
    send results elsewhere, leave them unencrypted, or read without a limit.

    The construct makes no role and grants nothing: IAM decides who may query (docs/queries.md, "Ask all reports at
    once").

    Attributes:
        workgroup: The workgroup. CloudFormation deletes it with the stack, its history and the saved queries as well.
        results: The bucket of the results. It stays with its policy when the stack is deleted, because CloudFormation
            deletes no bucket that holds objects, and is empty within a week.
        tables: The database and its tables.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        store: ReportStore,
        results: ResultsStore | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.tables = ReportTables(self, "Tables", settings=settings, store=store, results=results)
        self.results = private_bucket(
            self,
            "Results",
            key=store.key,  # a result is part of a report: who may read the one may read the other
            versioned=False,  # so that an expired result is gone
            lifecycle_rule=s3.LifecycleRule(
                id="ResultsExpire",
                expiration=Duration.days(RESULT_DAYS),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
            no_access_log=(
                "The bucket holds copies that expire after a week. The history of Athena and CloudTrail, which records "
                "StartQueryExecution by default, show who ran which query."
            ),
        )
        keep_with_its_policy(self.results)
        self.workgroup = self._workgroup(
            "WorkGroup",
            Stack.of(self).stack_name,  # Athena requires a name
            "Search Coverage: ask all reports at once",
            self.results.s3_url_for_object() + "/",
            store.key,
        )
        self._save(saved_queries(), self.workgroup)
        if settings.posture_schedule:
            self._save(saved_queries(QUERIES / "posture"), self.workgroup)
        if results:
            workgroup = self._workgroup(
                "ResultsWorkGroup",
                f"{Stack.of(self).stack_name}-results",
                "Search Coverage: ask what searches found; the answers stay with the results",
                results.bucket.s3_url_for_object(ANSWERS),
                results.key,
            )
            self._save(saved_queries(QUERIES / "results"), workgroup)

    def _save(self, queries: Iterable[SavedQuery], workgroup: athena.CfnWorkGroup) -> None:
        for query in queries:
            athena.CfnNamedQuery(
                self,
                "".join(word.capitalize() for word in query.file.split("-")),
                name=query.name,
                description=query.description,
                database=self.tables.database.ref,
                work_group=workgroup.ref,
                query_string=query.sql,
            )

    def _workgroup(
        self, construct_id: str, name: str, description: str, location: str, key: kms.IKey
    ) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            construct_id,
            name=name,
            description=description,
            recursive_delete_option=True,  # or the stack could not be deleted after the first query
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=SCAN_LIMIT.to_bytes(),
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"  # the version that the queries are written for
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=location,
                    expected_bucket_owner=Aws.ACCOUNT_ID,  # never a bucket of this name in another account
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
