"""Objects in S3 that only the owner of a lease replaces or removes.

An attempt that was frozen may wake up when another has made the report. So every write has a condition: the key must be
free, or hold what this attempt saw there before it confirmed its lease. S3 refuses to replace
what a successor has written since (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html).
"""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from search_coverage.aws.errors import reading
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.use_cases.ports import Lease

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PART_BYTES = 16 * 1024 * 1024  # a larger file goes up in parts of this size; S3 takes 10,000 of them
_TRIES = 4  # against what predecessors still write; each of them can do so once per key
_PAUSE_SECONDS = 0.5
_WRITE = "write"

_IF_FREE: Mapping[str, str] = {"IfNoneMatch": "*"}
# Another object, another write at this moment, nothing to match, or an upload that is complete: its answer got lost.
_REFUSALS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NoSuchUpload"})

_Send = Callable[[dict[str, str], Mapping[str, str]], Any]
"""Sends an object with this metadata under this condition."""


@dataclass(frozen=True, slots=True)
class Written:
    """An object as it was written; without a version where the bucket has no versions."""

    etag: str
    version_id: str | None

    @classmethod
    def of(cls, answer: Any) -> Self:
        """Read S3's answer to a write, or to a look."""
        return cls(answer["ETag"], answer.get("VersionId"))


class GuardedObjects:
    """The objects of a bucket. Every write raises `LeaseLost` where another attempt has taken over."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client: Any = client  # whose type does not know a condition that is passed on as a mapping
        self._bucket = bucket

    def put_text(
        self, key: str, text: str, lease: Lease, metadata: Mapping[str, str] | None = None, seen: str | None = None
    ) -> Written:
        """Write JSON; ``seen`` is the ETag of what is there, if this attempt knows it."""
        body = text.encode()

        def put(own_metadata: dict[str, str], condition: Mapping[str, str]) -> Any:
            return self._client.put_object(
                **self._at(key),
                Body=body,
                ContentType="application/json",
                Metadata={**(metadata or {}), **own_metadata},
                **condition,
            )

        return self._write(key, put, lease, {"IfMatch": seen} if seen else _IF_FREE)

    def put_if_free(self, key: str, text: str) -> None:
        """Write JSON where nothing is; what is there stays."""
        put = partial(self._client.put_object, **self._at(key), Body=text.encode(), ContentType="application/json")
        _unless_refused(f"Writing {self._url(key)}", partial(put, **_IF_FREE))

    def put_file(self, key: str, path: Path, content_type: str, lease: Lease) -> Written:
        """Upload a file, in parts where it is large; neither is ever in memory as a whole."""
        options = {"ContentType": content_type}

        def put(metadata: dict[str, str], condition: Mapping[str, str]) -> Any:
            with path.open("rb") as file:
                return self._client.put_object(**self._at(key), Body=file, **options, Metadata=metadata, **condition)

        def put_parts(metadata: dict[str, str], condition: Mapping[str, str]) -> Any:
            return self._upload_in_parts(path, self._at(key), {**options, "Metadata": metadata}, condition)

        if path.stat().st_size > _PART_BYTES:
            return self._write(key, put_parts, lease, None)
        return self._write(key, put, lease, _IF_FREE)

    def remove(self, key: str, lease: Lease, etag: str | None) -> None:
        """Remove an object; ``etag`` is that of the object as this attempt saw it. Without it, it looks first."""
        what = f"Removing {self._url(key)}"
        for _ in range(_TRIES):
            if etag is None:
                found = self.head(key, what)
                lease.confirm()
                if found is None:
                    return
                with reading(what):
                    etag = found["ETag"]
            if _unless_refused(what, partial(self._client.delete_object, **self._at(key), IfMatch=etag)):
                return
            etag = None
        raise AwsCallFailed(
            f"{what} failed: it was changed by another writer {_TRIES} times, although this attempt holds the lease on "
            "the report. Lambda tries again."
        )

    def head(self, key: str, what: str) -> Any:
        """Read the metadata of an object; None if there is none."""
        with reading(what):
            try:
                return self._client.head_object(**self._at(key))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return None
                raise

    def _write(self, key: str, send: _Send, lease: Lease, condition: Mapping[str, str] | None) -> Written:
        """Send an object under the condition that nothing is there, or what was seen before the lease was confirmed.

        Args:
            condition: That of the first try. Without it, look before: a try may cost more than a look.
        """
        what, write = f"Writing {self._url(key)}", uuid.uuid4().hex
        if condition is None:
            condition, _ = self._seen(key, write, lease, what)
        for number in range(_TRIES):
            if answer := _unless_refused(what, partial(send, {_WRITE: write}, condition)):
                with reading(what):
                    return Written.of(answer)
            time.sleep(number * _PAUSE_SECONDS)  # of two writes at the same moment S3 refuses one
            condition, ours = self._seen(key, write, lease, what)
            if ours:
                return ours
        raise AwsCallFailed(
            f"{what} failed: S3 refused it {_TRIES} times, because another writer changes it, although this attempt "
            "holds the lease on the report. Lambda tries again."
        )

    def _seen(self, key: str, write: str, lease: Lease, what: str) -> tuple[Mapping[str, str], Written | None]:
        """Read what is there, then confirm the lease; return the condition for a write.

        Returns:
            The condition; and what is there, if it is of this very write, and S3's answer got lost on the way.
        """
        found = self.head(key, what)
        with reading(what):
            if found and found["Metadata"].get(_WRITE) == write:
                return {}, Written.of(found)
            condition = {"IfMatch": found["ETag"]} if found else _IF_FREE
        lease.confirm()
        return condition, None

    def _upload_in_parts(
        self, path: Path, target: dict[str, str], options: dict[str, Any], condition: Mapping[str, str]
    ) -> Any:
        """Upload a file part by part, one at a time: threads would keep memory of their own, and be no faster."""
        from s3transfer.utils import ReadFileChunk  # noqa: PLC0415 - only a large report needs it

        client = self._client
        upload = {**target, "UploadId": client.create_multipart_upload(**target, **options)["UploadId"]}
        try:
            parts = []
            for number, start in enumerate(range(0, path.stat().st_size, _PART_BYTES), start=1):
                with ReadFileChunk.from_filename(str(path), start, _PART_BYTES) as body:
                    answer = client.upload_part(**upload, PartNumber=number, Body=body)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
            return client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
        except BaseException:
            with suppress(ClientError, BotoCoreError):  # the bucket itself removes what is left of it, after a day
                client.abort_multipart_upload(**upload)
            raise

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": key}

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"


def _unless_refused(what: str, call: Callable[[], Any]) -> Any:
    """Make a conditional call; None if S3 refuses it because its condition does not hold, or for another write."""
    with reading(what):
        try:
            return call()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _REFUSALS:
                return None
            raise
