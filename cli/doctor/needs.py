"""What each role has to be allowed to do: the actions, on something they are really called on.

The stack says the same with wildcards (`infra/reporter.py`, `infra/watcher.py`, `infra/python_function.py`). It is not
imported from there, since the CDK takes seconds to start; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Final, Self

from cli.doctor.deployment import Deployment
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.search_job import SearchJob
from search_coverage.names import ANNOUNCEMENT, LEASE, SERVICE, TOLD
from search_coverage.report.files.keys import ReportKeys, reports_prefix

_SEARCH_JOB: Final = "11111111-2222-3333-4444-555555555555"

_IN_BRACES: Final = Arn("", "{partition}", "backup-search", "{region}", "{account}", "")
_KEYS: Final = ReportKeys.of(
    SearchJob(_SEARCH_JOB, _IN_BRACES, "COMPLETED", completion_time=datetime(2026, 11, 20, tzinfo=UTC))
)
"""The keys of a report, as the functions write them."""

ContextValue = str | tuple[str, ...]
"""What a request says under a condition key: one text, or several where the key is multivalued."""


@dataclass(frozen=True, slots=True)
class Places:
    """What stands in braces in the needs.

    Attributes:
        log: The log group of the function whose role it is; empty for the schedule.
    """

    partition: str
    region: str
    account: str
    bucket: str
    table: str
    topic: str
    watch_function: str
    failure_queue: str
    schedule_queue: str
    reports_key: str
    messages_key: str
    log: str

    @classmethod
    def of(cls, deployment: Deployment, log_group: str = "") -> Self:
        """Take them from the deployment."""
        key = "AWS::KMS::Key"
        return cls(
            partition=deployment.partition,
            region=deployment.region,
            account=deployment.account,
            bucket=f"arn:{deployment.partition}:s3:::{deployment.output('ReportBucketName')}",
            table=deployment.arn("dynamodb", f"table/{deployment.output('IdempotencyTableName')}"),
            topic=deployment.output("AlertsTopicArn"),
            watch_function=deployment.function_arn("WatchFunctionName"),
            failure_queue=deployment.queue_arn("FailureQueueUrl"),
            schedule_queue=deployment.queue_arn("ScheduleDeadLetterQueueUrl"),
            reports_key=deployment.arn("kms", f"key/{deployment.resource(key, named='ReportStoreKey')}"),
            messages_key=deployment.arn("kms", f"key/{deployment.resource(key, named='AlertsKey')}"),
            log=deployment.arn("logs", f"log-group:{log_group}"),
        )

    def fill_in(self, text: str) -> str:
        """Write the places into a text."""
        return text.format(**{each.name: getattr(self, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True)
class Need:
    """Actions on one resource, with what the request says about itself.

    Attributes:
        actions: The actions, by IAM's names.
        resource: The resource, one as it may occur.
        context: The condition keys that the request has; several values, or one in a tuple, for a multivalued key.
    """

    actions: tuple[str, ...]
    resource: str = "*"
    context: Mapping[str, ContextValue] = field(default_factory=dict)

    def at(self, places: Places) -> Self:
        """Write the places of a deployment into the resource and the context."""
        return replace(
            self,
            resource=places.fill_in(self.resource),
            context={
                key: places.fill_in(value) if isinstance(value, str) else tuple(map(places.fill_in, value))
                for key, value in self.context.items()
            },
        )


_HERE: Final = "{region}:{account}"

_OF_EVERY_FUNCTION: Final = (
    Need(("logs:CreateLogStream", "logs:PutLogEvents"), "{log}:log-stream:any"),
    Need(("xray:PutTraceSegments", "xray:PutTelemetryRecords")),
    Need(
        ("events:PutEvents",),
        "arn:{partition}:events:" + _HERE + ":event-bus/default",
        {"events:source": (SERVICE, SERVICE)},  # a request with two entries
    ),
)

WATCH: Final = (
    Need(("backup-search:ListSearchJobs",)),
    Need(("s3:ListBucket",), "{bucket}", {"s3:prefix": reports_prefix("{account}", "{region}")}),
    Need(
        ("dynamodb:BatchGetItem", "dynamodb:PutItem"),
        "{table}",
        {"dynamodb:LeadingKeys": (f"{ANNOUNCEMENT}{_SEARCH_JOB}",)},
    ),
    *_OF_EVERY_FUNCTION,
)

REPORT: Final = (
    Need(
        ("backup-search:GetSearchJob", "backup-search:ListSearchJobBackups"),
        "arn:{partition}:backup-search:" + _HERE + ":search-job/" + _SEARCH_JOB,
    ),
    *(
        Need(("s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"), "{bucket}/" + key)
        for key in (_KEYS.html, _KEYS.jsonl, _KEYS.summary_line)
    ),
    *(Need(("s3:DeleteObject",), "{bucket}/" + mark) for mark in (_KEYS.summary, _KEYS.notification_pending)),
    Need(("s3:ListBucket",), "{bucket}"),
    Need(("kms:Decrypt", "kms:GenerateDataKey"), "{reports_key}", {"kms:ViaService": "s3.{region}.amazonaws.com"}),
    Need(("sns:Publish",), "{topic}"),
    Need(("kms:Decrypt", "kms:GenerateDataKey"), "{messages_key}", {"kms:ViaService": "sns.{region}.amazonaws.com"}),
    *(
        Need(
            ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
            "{table}",
            {"dynamodb:LeadingKeys": (f"{kind}{_SEARCH_JOB}",)},
        )
        for kind in (LEASE, TOLD)
    ),
    Need(("sqs:SendMessage",), "{failure_queue}"),
    *_OF_EVERY_FUNCTION,
)

INVENTORY: Final = (
    Need(("backup:ListBackupVaults",)),
    Need(("ec2:DescribeSnapshots",)),
    Need(
        ("backup:ListRecoveryPointsByBackupVault",),
        "arn:{partition}:backup:" + _HERE + ":backup-vault:Default",
    ),
    *(
        Need(("backup:DescribeRecoveryPoint", "backup:GetRecoveryPointIndexDetails", "backup:ListTags"), point)
        for point in (
            "arn:{partition}:backup:" + _HERE + ":recovery-point:" + _SEARCH_JOB,
            "arn:{partition}:ec2:{region}::snapshot/snap-0123456789abcdef0",
        )
    ),
)
"""What the report function needs on top if it is to read the vaults."""

SCHEDULE: Final = (
    Need(("lambda:InvokeFunction",), "{watch_function}"),
    Need(("sqs:SendMessage",), "{schedule_queue}"),
)


def key_of_a_search_job(key_arn: str, region: str) -> Need:
    """Say what the report function needs to read a search job that is encrypted with a customer key."""
    return Need(
        ("kms:Decrypt",),
        key_arn,
        {
            "kms:ViaService": f"backup.{region}.amazonaws.com",
            "kms:EncryptionContextKeys": ("aws:backup-search:search-job",),
        },
    )
