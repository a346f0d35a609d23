"""The statements that more than one role needs, each with the one thing it allows."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from search_coverage.names import SERVICE

EVENT_BUS_NAME: Final = "default"
"""AWS Backup's own events are there, so that a rule of a user can name both."""


def put_our_events(scope: Construct) -> iam.PolicyStatement:
    """Allow to put events on the default bus, and only in our own name.

    `events:source` is a multivalued key, since a request has up to ten entries: IAM asks for a set operator there, and
    `ForAllValues` alone would also allow a request that has no such key (docs/aws-facts.md §7).

    Args:
        scope: Any construct of the stack.
    """
    bus = Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name=EVENT_BUS_NAME)
    return iam.PolicyStatement(
        sid="AnnounceOnTheDefaultBus",
        actions=["events:PutEvents"],
        resources=[bus],
        conditions={
            "ForAllValues:StringEquals": {"events:source": SERVICE},
            "Null": {"events:source": "false"},
        },
    )


def use_key_through(service: str, key_arn: str, *, sid: str) -> iam.PolicyStatement:
    """Allow to use a customer key for what the service encrypts in the role's name, and for nothing else.

    S3 asks for both actions: it makes a data key for an object, and decrypts it again to go on with a multipart
    upload. SNS asks for both to publish to an encrypted topic (docs/aws-facts.md §4).

    Args:
        service: The service's name in `kms:ViaService`, such as `s3`.
        key_arn: The key.
        sid: The statement's name.
    """
    return iam.PolicyStatement(
        sid=sid,
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com"}},
    )


def use_records(
    table: dynamodb.ITable, actions: Sequence[str], keys: Sequence[str], *, sid: str
) -> iam.PolicyStatement:
    """Allow to read or write records of the table whose keys are alike, and no others.

    `dynamodb:LeadingKeys` holds the keys of all records that a request is about, and is multivalued; a request that has
    no such key, a scan for instance, is not allowed
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).

    Args:
        table: The table.
        actions: What may be done with them.
        keys: What the keys look like, with wildcards.
        sid: The statement's name.
    """
    return iam.PolicyStatement(
        sid=sid,
        actions=list(actions),
        resources=[table.table_arn],
        conditions={
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    )


def read_search_jobs_under(key_arns: Sequence[str]) -> list[iam.PolicyStatement]:
    """Allow to decrypt with customer keys what AWS Backup search keeps of search jobs, and nothing else.

    The conditions are those of AWS's own policy for who works with searches, AWSBackupSearchOperatorAccess
    (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupSearchOperatorAccess.html). That a reader
    needs this is very probable and was not tried (docs/aws-facts.md §7). AWS's policy also allows
    `kms:GenerateDataKey`, for those who start a search or export its results.

    Args:
        key_arns: The keys; without any there is no statement.
    """
    if not key_arns:
        return []
    return [
        iam.PolicyStatement(
            sid="ReadSearchJobsUnderTheseKeys",
            actions=["kms:Decrypt"],
            resources=list(key_arns),
            conditions={
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "aws:backup-search:search-job"},
                "StringLike": {"kms:ViaService": "backup.*.amazonaws.com"},
            },
        )
    ]
