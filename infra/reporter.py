"""The path from the end of a search job to its report: the rule, the report function, and the queues for failures."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alerts import Alerts
from infra.dead_letters import DeadLetterQueue
from infra.event_rule import event_rule
from infra.permissions import EVENT_BUS_NAME, report
from infra.python_function import Program, PythonFunction
from infra.report_store import ReportStore
from infra.results_store import ResultsStore
from infra.settings import Settings
from search_coverage.names import SERVICE, STATE_CHANGE, Variable

MEMORY_MEGABYTES: Final = 512
"""About a third of a processor. The memory that a report needs does not grow with the search job."""

TEMPORARY_STORAGE: Final = Size.gibibytes(4)
"""Rows are spooled to /tmp: a million backups that all failed take about 1.3 GB."""

PROGRAM: Final = Program(
    handler="search_coverage.handlers.report.handler",
    description="writes the report of a search job that ended",
    # The longest that Lambda allows: a list that is not read to its end results in no report.
    timeout=Duration.minutes(15),
    memory_megabytes=MEMORY_MEGABYTES,
    temporary_storage=TEMPORARY_STORAGE,
    # AWS runs at most 10 search jobs at a time (docs/aws-facts.md §2), so more than 10 rarely end together, and AWS
    # Backup throttles more than 10 reports at once. Lambda retries the events that wait.
    concurrency=10,
    # The most that Lambda allows, after one and two minutes.
    retries=2,
    # The longest that Lambda allows. In any case, the sweeps announce a report that failed again.
    max_event_age=Duration.hours(6),
)


class Reporter(Construct):
    """The report function, and how an event reaches it.

    An event that the function could not process, after its retries, goes to `failure_queue`. An event that EventBridge
    could not deliver to the function goes to `rule_dead_letter_queue` (docs/aws-facts.md §5).

    Attributes:
        function: The report function.
        rule: The rule that sends the end of a search job to the function.
        table: The leases of the reports, and what was notified and announced. All of it can be deleted: the next sweep
            restores it.
        failure_queue: The on-failure destination of the function.
        rule_dead_letter_queue: The dead-letter queue of the rule.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        store: ReportStore,
        results: ResultsStore | None,
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
        self.function = self._report_function(settings, store, results, alerts)
        self.rule = event_rule(
            self,
            "Rule",
            self.function,
            description="Search Coverage: a search job ended, write its report",
            source=SERVICE,
            detail_type=STATE_CHANGE,
            dead_letter_queue=self.rule_dead_letter_queue,
        )

    def _report_function(
        self, settings: Settings, store: ReportStore, results: ResultsStore | None, alerts: Alerts
    ) -> lambda_.Function:
        of_results = {}
        if results:
            of_results[Variable.RESULTS_BUCKET] = results.bucket.bucket_name
            of_results[Variable.MAX_RESULTS] = str(settings.max_results)
        reporting = PythonFunction(
            self,
            "Report",
            PROGRAM,
            settings=settings,
            environment={
                Variable.REPORT_BUCKET: store.bucket.bucket_name,
                Variable.ALERTS_TOPIC_ARN: alerts.topic.topic_arn,
                Variable.EVENT_BUS_NAME: EVENT_BUS_NAME,
                Variable.IDEMPOTENCY_TABLE: self.table.table_name,
                Variable.NOTIFY_ON: settings.notify_on.value,
                Variable.INVENTORY: "ON" if settings.inventory else "OFF",
                Variable.KEEP_ITEM_FILTERS: "ON" if settings.keep_item_filters else "OFF",
                **of_results,
            },
            grants=report(
                inventory=settings.inventory,
                keep_results=results is not None,
                search_key_arns=settings.search_key_arns,
            ),
            places={
                "bucket": store.bucket.bucket_arn,
                "table": self.table.table_arn,
                "topic": alerts.topic.topic_arn,
                "failure_queue": self.failure_queue.queue_arn,
                "reports_key": store.key.key_arn,
                "messages_key": alerts.key.key_arn,
                **(
                    {"results_bucket": results.bucket.bucket_arn, "results_key": results.key.key_arn} if results else {}
                ),
            },
            failure_queue=self.failure_queue,
        )
        store.allow_writes_only_by(reporting.role)
        if results:
            results.allow_only(reporting.role)
        return reporting.function
