"""The bucket that keeps the reports."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import doing
from search_coverage.coverage.search_job import SearchJob
from search_coverage.report.json_text import compact_json, readable_json
from search_coverage.report.keys import day_prefix, reported_search_job, reports_prefix

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from mypy_boto3_s3 import S3Client


_LARGE_BYTES = 8 * 1024 * 1024  # from here on boto3's own transfer, with its threads and parts, is worth its start
_REQUEST_ID = "request-id"


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A summary as it lies in the bucket, and the request that it was made for."""

    content: dict[str, Any]
    request_id: str | None


class ReportBucket:
    """Writes reports, and tells which search jobs have one. Encryption and retention are the bucket's own."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Upload a file, in parts where it is large; neither is ever in memory as a whole."""
        with doing(f"Writing s3://{self.name}/{key}"):
            if path.stat().st_size > _LARGE_BYTES:
                self._client.upload_file(
                    str(path), self.name, key, ExtraArgs={"ContentType": content_type}, Config=_one_part_at_a_time()
                )
                return
            with path.open("rb") as file:
                self._client.put_object(Bucket=self.name, Key=key, Body=file, ContentType=content_type)

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str) -> None:
        """Write a summary, whole or not at all, with the request that it was made for."""
        with doing(f"Writing s3://{self.name}/{key}"):
            self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=readable_json(summary).encode(),
                ContentType="application/json",
                Metadata={_REQUEST_ID: request_id},
            )

    def put_summary_line(self, key: str, summary: dict[str, Any]) -> None:
        """Write a summary as one line: Athena's JSON readers take a line for a record (decision 0012)."""
        with doing(f"Writing s3://{self.name}/{key}"):
            self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=compact_json(summary).encode() + b"\n",
                ContentType="application/json",
            )

    def remove_summary(self, key: str) -> None:
        """Take the mark off a report; in a versioned bucket the summary itself stays."""
        with doing(f"Removing s3://{self.name}/{key}"):
            self._client.delete_object(Bucket=self.name, Key=key)

    def summary(self, key: str) -> StoredSummary | None:
        """Read a summary; None if there is none.

        S3 says "no such key" only to who may list the bucket; to others it says "access denied".
        """
        with doing(f"Reading s3://{self.name}/{key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
            return StoredSummary(json.loads(answer["Body"].read()), answer["Metadata"].get(_REQUEST_ID))

    def reported(self, jobs: Iterable[SearchJob], earliest: date) -> set[str]:
        """Tell which of these search jobs have a whole report, by identifier.

        One listing answers for all of them: keys sort by day, and it begins at the first day that one of them was
        created (a report lies under the day its job ended, which is not before).

        Args:
            earliest: The first day to look at for a job that has no date.
        """
        first_days: dict[tuple[str, str], date] = defaultdict(lambda: date.max)
        for job in jobs:
            owner = job.arn.account, job.arn.region
            first_days[owner] = min(first_days[owner], job.first_date or earliest)
        found: set[str] = set()
        for (account, region), first_day in first_days.items():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name,
                Prefix=reports_prefix(account, region),
                StartAfter=day_prefix(account, region, first_day),
            )
            with doing(f"Listing the reports in s3://{self.name}"):
                for page in pages:
                    found.update(
                        filter(None, (reported_search_job(entry["Key"]) for entry in page.get("Contents", [])))
                    )
        return found


def _one_part_at_a_time() -> "TransferConfig":
    """Spare the ten threads that boto3 would start: each keeps memory of its own, and the network is no faster."""
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - only a large report needs it

    return TransferConfig(multipart_threshold=_LARGE_BYTES, multipart_chunksize=2 * _LARGE_BYTES, use_threads=False)
