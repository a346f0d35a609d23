"""The IAM actions that each command needs. `--help` shows them, and a test compares them with the calls."""

from collections.abc import Mapping
from typing import Final

_REPORT: Final = (
    "backup-search:GetSearchJob",
    "cloudformation:DescribeStacks",
    "kms:Decrypt",
    "s3:GetObject",
    "s3:ListBucket",
)
_OF_A_VERSION: Final = ("s3:GetObjectRetention", "s3:GetObjectVersion")
_REPLAY: Final = ("cloudformation:DescribeStacks", "lambda:InvokeFunction")

PERMISSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "doctor": (
        "backup-search:GetSearchJob",
        "backup-search:ListSearchJobs",
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "cloudwatch:DescribeAlarms",
        "dynamodb:DescribeTable",
        "events:DescribeRule",
        "events:ListTargetsByRule",
        "iam:SimulateCustomPolicy",
        "iam:SimulatePrincipalPolicy",
        "kms:DescribeKey",
        "lambda:GetFunctionConcurrency",
        "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:GetPolicy",
        "logs:FilterLogEvents",
        "s3:GetBucketPolicy",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
        "scheduler:GetSchedule",
        "sns:ListSubscriptionsByTopic",
        "sqs:GetQueueAttributes",
    ),
    "preflight": (
        "backup:DescribeRecoveryPoint",
        "backup:ListBackupVaults",
        "backup:ListRecoveryPointsByBackupVault",
        "backup:ListTags",
        "ec2:DescribeSnapshots",
    ),
    "preflight --as": ("iam:SimulatePrincipalPolicy",),
    "report": _REPORT,
    "evidence": (*_REPORT, *_OF_A_VERSION),
    "verify": (
        "cloudformation:DescribeStacks",
        "kms:Decrypt",
        "s3:GetObject",
        "s3:GetObjectRetention",
        "s3:GetObjectVersion",
    ),
    "replay": _REPLAY,
    "replay --failed": (*_REPLAY, "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"),
}
"""All commands also call sts:GetCallerIdentity, which needs no permission. kms:Decrypt is what S3 asks for when it
reads a report."""
