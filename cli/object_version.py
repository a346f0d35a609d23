"""One version of an object in S3: which one it is, and until when it is locked."""

from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.aws_errors import code_of, is_denied
from cli.pack import UNKNOWN, PackedFile
from search_coverage.coverage.timestamp import utc_text

_NOT_LOCKED: Final = frozenset({"NoSuchObjectLockConfiguration", "InvalidRequest"})
"""What S3 answers about the lock of an object without one, and in a bucket without Object Lock."""


def version_of(file: PackedFile, owner: str) -> dict[str, str]:
    """Return the parameters of S3 that name the very version of a file, in a bucket of this account alone."""
    parameters = {"Bucket": file.bucket, "Key": file.key, "ExpectedBucketOwner": owner}
    return parameters | ({"VersionId": file.versionId} if file.versionId else {})


def with_lock(s3: Any, file: PackedFile, owner: str) -> PackedFile:
    """Return a file with its lock and its time as S3 has them.

    HeadObject leaves the lock out for a caller without s3:GetObjectRetention; GetObjectRetention says so.
    """
    head = s3.head_object(**version_of(file, owner))
    until, mode = utc_text(head.get("ObjectLockRetainUntilDate")), head.get("ObjectLockMode")
    if until is None:
        try:
            retention = s3.get_object_retention(**version_of(file, owner)).get("Retention", {})
            until, mode = utc_text(retention.get("RetainUntilDate")), retention.get("Mode")
        except ClientError as error:
            if is_denied(error):
                until = mode = UNKNOWN
            elif code_of(error) not in _NOT_LOCKED:
                raise
    return replace(file, lockedUntil=until, lockMode=mode, lastModified=utc_text(head["LastModified"]))
