"""The path from a search job that ends to its event: AWS emits none, so a schedule runs the watch function."""

from typing import Final

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.dead_letters import DeadLetterQueue
from infra.permissions import EVENT_BUS_NAME, SCHEDULE, WATCH
from infra.python_function import Program, PythonFunction
from infra.report_store import ReportStore
from infra.roles import make_role
from infra.settings import Settings
from search_coverage.names import Variable

DELIVERY_RETRIES: Final = 3
"""Enough for a short failure of Lambda within the interval; after that, the next sweep is due."""


def program(interval: Duration) -> Program:
    """Return the watch function for an interval between two sweeps."""
    return Program(
        handler="search_coverage.handlers.watch.handler",
        description="announces search jobs that ended and have no report",
        # The shortest interval: a sweep that hangs delays no more than the next one.
        timeout=Duration.seconds(60),
        # A sweep holds a few hundred search jobs at most, those of 7 days; with less, the import of boto3 gets slow.
        memory_megabytes=256,
        # Two sweeps at once would announce the same search job twice.
        concurrency=1,
        # The next sweep is the retry: it finds everything that this one did not finish.
        retries=0,
        # A sweep that waits longer is overtaken by the next one.
        max_event_age=interval,
    )


class Watcher(Construct):
    """The watch function and the schedule that runs it every `pollMinutes`.

    A sweep that Scheduler could not start goes to `schedule_dead_letter_queue`. A sweep that failed goes nowhere: it
    has no input to keep, the next one does its work, and an alarm reports several failures in a row.

    Attributes:
        function: The watch function.
        schedule: The schedule.
        schedule_dead_letter_queue: The dead-letter queue of the schedule.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, store: ReportStore, table: dynamodb.ITable
    ) -> None:
        super().__init__(scope, construct_id)
        interval = Duration.minutes(settings.poll_minutes)
        self.function = PythonFunction(
            self,
            "Watch",
            program(interval),
            settings=settings,
            environment={
                Variable.REPORT_BUCKET: store.bucket.bucket_name,
                Variable.EVENT_BUS_NAME: EVENT_BUS_NAME,
                Variable.IDEMPOTENCY_TABLE: table.table_name,
                Variable.SEARCH_JOB_STATUSES: ",".join(settings.search_job_statuses),
            },
            grants=WATCH,
            places={"bucket": store.bucket.bucket_arn, "table": table.table_arn},
        ).function
        self.schedule_dead_letter_queue = DeadLetterQueue(self, "ScheduleDeadLetterQueue")
        self.schedule = scheduler.Schedule(
            self,
            "Schedule",
            description="Search Coverage: look for search jobs that ended",
            schedule=scheduler.ScheduleExpression.rate(interval),
            time_window=scheduler.TimeWindow.off(),
            target=targets.LambdaInvoke(
                self.function,
                role=self._scheduler_role().without_policy_updates(),
                dead_letter_queue=self.schedule_dead_letter_queue,
                max_event_age=interval,
                retry_attempts=DELIVERY_RETRIES,
            ),
        )

    def _scheduler_role(self) -> iam.Role:
        """Allow schedules of this account to invoke the function and to send to the queue.

        The role that the CDK makes would also allow each version and alias of the function. AWS documents the schedule
        group as the source, not the schedule
        (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
        """
        group = Stack.of(self).format_arn(service="scheduler", resource="schedule-group", resource_name="default")
        return make_role(
            self,
            "SchedulerRole",
            SCHEDULE,
            {
                "watch_function": self.function.function_arn,
                "schedule_queue": self.schedule_dead_letter_queue.queue_arn,
            },
            principal=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group}},
            ),
            description="Search Coverage: allows the schedule to run the watch function",
            policy_name="RunTheWatchFunction",
        )
