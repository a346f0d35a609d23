"""The path from a search job that ends to its event: AWS emits none, so a schedule runs the watch function."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.dead_letters import DeadLetterQueue
from infra.permissions import EVENT_BUS_NAME, WATCH
from infra.python_function import Program, PythonFunction
from infra.report_store import ReportStore
from infra.scheduled import schedule
from infra.settings import Settings
from search_coverage.names import Variable


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
        self.schedule = schedule(
            self,
            self.function,
            interval=interval,
            description="Search Coverage: look for search jobs that ended",
            dead_letter_queue=self.schedule_dead_letter_queue,
        )
