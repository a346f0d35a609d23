"""What turns the end of a search job into a report: the rule, the report function, and where failures end."""

from typing import Final

from aws_cdk import Acknowledgment, ArnFormat, Aws, Duration, RemovalPolicy, Size, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alerts import Alerts
from infra.dead_letters import DeadLetterQueue
from infra.permissions import (
    EVENT_BUS_NAME,
    put_our_events,
    read_search_jobs_under,
    use_key_through,
    use_records,
)
from infra.python_function import PythonFunction
from infra.report_store import EVIDENCE, ReportStore
from infra.settings import Settings
from search_coverage.names import (
    EXCLUDED_BACKUPS,
    LEASE,
    NOTIFICATION_PENDING_JSON,
    REPORTS,
    SERVICE,
    STATE_CHANGE,
    SUMMARIES,
    SUMMARY_JSON,
    TOLD,
    Variable,
)

TIMEOUT: Final = Duration.minutes(15)
"""The longest that Lambda allows: a list that is not read to its end gives no report at all."""

MEMORY_MEGABYTES: Final = 512
"""About a third of a processor. The memory that a report needs does not grow with the search job."""

TEMPORARY_STORAGE: Final = Size.gibibytes(4)
"""Rows are spooled to /tmp: a million backups, all of them failed, take about 1.3 GB."""

CONCURRENCY: Final = 10
"""AWS runs at most 10 search jobs at a time (docs/aws-facts.md §2), so that more than 10 rarely end together; more
than 10 reports at once would only be throttled by AWS Backup. What waits is retried by Lambda."""

RETRIES: Final = 2
"""The most that Lambda allows, after one and two minutes."""

MAX_EVENT_AGE: Final = Duration.hours(6)
"""The longest that Lambda allows. A report that failed is announced again by the sweeps in any case."""

RULE_RETRIES: Final = 185
RULE_MAX_EVENT_AGE: Final = Duration.hours(24)
"""The most that EventBridge allows (docs/aws-facts.md §5)."""

CLAIMS: Final = (f"{LEASE}*", f"{TOLD}*")
"""The keys of the records that are the report function's: who makes which report, and what people were told."""


