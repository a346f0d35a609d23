"""What notices that a search job ended: a schedule and the watch function, because AWS announces it nowhere."""

from typing import Final

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.dead_letters import DeadLetterQueue
from infra.permissions import EVENT_BUS_NAME, put_our_events, use_records
from infra.python_function import PythonFunction
from infra.report_store import ReportStore
from infra.settings import Settings
from search_coverage.names import ANNOUNCEMENT, REPORTS, Variable

TIMEOUT: Final = Duration.seconds(60)
"""The shortest interval between two sweeps, so that a sweep that hangs does not hold up more than the next one."""

MEMORY_MEGABYTES: Final = 256
"""A sweep holds a few hundred search jobs at most (7 days' worth); below this the import of boto3 gets slow."""

CONCURRENCY: Final = 1
"""Two sweeps at once would announce the same search job twice for nothing."""

RETRIES: Final = 0
"""The next sweep is the retry: it sees all that this one did not get done."""

HAND_OVER_RETRIES: Final = 3
"""Enough for a hiccup of the Lambda service within the interval; after that, the next sweep is due anyway."""

ANNOUNCEMENTS: Final = (f"{ANNOUNCEMENT}*",)
"""The keys of the records that are the watch function's; it may neither make nor end a claim of the report function."""


class Watcher(Construct):
    """The watch function and the schedule that runs it every `pollMinutes`.

    A sweep that Scheduler could not hand over goes to `schedule_dead_letter_queue`. A sweep that failed goes nowhere:
    it has no input worth keeping, the next one does its work, and an alarm tells of several failures in a row.

    Attributes:
        function: The watch function.
        schedule: The schedule.
        schedule_dead_letter_queue: The dead-letter queue of the schedule.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        code: lambda_.Code,
        store: ReportStore,
        table: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, construct_id)
        interval = Duration.minutes(settings.poll_minutes)
        self.function = PythonFunction(
            self,
            "Watch",
            settings=settings,
            code=code,
            handler="search_coverage.handlers.watch.handler",
            description="announces search jobs that ended and have no report",
            environment={
                Variable.REPORT_BUCKET: store.bucket.bucket_name,
                Variable.EVENT_BUS_NAME: EVENT_BUS_NAME,
                Variable.IDEMPOTENCY_TABLE: table.table_name,
                Variable.SEARCH_JOB_STATUSES: ",".join(settings.search_job_statuses),
            },
            statements=_statements(self, store=store, table=table),
            timeout=TIMEOUT,
            memory_megabytes=MEMORY_MEGABYTES,
            reserved_concurrency=CONCURRENCY,
            retry_attempts=RETRIES,
            max_event_age=interval,  # a sweep that had to wait longer is overtaken by the next
        ).function
        self.schedule_dead_letter_queue = DeadLetterQueue(self, "ScheduleDeadLetterQueue")
        role = _scheduler_role(self, function=self.function, dead_letter_queue=self.schedule_dead_letter_queue)
        self.schedule = scheduler.Schedule(
            self,
            "Schedule",
            description="Search Coverage: look for search jobs that ended",
            schedule=scheduler.ScheduleExpression.rate(interval),
            time_window=scheduler.TimeWindow.off(),
            target=targets.LambdaInvoke(
                self.function,
                role=role.without_policy_updates(),
                dead_letter_queue=self.schedule_dead_letter_queue,
                max_event_age=interval,
                retry_attempts=HAND_OVER_RETRIES,
            ),
        )


def _statements(scope: Construct, *, store: ReportStore, table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """Name every call of the watch function, and what it is made on."""
    return [
        iam.PolicyStatement(
            sid="ListTheSearchJobs",
            actions=["backup-search:ListSearchJobs"],
            resources=["*"],  # the action has no resource level (docs/aws-facts.md §4)
        ),
        iam.PolicyStatement(
            sid="SeeWhichReportsExist",
            actions=["s3:ListBucket"],
            resources=[store.bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": f"{REPORTS}*"}},
        ),
        put_our_events(scope),
        use_records(
            table, ["dynamodb:BatchGetItem", "dynamodb:PutItem"], ANNOUNCEMENTS, sid="RememberWhatWasAnnounced"
        ),
    ]


def _scheduler_role(scope: Construct, *, function: lambda_.Function, dead_letter_queue: DeadLetterQueue) -> iam.Role:
    """Let Scheduler, on behalf of this account's schedules only, invoke the one function and fill the one queue.

    The CDK's own role would also allow every version and alias of the function. AWS names the schedule group, not the
    schedule, as the source
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
    """
    group = Stack.of(scope).format_arn(service="scheduler", resource="schedule-group", resource_name="default")
    return iam.Role(
        scope,
        "SchedulerRole",
        description="Search Coverage: lets the schedule run the watch function",
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group}},
        ),
        inline_policies={
            "RunTheWatchFunction": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="RunTheWatchFunction",
                        actions=["lambda:InvokeFunction"],
                        resources=[function.function_arn],
                    ),
                    iam.PolicyStatement(
                        sid="KeepWhatCouldNotBeHandedOver",
                        actions=["sqs:SendMessage"],
                        resources=[dead_letter_queue.queue_arn],
                    ),
                ]
            )
        },
    )
