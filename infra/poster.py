"""The path to the posture: a schedule runs the posture function, and AWS tells it of indexes that fail."""

from typing import Final

from aws_cdk import Duration, Size
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.alerts import Alerts
from infra.dead_letters import DeadLetterQueue
from infra.event_rule import event_rule
from infra.permissions import EVENT_BUS_NAME, POSTURE_FUNCTION
from infra.python_function import Program, PythonFunction
from infra.report_store import ReportStore
from infra.scheduled import schedule
from infra.settings import Settings, hours_of
from search_coverage.names import AWS_BACKUP, INDEX_STATE_CHANGE, Variable

PROGRAM: Final = Program(
    handler="search_coverage.handlers.posture.handler",
    description="says which backups a search could look into",
    timeout=Duration.minutes(15),
    # One whole processor: a million backups take some 40 seconds of it, and a run each day costs next to nothing.
    memory_megabytes=1769,
    # A backup takes some 300 bytes of the table on disk, which may take a quarter of the disk: three million fit.
    temporary_storage=Size.gibibytes(4),
    # Two at a time would replace the files of each other's day; an event about an index waits for its turn.
    concurrency=1,
    # The most that Lambda allows. After that the next posture is the retry: it reads all vaults anew.
    retries=2,
    max_event_age=Duration.hours(6),
)


class Poster(Construct):
    """The posture function, its schedule, and the rule for indexes that fail.

    A posture that failed goes nowhere: it has no input to keep, and the next one does its work. What could not be
    handed over to the function, by the schedule or by the rule, goes to `dead_letter_queue`.

    Attributes:
        interval: The time between two postures.
        role: The role of the posture function.
        function: The posture function.
        schedule: Its schedule.
        rule: The rule that sends it AWS's events about indexes that failed.
        dead_letter_queue: The dead-letter queue of schedule and rule.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        rate: str,
        store: ReportStore,
        table: dynamodb.ITable,
        alerts: Alerts,
    ) -> None:
        super().__init__(scope, construct_id)
        self.interval = Duration.hours(hours_of(rate))
        posture = PythonFunction(
            self,
            "Posture",
            PROGRAM,
            settings=settings,
            environment={
                Variable.REPORT_BUCKET: store.bucket.bucket_name,
                Variable.ALERTS_TOPIC_ARN: alerts.topic.topic_arn,
                Variable.EVENT_BUS_NAME: EVENT_BUS_NAME,
                Variable.IDEMPOTENCY_TABLE: table.table_name,
                Variable.POSTURE_MAIL: settings.posture_mail.value,
                **({Variable.SEARCHABLE_TARGET: str(settings.searchable_target)} if settings.searchable_target else {}),
            },
            grants=POSTURE_FUNCTION,
            places={
                "bucket": store.bucket.bucket_arn,
                "table": table.table_arn,
                "topic": alerts.topic.topic_arn,
                "reports_key": store.key.key_arn,
                "messages_key": alerts.key.key_arn,
            },
        )
        self.role = posture.role
        self.function = posture.function
        self.dead_letter_queue = DeadLetterQueue(self, "DeadLetterQueue")
        self.schedule = schedule(
            self,
            self.function,
            interval=self.interval,
            description="Search Coverage: see which backups a search could look into",
            dead_letter_queue=self.dead_letter_queue,
            payload={"posture": {}},
        )
        self.rule = event_rule(  # docs/aws-facts.md §7
            self,
            "IndexFailed",
            self.function,
            description="Search Coverage: an index failed, record why",
            source=AWS_BACKUP,
            detail_type=INDEX_STATE_CHANGE,
            detail={"indexStatus": ["FAILED"]},
            dead_letter_queue=self.dead_letter_queue,
        )
