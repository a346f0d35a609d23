"""Every permission of the three roles, written once: the stack grants them, and the doctor asks IAM about them.

This module does not import the CDK, which takes seconds to start and which the doctor does not need.

Resources and values of conditions have places in braces. `fill` writes the names of a stack or a deployment into them.
For the places of `WILDCARDS`, the stack writes `*`, and the doctor writes an example.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from search_coverage.names import (
    ANNOUNCEMENT,
    EXCLUDED_BACKUPS,
    INDEX_FAILURES,
    LEASE,
    NOTIFICATION_PENDING_JSON,
    POSTURE,
    POSTURE_SOURCES,
    POSTURES,
    QUESTIONS,
    REPORTS,
    RESULTS,
    RESULTS_PENDING_JSON,
    SEARCH_RESULTS,
    SENT_DIGEST,
    SERVICE,
    SUMMARIES,
    SUMMARY_JSON,
)

EVENT_BUS_NAME: Final = "default"
"""The bus that AWS Backup puts its own events on, so that one rule of a user matches both."""

EVIDENCE: Final = (REPORTS, EXCLUDED_BACKUPS, SUMMARIES, QUESTIONS)
"""The key prefixes that only the report function writes."""

POSTURE_EVIDENCE: Final = (POSTURE, POSTURES, POSTURE_SOURCES, INDEX_FAILURES)
"""The key prefixes that only the posture function writes."""

_MARKS: Final = (SUMMARY_JSON, NOTIFICATION_PENDING_JSON, RESULTS_PENDING_JSON)

RESULTS_OF_SEARCHES: Final = (RESULTS, SEARCH_RESULTS)
"""The key prefixes that only the report function writes, in the bucket of the results."""

WILDCARDS: Final = ("search_job", "report", "posture", "vault", "recovery_point", "snapshot", "plan", "any_region")
"""The places whose value depends on the request."""

ConditionValue = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement of a role.

    Attributes:
        sid: The name of the statement.
        actions: The actions that it allows.
        resources: The resources that it allows them on.
        conditions: The values by operator and condition key.
        why_wildcard: Why its resources end in a wildcard; empty if none does.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, Mapping[str, ConditionValue]] = field(default_factory=dict)
    why_wildcard: str = ""

    def fill(self, places: Mapping[str, str]) -> Self:
        """Replace the places in braces.

        Args:
            places: A text for each place that the resources and the conditions name.
        """
        return replace(
            self,
            resources=tuple(resource.format_map(places) for resource in self.resources),
            conditions={
                operator: {key: fill(value, places) for key, value in pairs.items()}
                for operator, pairs in self.conditions.items()
            },
        )


def fill(value: ConditionValue, places: Mapping[str, str]) -> ConditionValue:
    """Replace the places in a value of a condition."""
    return value.format_map(places) if isinstance(value, str) else tuple(text.format_map(places) for text in value)


def as_tuple(value: ConditionValue) -> tuple[str, ...]:
    """Return the one or more texts of a value."""
    return (value,) if isinstance(value, str) else value


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _use_key(sid: str, key: str, *, through: str) -> Grant:
    """Allow the use of a customer key for what a service encrypts on behalf of the role.

    S3 needs both actions: it generates a data key per object, and decrypts it to continue a multipart upload. SNS
    needs both to publish to an encrypted topic (docs/aws-facts.md §4).
    """
    via: dict[str, ConditionValue] = {"kms:ViaService": f"{through}.{{region}}.amazonaws.com"}
    return Grant(sid, ("kms:Decrypt", "kms:GenerateDataKey"), (key,), {"StringEquals": via})


def _use_records(sid: str, actions: Sequence[str], *keys: str) -> Grant:
    """Allow requests about items of the table whose keys have these prefixes.

    `dynamodb:LeadingKeys` holds the keys of all items of a request. A request without this key, such as a scan, is
    not allowed (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
    """
    return Grant(
        sid,
        tuple(f"dynamodb:{action}" for action in actions),
        ("{table}",),
        {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    )


PUT_EVENTS: Final = Grant(
    # `events:source` is multivalued, because a request has up to ten entries: IAM asks for a set operator, and
    # `ForAllValues` alone also allows a request without the key (docs/aws-facts.md §7).
    "AnnounceOnTheDefaultBus",
    ("events:PutEvents",),
    (_arn("events", f"event-bus/{EVENT_BUS_NAME}"),),
    {"ForAllValues:StringEquals": {"events:source": SERVICE}, "Null": {"events:source": "false"}},
)

_EVERY_FUNCTION: Final = (
    Grant("WriteItsLog", ("logs:CreateLogStream", "logs:PutLogEvents"), ("{log_streams}",)),
    Grant(
        "SendTraces",
        ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        why_wildcard="The two write actions of X-Ray accept no resource but * (Service Authorization Reference).",
    ),
)

WATCH: Final = (
    Grant(
        "ListTheSearchJobs",
        ("backup-search:ListSearchJobs",),
        why_wildcard="ListSearchJobs accepts no resource but * (docs/aws-facts.md §4).",
    ),
    Grant(
        "SeeWhichReportsExist", ("s3:ListBucket",), ("{bucket}",), {"StringLike": {"s3:prefix": f"{REPORTS}{{report}}"}}
    ),
    PUT_EVENTS,
    _use_records("RememberWhatWasAnnounced", ("BatchGetItem", "PutItem"), f"{ANNOUNCEMENT}{{search_job}}"),
    *_EVERY_FUNCTION,
)
"""The watch function."""

SCHEDULE: Final = (
    Grant("RunTheFunction", ("lambda:InvokeFunction",), ("{scheduled_function}",)),
    Grant("KeepWhatCouldNotBeHandedOver", ("sqs:SendMessage",), ("{schedule_queue}",)),
)
"""The schedule of the watch function, and that of the posture function."""

# An EBS backup is a snapshot, whose ARN has no account (docs/aws-facts.md §2).
_RECOVERY_POINTS: Final = (
    _arn("backup", "recovery-point:{recovery_point}"),
    "arn:{partition}:ec2:{region}::snapshot/{snapshot}",
)

_VAULTS: Final = (
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html
    Grant(
        "FindTheVaults",
        ("backup:ListBackupVaults",),
        why_wildcard="ListBackupVaults accepts no resource but *. It only reads.",
    ),
    # AWS Backup does not return the tags of an EBS backup, which is a snapshot
    # (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html).
    Grant(
        "ReadTheTagsOfSnapshots",
        ("ec2:DescribeSnapshots",),
        why_wildcard="DescribeSnapshots accepts no resource but *. It only reads.",
    ),
    Grant(
        "ReadTheVaults",
        ("backup:ListRecoveryPointsByBackupVault",),
        (_arn("backup", "backup-vault:{vault}"),),
        why_wildcard="The scope of a search can include backups of every vault. The action only reads.",
    ),
    Grant(
        "ReadTheRecoveryPoints",
        ("backup:DescribeRecoveryPoint", "backup:ListTags"),
        _RECOVERY_POINTS,
        why_wildcard="The scope of a search can include every recovery point. The actions only read.",
    ),
)
"""The report function and the posture function, where they read the vaults (docs/aws-facts.md §4)."""

INVENTORY: Final = (
    *_VAULTS,
    Grant(
        "SeeWhatTheIndexesHold",
        ("backup:GetRecoveryPointIndexDetails",),
        _RECOVERY_POINTS,
        why_wildcard="The scope of a search can include every recovery point. The action only reads.",
    ),
)
"""The report function, where it compares a search with the content of the vaults (docs/aws-facts.md §4)."""


KEEP_RESULTS: Final = (
    Grant(
        "ReadTheResults",
        ("backup-search:ListSearchJobResults",),
        (_arn("backup-search", "search-job/{search_job}"),),
        why_wildcard="The next search job that ends can be any of this account and Region. The action only reads.",
    ),
    # s3:GetObject: each write has the condition If-Match.
    Grant(
        "KeepTheResults",
        ("s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"),
        tuple(f"{{results_bucket}}/{prefix}{{report}}" for prefix in RESULTS_OF_SEARCHES),
        why_wildcard="The keys hold account, Region, date and search job, which are unknown until the search ends.",
    ),
    Grant("TellMissingResultsFromForbidden", ("s3:ListBucket",), ("{results_bucket}",)),
    _use_key("EncryptTheResults", "{results_key}", through="s3"),
)
"""The report function, where it keeps what a search found."""


_ONLY_KNOWN_ON_THE_DAY: Final = "The keys hold account, Region and date, which are unknown until the function runs."

POSTURE_FUNCTION: Final = (
    *_VAULTS,
    Grant(
        "ReadThePlans",
        ("backup:GetBackupPlan",),
        (_arn("backup", "backup-plan:{plan}"),),
        why_wildcard="Any plan can have made the backups in the vaults. The action only reads.",
    ),
    Grant(
        "WriteThePosture",
        ("s3:PutObject", "s3:AbortMultipartUpload"),
        tuple(f"{{bucket}}/{prefix}{{posture}}" for prefix in POSTURE_EVIDENCE),
        why_wildcard=_ONLY_KNOWN_ON_THE_DAY,
    ),
    # For each write and removal under the condition If-Match, and to compare with the posture before.
    Grant(
        "SeeWhatIsThere",
        ("s3:GetObject",),
        tuple(f"{{bucket}}/{prefix}{{posture}}" for prefix in POSTURE_EVIDENCE),
        why_wildcard=_ONLY_KNOWN_ON_THE_DAY,
    ),
    Grant(
        "CompareWithAReplacedPosture",
        ("s3:GetObjectVersion",),
        (f"{{bucket}}/{POSTURE_SOURCES}{{posture}}",),
        why_wildcard=_ONLY_KNOWN_ON_THE_DAY,
    ),
    Grant(
        "UnmarkThePosture",
        ("s3:DeleteObject",),
        (f"{{bucket}}/{POSTURE}{{posture}}/{SUMMARY_JSON}",),
        why_wildcard="The function can remove the mark of a posture only, of any day.",
    ),
    Grant("TellMissingFromForbidden", ("s3:ListBucket",), ("{bucket}",)),
    _use_key("EncryptThePosture", "{reports_key}", through="s3"),
    Grant("Notify", ("sns:Publish",), ("{topic}",)),
    _use_key("EncryptTheNotification", "{messages_key}", through="sns"),
    PUT_EVENTS,
    _use_records("TakeOnePostureAtATime", ("GetItem", "PutItem", "UpdateItem", "DeleteItem"), f"{LEASE}posture"),
    *_EVERY_FUNCTION,
)
"""The posture function."""


def report(*, inventory: bool, keep_results: bool = False, search_key_arns: Sequence[str] = ()) -> tuple[Grant, ...]:
    """Return the grants of the report function.

    Args:
        inventory: Whether it reads the vaults.
        keep_results: Whether it keeps what a search found.
        search_key_arns: The customer keys of search jobs.
    """
    evidence = tuple(f"{{bucket}}/{prefix}{{report}}" for prefix in EVIDENCE)
    only_known_later = (
        "The keys hold account, Region, date and search job, which are unknown until the function writes the report."
    )
    return (
        Grant(
            "ReadTheSearchJob",
            (
                "backup-search:GetSearchJob",
                "backup-search:ListSearchJobBackups",
                "backup-search:ListTagsForResource",
            ),
            (_arn("backup-search", "search-job/{search_job}"),),
            why_wildcard="The next search job that ends can be any of this account and Region. The actions only read.",
        ),
        *(read_search_jobs(search_key_arns) if search_key_arns else ()),
        *(INVENTORY if inventory else ()),
        *(KEEP_RESULTS if keep_results else ()),
        Grant("WriteTheReport", ("s3:PutObject", "s3:AbortMultipartUpload"), evidence, why_wildcard=only_known_later),
        # To see whether a report exists and is complete, and for each write and removal under the condition If-Match
        # (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
        Grant("SeeWhatIsThere", ("s3:GetObject",), evidence, why_wildcard=only_known_later),
        # A replay removes the mark before it replaces the files that the mark vouches for. In a versioned bucket that
        # deletes nothing: the earlier summary stays as a version, and this action cannot delete versions.
        Grant(
            "UnmarkTheReport",
            ("s3:DeleteObject",),
            tuple(f"{{bucket}}/{REPORTS}{{report}}/{mark}" for mark in _MARKS),
            why_wildcard="The function can remove the marks of a report only, of any search job.",
        ),
        # S3 answers 404 for a missing object only to a caller who may list the bucket, and 403 to others
        # (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). There is no condition on s3:prefix: a
        # GetObject request does not have this key, so the condition would never hold.
        Grant("TellMissingFromForbidden", ("s3:ListBucket",), ("{bucket}",)),
        _use_key("EncryptTheReport", "{reports_key}", through="s3"),
        Grant("Notify", ("sns:Publish",), ("{topic}",)),
        _use_key("EncryptTheNotification", "{messages_key}", through="sns"),
        PUT_EVENTS,
        _use_records(
            "RememberWhatWasDone",
            ("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            f"{LEASE}{{search_job}}",
            f"{SENT_DIGEST}{{search_job}}",
        ),
        Grant("HandOverFailures", ("sqs:SendMessage",), ("{failure_queue}",)),
        *_EVERY_FUNCTION,
    )


def read_search_jobs(key_arns: Sequence[str]) -> tuple[Grant, ...]:
    """Return the grant to decrypt what AWS Backup search keeps of search jobs under customer keys.

    The conditions are those of the AWS managed policy for users of searches, AWSBackupSearchOperatorAccess
    (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupSearchOperatorAccess.html). That a reader
    needs the permission is very probable and untested (docs/aws-facts.md §7). The AWS policy also allows
    `kms:GenerateDataKey`, for a caller who starts a search or exports its results.
    """
    return (
        Grant(
            "ReadSearchJobsUnderTheseKeys",
            ("kms:Decrypt",),
            tuple(key_arns),
            {
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "aws:backup-search:search-job"},
                "StringLike": {"kms:ViaService": "backup.{any_region}.amazonaws.com"},
            },
        ),
    )
