"""The SDK's clients, made in one place: time limits and retries are the same for all of them."""

from typing import TYPE_CHECKING, cast

import boto3
from botocore.config import Config

from search_coverage.aws import services

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_backup import BackupClient
    from mypy_boto3_backupsearch import BackupSearchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

# Throttles and server errors are retried with growing pauses, some 15 s in all, which fits into a sweep. Above that
# Lambda's own retry and then the hourly announcement begin again (docs/architecture.md, "Nothing is lost").
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})

# SNS takes a repeated message for a new one: an answer that got lost must not become many mails.
_SNS_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 2})

# The inventory reads several vaults side by side: when AWS throttles it, it has to slow down, and not only to repeat.
# And it has a share of the time: a call that gets no answer is given up sooner than those that a report cannot miss.
_BACKUP_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "adaptive", "total_max_attempts": 3})


def backup() -> "BackupClient":
    """Make the client of AWS Backup."""
    return boto3.client(services.BACKUP, config=_BACKUP_CONFIG)


def backup_search() -> "BackupSearchClient":
    """Make the client of AWS Backup's search."""
    return boto3.client(services.BACKUP_SEARCH, config=_CONFIG)


def dynamodb() -> "DynamoDBClient":
    """Make the client of DynamoDB."""
    return boto3.client(services.DYNAMODB, config=_CONFIG)


def ec2() -> "BaseClient":
    """Make the client of EC2, for what `services.ONLY_OPERATIONS` names."""
    return cast("BaseClient", boto3.client(services.EC2, config=_BACKUP_CONFIG))


def events() -> "EventBridgeClient":
    """Make the client of EventBridge."""
    return boto3.client(services.EVENTS, config=_CONFIG)


def s3() -> "S3Client":
    """Make the client of S3."""
    return boto3.client(services.S3, config=_CONFIG)


def sns() -> "SNSClient":
    """Make the client of SNS."""
    return boto3.client(services.SNS, config=_SNS_CONFIG)