class Reporter(Construct):
    """The report function, and how an event reaches it.

    A failure of the function itself, after its retries, goes to `failure_queue`; an event that EventBridge could not
    even hand over goes to `rule_dead_letter_queue` (docs/aws-facts.md §5).

    Attributes:
        function: The report function.
        rule: The rule that hands it the end of a search job.
        table: Who is at work on which report, who was told, and what was announced; everything in it can be deleted,
            and the next sweep makes it good.
        failure_queue: The on-failure destination of the function.
        rule_dead_letter_queue: The dead-letter queue of the rule.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        code: lambda_.Code,
        store: ReportStore,
        alerts: Alerts,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "IdempotencyTable",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.failure_queue = DeadLetterQueue(self, "FailureQueue")
        self.rule_dead_letter_queue = DeadLetterQueue(self, "RuleDeadLetterQueue")
        reporting = PythonFunction(
            self,
            "Report",
            settings=settings,
            code=code,
            handler="search_coverage.handlers.report.handler",
            description="writes the report of a search job that ended",
            environment={
                Variable.REPORT_BUCKET: store.bucket.bucket_name,
                Variable.ALERTS_TOPIC_ARN: alerts.topic.topic_arn,
                Variable.EVENT_BUS_NAME: EVENT_BUS_NAME,
                Variable.IDEMPOTENCY_TABLE: self.table.table_name,
                Variable.NOTIFY_ON: settings.notify_on,
                Variable.INVENTORY: "ON" if settings.inventory else "OFF",
            },
            statements=_statements(
                self,
                store=store,
                alerts=alerts,
                table=self.table,
                failure_queue=self.failure_queue,
                settings=settings,
            ),
            timeout=TIMEOUT,
            memory_megabytes=MEMORY_MEGABYTES,
            temporary_storage=TEMPORARY_STORAGE,
            reserved_concurrency=CONCURRENCY,
            retry_attempts=RETRIES,
            max_event_age=MAX_EVENT_AGE,
            failure_queue=self.failure_queue,
        )
        self.function = reporting.function
        _acknowledge_wildcards(reporting.role, store, inventory=settings.inventory)
        store.let_only_write(reporting.role)
        self.rule = events.Rule(
            self,
            "Rule",
            description="Search Coverage: a search job ended, write its report",
            # Account and Region: what another bus forwards is about search jobs that nobody can read here.
            event_pattern=events.EventPattern(
                source=[SERVICE],
                detail_type=[STATE_CHANGE],
                account=[Aws.ACCOUNT_ID],
                region=[Aws.REGION],
            ),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    dead_letter_queue=self.rule_dead_letter_queue,
                    retry_attempts=RULE_RETRIES,
                    max_event_age=RULE_MAX_EVENT_AGE,
                )
            ],
        )


def _statements(  # noqa: PLR0913  # what the function calls
    scope: Construct,
    *,
    store: ReportStore,
    alerts: Alerts,
    table: dynamodb.Table,
    failure_queue: DeadLetterQueue,
    settings: Settings,
) -> list[iam.PolicyStatement]:
    """Name every call of the report function, and what it is made on."""
    bucket = store.bucket
    return [
        iam.PolicyStatement(
            sid="ReadTheSearchJob",
            actions=["backup-search:GetSearchJob", "backup-search:ListSearchJobBackups"],
            resources=[
                Stack.of(scope).format_arn(service="backup-search", resource="search-job", resource_name="*"),
            ],
        ),
        *read_search_jobs_under(settings.search_key_arns),
        *(_read_the_vaults(scope) if settings.inventory else []),
        iam.PolicyStatement(
            sid="WriteTheReport",
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[bucket.arn_for_objects(keys) for keys in EVIDENCE],
        ),
        iam.PolicyStatement(
            # To see whether a report exists and is whole, and for every write and removal under the condition If-Match
            # (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
            sid="SeeWhatIsThere",
            actions=["s3:GetObject"],
            resources=[bucket.arn_for_objects(keys) for keys in EVIDENCE],
        ),
        iam.PolicyStatement(
            # A replay takes the mark off before it replaces what the mark vouches for. In a versioned bucket that
            # deletes nothing: the earlier summary stays as a version, and versions cannot be deleted with this.
            sid="UnmarkTheReport",
            actions=["s3:DeleteObject"],
            resources=[
                bucket.arn_for_objects(f"{REPORTS}*/{SUMMARY_JSON}"),
                bucket.arn_for_objects(f"{REPORTS}*/{NOTIFICATION_PENDING_JSON}"),
            ],
        ),
        iam.PolicyStatement(
            # S3 answers 404 for a missing object only to those who may list the bucket, and 403 to all others
            # (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). No condition on s3:prefix here:
            # a GetObject request has no such key, so that the condition would never hold for it.
            sid="TellMissingFromForbidden",
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
        ),
        use_key_through("s3", store.key.key_arn, sid="EncryptTheReport"),
        iam.PolicyStatement(sid="Notify", actions=["sns:Publish"], resources=[alerts.topic.topic_arn]),
        use_key_through("sns", alerts.key.key_arn, sid="EncryptTheNotification"),
        put_our_events(scope),
        use_records(
            table,
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
            CLAIMS,
            sid="RememberWhatWasDone",
        ),
        iam.PolicyStatement(sid="HandOverFailures", actions=["sqs:SendMessage"], resources=[failure_queue.queue_arn]),
    ]


def _read_the_vaults(scope: Construct) -> list[iam.PolicyStatement]:
    """Name the calls of the inventory; all of them only read (docs/aws-facts.md §4)."""
    arn = Stack.of(scope).format_arn
    no_account = f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}::snapshot/*"
    return [
        iam.PolicyStatement(
            # It takes no resource (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html).
            sid="FindTheVaults",
            actions=["backup:ListBackupVaults"],
            resources=["*"],
        ),
        iam.PolicyStatement(
            # AWS Backup does not give the tags of an EBS backup, which is a snapshot. It takes no resource
            # (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html).
            sid="ReadTheTagsOfSnapshots",
            actions=["ec2:DescribeSnapshots"],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="ReadTheVaults",
            actions=["backup:ListRecoveryPointsByBackupVault"],
            resources=[
                arn(
                    service="backup",
                    resource="backup-vault",
                    resource_name="*",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
        ),
        iam.PolicyStatement(
            sid="ReadTheRecoveryPoints",
            actions=[
                "backup:DescribeRecoveryPoint",
                "backup:GetRecoveryPointIndexDetails",
                "backup:ListTags",
            ],
            resources=[
                arn(
                    service="backup",
                    resource="recovery-point",
                    resource_name="*",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                ),
                no_account,  # a backup of EBS is a snapshot, whose ARN has no account (docs/aws-facts.md §2)
            ],
        ),
    ]


def _acknowledge_wildcards(role: iam.Role, store: ReportStore, *, inventory: bool) -> None:
    """Say why some resources of the role end in a wildcard; cdk-nag wants each by its name in the template."""
    bucket = Stack.of(role).get_logical_id(store.bucket.node.default_child)  # type: ignore[arg-type]  # a CfnBucket
    reasons = {
        "arn:<AWS::Partition>:backup-search:<AWS::Region>:<AWS::AccountId>:search-job/*": (
            "A search job gets its identifier when somebody starts it: any search job of this account and Region may "
            "be the next that ends. Both actions only read."
        ),
        f"<{bucket}.Arn>/{REPORTS}*": (
            f"The keys below {REPORTS} hold account, Region, date and search job, unknown until the report is written."
        ),
        f"<{bucket}.Arn>/{EXCLUDED_BACKUPS}*": (
            f"The keys below {EXCLUDED_BACKUPS} hold account, Region, date and search job, unknown until the report is "
            "written."
        ),
        f"<{bucket}.Arn>/{SUMMARIES}*": (
            f"The keys below {SUMMARIES} hold account, Region, date and search job, unknown until the report is "
            "written."
        ),
        f"<{bucket}.Arn>/{REPORTS}*/{SUMMARY_JSON}": (
            "Only the marks of a report can be removed, of whatever search job the report is."
        ),
        f"<{bucket}.Arn>/{REPORTS}*/{NOTIFICATION_PENDING_JSON}": (
            "Only the marks of a report can be removed, of whatever search job the report is."
        ),
    }
    if inventory:
        reasons |= {
            "*": "ListBackupVaults and DescribeSnapshots take no resource; both only read.",
            "arn:<AWS::Partition>:backup:<AWS::Region>:<AWS::AccountId>:backup-vault:*": (
                "A search may have backups of any vault in its scope. The action only reads."
            ),
            "arn:<AWS::Partition>:backup:<AWS::Region>:<AWS::AccountId>:recovery-point:*": (
                "A search may have any recovery point in its scope. The actions only read."
            ),
            "arn:<AWS::Partition>:ec2:<AWS::Region>::snapshot/*": (
                "A search may have any backup of EBS in its scope, and that is a snapshot. The actions only read."
            ),
        }
    Validations.of(role).acknowledge(
        *(
            Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource}]", reason=reason)
            for resource, reason in reasons.items()
        )
    )
