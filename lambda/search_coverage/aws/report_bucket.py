"""The bucket that keeps the reports.

An attempt that was frozen may wake up when another has made the report. So every write has a condition: the key must be
free, or hold what this attempt saw there before it confirmed its lease. Whatever a successor has written since, S3
refuses to replace (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html).
"""

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from search_coverage.aws.errors import AwsCallFailed, ClaimLost, doing
from search_coverage.coverage.search_job import SearchJob
from search_coverage.names import NOTIFICATION_PENDING_JSON, SERVICE, SUMMARY_JSON
from search_coverage.report.files.json_text import compact_json, readable_json
from search_coverage.report.files.keys import day_prefix, reports_prefix, search_job_and_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from search_coverage.aws.report_lease import ReportLease

_PART_BYTES = 16 * 1024 * 1024  # a larger file goes up in parts of this size; S3 takes 10,000 of them
_TRIES = 4  # against what predecessors still write; each of them can do so once per key
_PAUSE_SECONDS = 0.5
_REQUEST_ID = "request-id"
_WRITE = "write"

_RELIED_ON: Mapping[str, type] = {
    "verdict": str,
    "backups": dict,
    "excludedByReason": dict,
    "files": dict,
    "notification": dict,
    "generatedAt": str,
}

_IF_FREE: Mapping[str, str] = {"IfNoneMatch": "*"}
# Another object, another write at this moment, nothing to match, or an upload that is complete: its answer got lost.
_REFUSALS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NoSuchUpload"})

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A summary as it lies in the bucket, and the request that it was made for.

    Attributes:
        content: None where what lies there is no summary: somebody damaged it.
    """

    content: dict[str, Any] | None
    request_id: str | None
    etag: str

    @property
    def pending(self) -> str | None:
        """Why its messages could not be sent, if so."""
        return self.content["notification"].get("pending") if self.content else None


@dataclass(frozen=True, slots=True)
class _Written:
    """An object as it was written.

    Attributes:
        version_id: None where the bucket has no versions.
    """

    etag: str
    version_id: str | None

    @classmethod
    def of(cls, answer: Any) -> Self:
        return cls(answer["ETag"], answer.get("VersionId"))


class ReportBucket:
    """Writes reports, and tells which search jobs have one. Encryption and retention are the bucket's own."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def put_file(self, key: str, path: Path, content_type: str, lease: "ReportLease") -> str | None:
        """Upload a file, in parts where it is large; neither is ever in memory as a whole.

        Returns:
            The id of the version; None where the bucket has no versions.

        Raises:
            ClaimLost: Another attempt has taken over the report; its files stay.
        """
        if path.stat().st_size > _PART_BYTES:
            send = partial(self._upload_in_parts, key, path, content_type)
            return self._write(key, send, lease, look_first=True).version_id

        def put(options: Mapping[str, Any], condition: Mapping[str, str]) -> Any:
            with path.open("rb") as file:
                return self._client.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=file,
                    ContentType=content_type,
                    **options,
                    **condition,  # type: ignore[arg-type]
                )

        return self._write(key, put, lease).version_id

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: "ReportLease") -> None:
        """Write a summary, whole or not at all, with the request that it was made for.

        Raises:
            ClaimLost: Another attempt has taken over the report. Its summary stays; and if this one came to lie where
                a replay had just taken the mark off, it is taken off again.
        """
        etag = self._put_json(key, readable_json(summary), lease, {_REQUEST_ID: request_id}).etag
        try:
            lease.confirm()
        except ClaimLost:
            self.remove(key, lease, etag)
            raise

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: "ReportLease", seen: str | None = None) -> str:
        """Write a summary as one line: Athena's JSON readers take a line for a record (decision 0012).

        Args:
            seen: The ETag of the line that this attempt has written before, if it has.

        Returns:
            The ETag of the line.

        Raises:
            ClaimLost: Another attempt has taken over the report; its line stays.
        """
        return self._put_json(key, compact_json(summary) + "\n", lease, seen=seen).etag

    def put_notification_pending(self, key: str, why: str, lease: "ReportLease") -> None:
        """Write down that a report still waits for its messages to be sent; the sweeps look for it.

        Raises:
            ClaimLost: Another attempt has taken over the report.
        """
        self._put_json(key, readable_json({"notification": "pending", "why": why}), lease)

    def remove(self, key: str, lease: "ReportLease", etag: str | None = None) -> None:
        """Take a mark off a report; in a versioned bucket the object itself stays.

        Args:
            etag: Of the object as this attempt saw or wrote it. Without it, it looks, and confirms its lease.

        Raises:
            ClaimLost: Another attempt has taken over the report; what it wrote stays.
        """
        with doing(f"Removing s3://{self.name}/{key}"):
            for _ in range(_TRIES):
                if etag is None:
                    found = self._head(key)
                    lease.confirm()
                    if found is None:
                        return
                    etag = found["ETag"]
                try:
                    self._client.delete_object(Bucket=self.name, Key=key, IfMatch=etag)
                except ClientError as error:
                    if not _is_refusal(error):
                        raise
                    etag = None
                else:
                    return
        raise AwsCallFailed(
            f"Removing s3://{self.name}/{key} failed: it was changed by somebody else {_TRIES} times, although this "
            "attempt holds the lease on the report. Lambda tries again."
        )

    def summary(self, key: str) -> StoredSummary | None:
        """Read a summary; None if there is none.

        S3 says "no such key" only to who may list the bucket; to others it says "access denied".
        """
        with doing(f"Reading s3://{self.name}/{key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
            content = _summary_in(answer["Body"].read())
            if content is None:
                _logger.warning("s3://%s/%s is no summary: it counts as one that has to be made again", self.name, key)
            return StoredSummary(content, answer["Metadata"].get(_REQUEST_ID), answer["ETag"])

    def vouched_for(self, summary: dict[str, Any]) -> bool:
        """Tell whether the files of a report are the very versions that its summary names.

        A summary that names no versions, as those of version 1.0.0 and those in a bucket without versions, is believed.
        """
        for file in summary["files"].values():
            if version := file.get("versionId"):
                with doing(f"Looking at s3://{self.name}/{file['key']}"):
                    found = self._head(file["key"])
                if found is None or found.get("VersionId") != version:
                    return False
        return True

    def reported(self, jobs: Iterable[SearchJob], earliest: date) -> set[str]:
        """Tell which of these search jobs have a whole report of which everybody was told, by identifier.

        One listing answers for all of them: keys sort by day, and it begins at the first day that one of them was
        created (a report lies under the day its job ended, which is not before).

        Args:
            earliest: The first day to look at for a job that has no date.
        """
        first_days: dict[tuple[str, str], date] = defaultdict(lambda: date.max)
        for job in jobs:
            owner = job.arn.account, job.arn.region
            first_days[owner] = min(first_days[owner], job.first_date or earliest)
        found: dict[str, set[str]] = {SUMMARY_JSON: set(), NOTIFICATION_PENDING_JSON: set()}
        for (account, region), first_day in first_days.items():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name,
                Prefix=reports_prefix(account, region),
                StartAfter=day_prefix(account, region, first_day),
            )
            with doing(f"Listing the reports in s3://{self.name}"):
                for page in pages:
                    for entry in page.get("Contents", []):
                        identifier, name = search_job_and_name(entry["Key"])
                        if name in found:
                            found[name].add(identifier)
        return found[SUMMARY_JSON] - found[NOTIFICATION_PENDING_JSON]

    def _put_json(
        self,
        key: str,
        text: str,
        lease: "ReportLease",
        metadata: Mapping[str, str] | None = None,
        *,
        seen: str | None = None,
    ) -> "_Written":
        def put(options: Mapping[str, Any], condition: Mapping[str, str]) -> Any:
            return self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=text.encode(),
                ContentType="application/json",
                Metadata={**(metadata or {}), **options["Metadata"]},
                **condition,  # type: ignore[arg-type]
            )

        return self._write(key, put, lease, seen=seen)

    def _write(
        self,
        key: str,
        send: Callable[[Mapping[str, Any], Mapping[str, str]], Any],
        lease: "ReportLease",
        *,
        look_first: bool = False,
        seen: str | None = None,
    ) -> "_Written":
        """Send an object under the condition that nothing is there, or what was seen before the lease was confirmed.

        Args:
            send: Takes the options and the condition of the request.
            look_first: Whether to look before the first try, because a try costs more than a look.
            seen: The ETag of what is there, if this attempt knows it.
        """
        write = uuid.uuid4().hex
        condition = {"IfMatch": seen} if seen else _IF_FREE
        if look_first:
            condition, _ = self._seen(key, write, lease)
        with doing(f"Writing s3://{self.name}/{key}"):
            for number in range(_TRIES):
                try:
                    answer = send({"Metadata": {_WRITE: write}}, condition)
                except ClientError as error:
                    if not _is_refusal(error):
                        raise
                else:
                    return _Written.of(answer)
                time.sleep(number * _PAUSE_SECONDS)  # of two writes at the same moment S3 refuses one
                condition, ours = self._seen(key, write, lease)
                if ours:
                    return ours
        raise AwsCallFailed(
            f"Writing s3://{self.name}/{key} failed: S3 refused it {_TRIES} times, because somebody else writes there, "
            "although this attempt holds the lease on the report. Lambda tries again."
        )

    def _seen(self, key: str, write: str, lease: "ReportLease") -> "tuple[Mapping[str, str], _Written | None]":
        """Look at what is there, then confirm the lease; give the condition for a write.

        Returns:
            The condition; and what is there, if it is of this very write, and S3's answer got lost on the way.
        """
        found = self._head(key)
        if found and found["Metadata"].get(_WRITE) == write:
            return {}, _Written.of(found)
        lease.confirm()
        return ({"IfMatch": found["ETag"]} if found else _IF_FREE), None

    def _upload_in_parts(
        self, key: str, path: Path, content_type: str, options: Mapping[str, Any], condition: Mapping[str, str]
    ) -> Any:
        """Upload a file part by part, one at a time: threads would keep memory of their own, and be no faster."""
        from s3transfer.utils import ReadFileChunk  # noqa: PLC0415 - only a large report needs it

        client: Any = self._client
        target = {"Bucket": self.name, "Key": key}
        upload = {
            **target,
            "UploadId": client.create_multipart_upload(**target, ContentType=content_type, **options)["UploadId"],
        }
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

    def _head(self, key: str) -> Any:
        """Look at an object; None if there is none."""
        try:
            return self._client.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise


def _summary_in(body: bytes) -> dict[str, Any] | None:
    """Read a summary, as far as a later attempt relies on it; None if it is not one."""
    try:
        content = json.loads(body)
        for name, kind in _RELIED_ON.items():
            if not isinstance(content[name], kind):
                return None
        keys = [file["key"] for file in content["files"].values()]
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    return content if all(isinstance(key, str) for key in keys) else None


def _is_refusal(error: ClientError) -> bool:
    """Whether S3 refused a request because its condition does not hold, or because of another at the same moment."""
    return error.response.get("Error", {}).get("Code") in _REFUSALS
