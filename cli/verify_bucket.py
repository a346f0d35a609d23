"""The second half of `search-coverage verify`: holds a pack against the buckets that it came from."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.aws_errors import code_of, is_denied, is_missing, sentence_about, summarize
from cli.deployment import Deployment
from cli.doctor.finding import Finding, State
from cli.errors import CommandError
from cli.object_version import version_of, with_lock
from cli.pack import RESULTS, UNKNOWN, PackedFile, digest
from cli.verify import Opened, ok, unknown, wrong
from search_coverage.names import SUMMARY_JSON


def verify_against_bucket(deployment: Deployment, opened: Opened) -> Iterator[tuple[str, Finding]]:
    """Check that S3 still has each version of a pack, with the same content and lock.

    Only the buckets of the stack are asked, whatever the manifest says: a forged one must not send anybody elsewhere.
    """
    account, region = opened.said["account"], opened.said["region"]
    if (account, region) != (deployment.account, deployment.region):
        found = f"The report is of account {account}, Region {region}. {deployment.identity}"
        yield "bucket", not_compared(found)
        return
    try:
        bucket, bucket_of_results = deployment.output("ReportBucketName"), deployment.outputs.get("ResultsBucketName")
    except (CommandError, ClientError, BotoCoreError) as error:
        known = error.format_message() if isinstance(error, CommandError) else sentence_about(error)
        yield "bucket", not_compared(known)
        return
    s3 = deployment.client("s3")
    for name, file in opened.files.items():
        ours = bucket_of_results if name in RESULTS else bucket
        if name in RESULTS and ours is None:
            finding = unknown("Not compared: this stack keeps no results (any more).")
        elif file.bucket != ours:
            finding = wrong(f"{file.bucket} is not the bucket of this stack for it, which is {ours}.")
        else:
            finding = _compare(s3, file, deployment.account)
        yield f"S3: {name}", finding


def not_compared(why: str) -> Finding:
    """Report that the bucket was not asked, and why."""
    return unknown(f"Not compared with the bucket: {why}")


def _compare(s3: Any, file: PackedFile, owner: str) -> Finding:
    try:
        return _look_at(s3, file, owner)
    except ClientError as error:
        # Of a text that is no version, S3 says InvalidArgument; of a delete marker, MethodNotAllowed
        if not is_missing(error) and code_of(error) not in {"InvalidArgument", "MethodNotAllowed"}:
            return unknown(f"Not compared: {summarize(error)}.")
        if file.name in RESULTS:
            return unknown("S3 no longer has it: results have a retention of their own. The summary has its SHA-256.")
        return wrong("S3 has no such version: it was deleted, or it has never existed.")
    except BotoCoreError as error:
        return unknown(f"Not compared: {summarize(error)}.")


def _look_at(s3: Any, file: PackedFile, owner: str) -> Finding:
    sha256, _ = digest(s3.get_object(**version_of(file, owner))["Body"])
    if sha256 != file.sha256:
        return wrong(f"In S3, this version has the SHA-256 {sha256}.")
    finding = _lock(with_lock(s3, file, owner), file)
    if file.name != SUMMARY_JSON or finding.state is State.WRONG:
        return finding
    return _newer(s3, file, owner) or finding


def _newer(s3: Any, file: PackedFile, owner: str) -> Finding | None:
    """Look for a summary that replaced this one: there may be a better pack, and this one is no worse for it."""
    try:
        version = s3.head_object(Bucket=file.bucket, Key=file.key, ExpectedBucketOwner=owner).get("VersionId")
    except ClientError as error:
        if is_denied(error):
            return unknown(f"The same in S3; whether it is the current version is not known: {summarize(error)}.")
        found = "The same in S3; but it is no longer the current version: somebody deleted the report."
        return Finding(State.ATTENTION, found, "Find out who did, and restore it")
    if version == file.versionId:
        return None
    found = f"The same in S3; but the report was made again since: version {version} is the current one."
    return Finding(State.ATTENTION, found, "Make a new pack")


def _lock(now: PackedFile, said: PackedFile) -> Finding:
    """Hold the lock that S3 has against the one of the manifest: it may be longer, never shorter or weaker."""
    lock = "is not locked" if now.lockedUntil is None else f"is locked until {now.lockedUntil} ({now.lockMode})"
    if now.lockedUntil == UNKNOWN:
        return unknown("The same in S3; you may not see until when it is locked.")
    if said.lockedUntil in {None, UNKNOWN}:
        return ok(f"The same in S3, where it {lock}.")
    is_shorter = now.lockedUntil is None or _is_before(now.lockedUntil, str(said.lockedUntil))
    if is_shorter or (said.lockMode, now.lockMode) == ("COMPLIANCE", "GOVERNANCE"):
        return wrong(f"By the manifest, it is locked until {said.lockedUntil} ({said.lockMode}); in S3, it {lock}.")
    return ok(f"The same in S3, where it {lock}.")


def _is_before(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) < datetime.fromisoformat(other)
