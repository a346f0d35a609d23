"""The services of AWS that we call, by botocore's names. The bundle holds the models of these and of no others."""

from typing import Final

BACKUP: Final = "backup"
BACKUP_SEARCH: Final = "backupsearch"
DYNAMODB: Final = "dynamodb"
EC2: Final = "ec2"
EVENTS: Final = "events"
S3: Final = "s3"
SNS: Final = "sns"

SERVICES: Final = (BACKUP, BACKUP_SEARCH, DYNAMODB, EC2, EVENTS, S3, SNS)
"""All of them."""

ONLY_OPERATIONS: Final = {EC2: ("DescribeSnapshots",)}
"""The operations that we call of a service with a large model: the bundle holds no others (EC2: 6 kB of 3.5 MB)."""
