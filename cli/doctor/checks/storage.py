"""Are the keys, the bucket and the table as the stack made them?"""

import json
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section

_KEY: Final = "AWS::KMS::Key"
_KEY_OF_THE_REPORTS: Final = "ReportStoreKey"
_KEY_OF_THE_MESSAGES: Final = "AlertsKey"

_DENIED: Final = {
    "OnlyTheReportFunctionWritesReports": "others can write reports",
    "NothingIsReplicatedIntoTheEvidence": "others can replicate reports into it",
    "NobodyLiftsALock": "others can lift a lock",
}
"""The statements of the bucket's policy that make the reports evidence, and what can happen without them."""


def key_of_the_reports(deployment: Deployment) -> Finding:
    """Look at the key that encrypts the bucket."""
    return _key(deployment, _KEY_OF_THE_REPORTS, "no report can be written or read")


def key_of_the_messages(deployment: Deployment) -> Finding:
    """Look at the key of the two topics."""
    return _key(deployment, _KEY_OF_THE_MESSAGES, "no report and no alarm can be told")


def bucket(deployment: Deployment) -> Finding:
    """Look at the bucket of the reports."""
    name = deployment.output("ReportBucketName")
    s3 = deployment.client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no bucket {name}.", "See who deleted it, and put it back", Section.CHANGED)
        raise
    faults = [
        *_versioning(s3.get_bucket_versioning(Bucket=name)),
        *_encryption(s3, name, deployment.resource(_KEY, named=_KEY_OF_THE_REPORTS)),
        *_policy(s3, name),
    ]
    if faults:
        return wrong(f"{name} {', and '.join(faults)}.", "See who changed it, and undo it", Section.CHANGED)
    return ok("It is there, versioned, encrypted with its own key, and only the report function may write reports.")


def table(deployment: Deployment) -> Finding:
    """Look at the table that keeps reports from being made twice."""
    name = deployment.output("IdempotencyTableName")
    try:
        status = deployment.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"]
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no table {name}.", "Make it again under its old name", Section.TABLE_DELETED)
        raise
    if status in {"CREATING", "UPDATING"}:
        return attention(f"{name} is {status}.", "Wait until it is ACTIVE, and look again", Section.TABLE_DELETED)
    if status != "ACTIVE":
        return wrong(f"{name} is {status}.", "See who changed it, and put it back", Section.TABLE_DELETED)
    return ok("It is ACTIVE.")


def _key(deployment: Deployment, construct: str, without: str) -> Finding:
    key = deployment.resource(_KEY, named=construct)
    try:
        metadata = deployment.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        if is_missing(error):
            return wrong(
                f"There is no key {key}: {without}.",
                "See who deleted it; what it encrypted cannot be read any more",
                Section.CHANGED,
            )
        raise
    state = metadata["KeyState"]
    if state == "PendingDeletion":
        date = metadata.get("DeletionDate")
        when = f" on {date:%Y-%m-%d}" if date else ""
        return wrong(
            f"{key} is going to be deleted{when}: {without}, and afterwards never again.",
            f"Save it now: aws kms cancel-key-deletion --key-id {key}; aws kms enable-key --key-id {key}",
            Section.CHANGED,
        )
    if state != "Enabled":
        return wrong(f"{key} is {state}: {without}.", f"aws kms enable-key --key-id {key}", Section.CHANGED)
    return ok("It is Enabled.")


def _versioning(answer: dict[str, Any]) -> list[str]:
    status = answer.get("Status", "Off")
    return [] if status == "Enabled" else [f"keeps no versions (versioning is {status})"]


def _encryption(s3: Any, name: str, key: str) -> list[str]:
    try:
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if is_missing(error):
            return ["is not encrypted"]
        raise
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    used = [each.get("KMSMasterKeyID") or each.get("SSEAlgorithm", "nothing") for each in defaults] or ["nothing"]
    # The key may be written as its id or as its ARN.
    return (
        []
        if used[0].rsplit("/", 1)[-1] == key.rsplit("/", 1)[-1]
        else [f"is encrypted with {used[0]}, not with the key of the stack"]
    )


def _policy(s3: Any, name: str) -> list[str]:
    try:
        statements = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    except ClientError as error:
        if is_missing(error):
            return ["has no policy, so that not only the report function can write reports"]
        raise
    there = {statement.get("Sid") for statement in statements}
    return [f"has a policy without {sid}, so that {loss}" for sid, loss in _DENIED.items() if sid not in there]
