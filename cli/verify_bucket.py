"""The second half of `search-coverage verify`: holds a pack against the bucket that it came from."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.aws_errors import is_denied, is_missing, summarize
from cli.deployment import Deployment
from cli.doctor.finding import Finding, State
from cli.evidence import lock_of, version_of
from cli.pack import PackedFile, digest
from cli.verify import Opened
from search_coverage.names import SUMMARY_JSON


def verify_against_bucket(deployment: Deployment, opened: Opened) -> Iterator[tuple[str, Finding]]:
    """Check that S3 still has each version of a pack, with the same content and lock.

    Only the buckets of the stack are asked, whatever the manifest says: a forged one must not send anybody elsewhere.
    """
    manifest = opened.manifest
    if (manifest["account"], manifest["region"]) != (deployment.account, deployment.region):
        place = f"account {manifest['account']}, Region {manifest['region']}"
        yield "bucket", _unknown(f"Not compared with the bucket: the report is of {place}. {deployment.identity}")
        return
    ours = {deployment.output("ReportBucketName"), deployment.outputs.get("ResultsBucketName")}
    s3 = deployment.client("s3")
    for file in opened.files.values():
        if file.bucket not in ours:
            yield f"S3: {file.name}", _wrong(f"{file.bucket} is not a bucket of this stack.")
        else:
            yield f"S3: {file.name}", _compare(s3, file, deployment.account)


def _compare(s3: Any, file: PackedFile, owner: str) -> Finding:
    try:
        sha256, _ = digest(s3.get_object(**version_of(file, owner))["Body"])
        lock = lock_of(s3, file)
        current = s3.head_object(Bucket=file.bucket, Key=file.key).get("VersionId")
    except ClientError as error:
        if is_denied(error):
            return _unknown(f"Not compared: {summarize(error)}.")
        if is_missing(error) or "InvalidArgument" in str(error):
            return _wrong("S3 has no such version: it was deleted, or it has never existed.")
        raise
    if sha256 != file.sha256:
        return _wrong(f"In S3, this version has the SHA-256 {sha256}.")
    if file.name == SUMMARY_JSON and current != file.versionId:
        found = f"The same in S3; but the report was made again since: version {current} is the current one."
        return Finding(State.ATTENTION, found, "Make a new pack")
    return _lock(lock, file.lockedUntil)


def _lock(lock: str | None, said: str | None) -> Finding:
    if said and not lock:
        return _unknown(f"The same in S3; locked until {said} by the manifest, and S3 shows you no lock.")
    if said and lock and datetime.fromisoformat(lock) < datetime.fromisoformat(said):
        return _wrong(f"The manifest says that it is locked until {said}, and S3 until {lock}.")
    return Finding(State.OK, f"The same in S3, {f'locked until {lock}' if lock else 'not locked'}.")


def _wrong(found: str) -> Finding:
    return Finding(State.WRONG, found)


def _unknown(found: str) -> Finding:
    return Finding(State.UNKNOWN, found)
