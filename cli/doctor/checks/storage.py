"""Checks that the KMS keys, the bucket and the table are as the stack created them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.aws_errors import is_missing
from cli.deployment import Deployment
from cli.doctor.finding import Finding, State, attention, ok, wrong, wrong_if_missing
from cli.doctor.section import Section

_KEY: Final = "AWS::KMS::Key"
_KEY_OF_THE_REPORTS: Final = "ReportStoreKey"
_KEY_OF_THE_MESSAGES: Final = "AlertsKey"
_KEY_OF_THE_RESULTS: Final = "ResultsStoreKey"

_DENIALS: Final = {
    "OnlyTheReportFunctionWritesReports": "others can write reports",
    "NothingIsReplicatedIntoTheEvidence": "others can replicate reports into it",
    "NobodyLiftsALock": "others can remove a lock",
}
_DENIALS_OF_POSTURES: Final = {"OnlyThePostureFunctionWritesPostures": "others can write postures"}
_DENIALS_OF_RESULTS: Final = {
    "OnlyTheReportFunctionWritesResults": "others can write results",
    "NothingIsReplicatedIntoTheResults": "others can replicate results into it",
}
"""The statements of the bucket policies that protect the reports as evidence, and what is possible without them."""


def key_of_the_reports(deployment: Deployment) -> Finding:
    """Check the key that encrypts the bucket."""
    return _key(deployment, _KEY_OF_THE_REPORTS, "no report can be written or read")


def key_of_the_messages(deployment: Deployment) -> Finding:
    """Check the key of the two topics."""
    return _key(deployment, _KEY_OF_THE_MESSAGES, "no report and no alarm can be sent")


def bucket(deployment: Deployment) -> Finding:
    """Check the bucket of the reports."""
    name = deployment.output("ReportBucketName")
    s3 = deployment.client("s3")
    with wrong_if_missing(f"bucket {name}"):
        s3.head_bucket(Bucket=name)
    key = deployment.resource(_KEY, named=_KEY_OF_THE_REPORTS)
    denials = {**_DENIALS, **(_DENIALS_OF_POSTURES if "PostureFunctionName" in deployment.outputs else {})}
    faults = [*_versioning(s3, name), *_encryption(s3, name, key), *_policy(s3, name, denials)]
    if faults:
        return wrong(f"{name} {', and '.join(faults)}.", "Find out who changed it, and undo it")
    return ok("Versioned, encrypted with its own key, and only the report function can write reports.")


def bucket_of_results(deployment: Deployment) -> Finding:
    """Check the bucket of the results and its key, where results are kept."""
    name, s3 = deployment.outputs.get("ResultsBucketName"), deployment.client("s3")
    if not name:
        return ok("Results are not kept (setting keepResults).")
    with wrong_if_missing(f"bucket {name}"):
        s3.head_bucket(Bucket=name)
    key = deployment.resource(_KEY, named=_KEY_OF_THE_RESULTS)
    faults = [*_versioning(s3, name), *_encryption(s3, name, key), *_policy(s3, name, _DENIALS_OF_RESULTS)]
    if faults:
        return wrong(f"{name} {', and '.join(faults)}.", "Find out who changed it, and undo it")
    finding = _key(deployment, _KEY_OF_THE_RESULTS, "no result can be written or read")
    return finding if finding.state is not State.OK else ok(f"{name} is versioned and encrypted with its own key.")


def table(deployment: Deployment) -> Finding:
    """Check the table of leases and notifications."""
    name = deployment.output("IdempotencyTableName")
    with wrong_if_missing(f"table {name}", Section.TABLE_DELETED, "Create it again under its old name"):
        status = deployment.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"]
    if status in {"CREATING", "UPDATING"}:
        return attention(f"{name} is {status}.", "Wait until it is ACTIVE, and check again", Section.TABLE_DELETED)
    if status != "ACTIVE":
        return wrong(f"{name} is {status}.", "Find out who changed it, and undo it", Section.TABLE_DELETED)
    return ok("ACTIVE.")


def _key(deployment: Deployment, construct: str, consequence: str) -> Finding:
    key = deployment.resource(_KEY, named=construct)
    lost = "Find out who deleted it; what it encrypted is lost for good"
    with wrong_if_missing(f"key {key}: {consequence}", remedy=lost):
        metadata = deployment.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    state, enable = metadata["KeyState"], f"aws kms enable-key --key-id {key}"
    if state == "PendingDeletion":
        date = metadata.get("DeletionDate")
        when = f" on {date:%Y-%m-%d}" if date else ""
        found = f"{key} will be deleted{when}: {consequence}, and after the deletion never again."
        return wrong(found, f"Save it now: aws kms cancel-key-deletion --key-id {key}; {enable}")
    if state != "Enabled":
        return wrong(f"{key} is {state}: {consequence}.", enable)
    return ok("Enabled.")


def _versioning(s3: Any, name: str) -> Iterator[str]:
    status = s3.get_bucket_versioning(Bucket=name).get("Status", "Off")
    if status != "Enabled":
        yield f"keeps no versions (versioning is {status})"


def _encryption(s3: Any, name: str, key: str) -> Iterator[str]:
    try:
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if not is_missing(error):
            raise
        yield "is not encrypted"
        return
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules] or [{}]
    used = defaults[0].get("KMSMasterKeyID") or defaults[0].get("SSEAlgorithm", "nothing")
    if used.rsplit("/", 1)[-1] != key.rsplit("/", 1)[-1]:  # the rule holds the id of the key, or its ARN
        yield f"is encrypted with {used}, not with the key of the stack"


def _policy(s3: Any, name: str, denials: Mapping[str, str]) -> Iterator[str]:
    try:
        statements = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    except ClientError as error:
        if not is_missing(error):
            raise
        yield f"has no policy, so {next(iter(denials.values()))}"
        return
    present = {statement.get("Sid") for statement in statements}
    for sid, consequence in denials.items():
        if sid not in present:
            yield f"has a policy without {sid}, so {consequence}"
