"""The bucket that keeps the reports."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from search_coverage.aws.errors import reading
from search_coverage.aws.guarded_objects import GuardedObjects
from search_coverage.coverage.search_job import SearchJob
from search_coverage.names import NOTIFICATION_PENDING_JSON, RESULTS_PENDING_JSON, SERVICE, SUMMARY_JSON
from search_coverage.report.files.json_text import compact_json, readable_json
from search_coverage.report.files.keys import day_prefix, reports_prefix, search_job_and_name
from search_coverage.use_cases.ports import Lease, LeaseLost, StoredJson, StoredSummary

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_REQUEST_ID = "request-id"

_RELIED_ON: Mapping[str, type] = {
    "verdict": str,
    "backups": dict,
    "excludedByReason": dict,
    "files": dict,
    "notification": dict,
    "generatedAt": str,
}

_PIECE_BYTES = 1024 * 1024
_PENDING = (NOTIFICATION_PENDING_JSON, RESULTS_PENDING_JSON)

_logger = Logger(service=SERVICE, child=True)


class ReportBucket:
    """Implements `ports.ReportStore`, `ports.FileStore`, `ports.ReportedJobs` and `posture_ports.PostureStore`.

    Encryption and retention are the bucket's own.
    """

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self._objects = GuardedObjects(client, name)
        self.name = name

    def put_file(self, key: str, path: Path, content_type: str, lease: Lease) -> str | None:
        """Upload a file, in parts where it is large."""
        return self._objects.put_file(key, path, content_type, lease).version_id

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: Lease) -> None:
        """Write a summary; remove it again if it landed where a replay had just removed the mark."""
        etag = self._objects.put_text(key, readable_json(summary), lease, {_REQUEST_ID: request_id}).etag
        try:
            lease.confirm()
        except LeaseLost:
            self.remove(key, lease, etag)
            raise

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: Lease, seen: str | None = None) -> str:
        """Write a summary as one line: Athena's JSON readers take a line for a record (decision 0012)."""
        return self._objects.put_text(key, compact_json(summary) + "\n", lease, seen=seen).etag

    def put_json(self, key: str, content: dict[str, Any], lease: Lease, seen: str | None = None) -> str:
        """Write a small object; return its ETag."""
        return self._objects.put_text(key, readable_json(content), lease, seen=seen).etag

    def keys_after(self, key: str, at_most: int) -> list[str]:
        """Return the next keys in the folder of a key."""
        folder = f"{key.rpartition('/')[0]}/"
        with reading(f"Listing s3://{self.name}/{folder}"):
            answer = self._client.list_objects_v2(Bucket=self.name, Prefix=folder, StartAfter=key, MaxKeys=at_most)
            return [entry["Key"] for entry in answer.get("Contents", [])]

    def keys_between(self, prefix: str, after: str, before: str = "") -> Iterator[str]:
        """List the keys with a prefix that sort after one key and before another, page by page."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, StartAfter=after
        )
        with reading(f"Listing s3://{self.name}/{prefix}"):
            for page in pages:
                for entry in page.get("Contents", []):
                    if before and entry["Key"] >= before:
                        return
                    yield entry["Key"]

    def get_file(self, key: str, path: Path, version_id: str | None = None) -> None:
        """Download an object, or a version of it, piece by piece."""
        version: Any = {"VersionId": version_id} if version_id else {}
        with reading(f"Reading s3://{self.name}/{key}"), path.open("wb") as file:
            answer = self._client.get_object(Bucket=self.name, Key=key, **version)
            for piece in answer["Body"].iter_chunks(_PIECE_BYTES):
                file.write(piece)

    def stored_json(self, key: str) -> StoredJson | None:
        """Read a JSON object. S3 answers "no such key" only to callers that may list the bucket."""
        with reading(f"Reading s3://{self.name}/{key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
            body, request_id, etag = answer["Body"].read(), answer["Metadata"].get(_REQUEST_ID), answer["ETag"]
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        return StoredJson(content if isinstance(content, dict) else None, request_id, etag)

    def put_once(self, key: str, content: dict[str, Any]) -> None:
        """Write a small object, unless there is one."""
        self._objects.put_if_free(key, readable_json(content))

    def remove(self, key: str, lease: Lease, etag: str | None = None) -> None:
        """Remove a mark; in a versioned bucket the object itself stays."""
        self._objects.remove(key, lease, etag)

    def summary(self, key: str) -> StoredSummary | None:
        """Read a summary."""
        stored = self.stored_json(key)
        if stored is None:
            return None
        content = stored.content if _is_summary(stored.content) else None
        if content is None:
            _logger.warning("s3://%s/%s is no summary: it counts as one that has to be made again", self.name, key)
        return StoredSummary(content, stored.request_id, stored.etag)

    def has_files_of(self, summary: dict[str, Any]) -> bool:
        """Compare the versions; a summary that names none (of version 1.0.0, or of such a bucket) is believed."""
        for file in summary["files"].values():
            if version := file.get("versionId"):
                found = self._objects.head(file["key"], f"Looking at s3://{self.name}/{file['key']}")
                if found is None or found.get("VersionId") != version:
                    return False
        return True

    def reported(self, jobs: Iterable[SearchJob], earliest: date) -> set[str]:
        """Return the search jobs with a whole report.

        One listing answers for all of them: keys sort by day, and it begins at the first day that one of them was
        created (a report lies under the day its job ended, which is not before).
        """
        first_days: dict[tuple[str, str], date] = defaultdict(lambda: date.max)
        for job in jobs:
            owner = job.arn.account, job.arn.region
            first_days[owner] = min(first_days[owner], job.first_date or earliest)
        found: dict[str, set[str]] = {name: set() for name in (SUMMARY_JSON, *_PENDING)}
        for (account, region), first_day in first_days.items():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name,
                Prefix=reports_prefix(account, region),
                StartAfter=day_prefix(account, region, first_day),
            )
            with reading(f"Listing the reports in s3://{self.name}"):
                for page in pages:
                    for entry in page.get("Contents", []):
                        identifier, name = search_job_and_name(entry["Key"])
                        if name in found:
                            found[name].add(identifier)
        return found[SUMMARY_JSON].difference(*(found[name] for name in _PENDING))


def _is_summary(content: Any) -> bool:
    """Whether JSON is a summary, as far as a later attempt relies on it."""
    try:
        return all(isinstance(content[name], kind) for name, kind in _RELIED_ON.items()) and all(
            isinstance(file["key"], str) for file in content["files"].values()
        )
    except (TypeError, LookupError, AttributeError):
        return False
