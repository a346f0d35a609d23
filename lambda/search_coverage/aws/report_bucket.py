"""The bucket that keeps the reports."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import doing
from search_coverage.coverage.search_job import SearchJob
from search_coverage.report.json_text import readable_json
from search_coverage.report.keys import day_prefix, reported_search_job, reports_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ReportBucket:
    """Writes reports, and tells which search jobs have one. Encryption and retention are the bucket's own."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Upload a file, in parts where it is large."""
        with doing(f"Writing s3://{self.name}/{key}"):
            self._client.upload_file(str(path), self.name, key, ExtraArgs={"ContentType": content_type})

    def put_summary(self, key: str, summary: dict[str, Any]) -> None:
        """Write a summary, whole or not at all."""
        with doing(f"Writing s3://{self.name}/{key}"):
            self._client.put_object(
                Bucket=self.name, Key=key, Body=readable_json(summary).encode(), ContentType="application/json"
            )

    def summary(self, key: str) -> dict[str, Any] | None:
        """Read a summary; None if there is none.

        S3 says "no such key" only to who may list the bucket; to others it says "access denied".
        """
        with doing(f"Reading s3://{self.name}/{key}"):
            try:
                body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
                summary: dict[str, Any] = json.loads(body.read())
            except self._client.exceptions.NoSuchKey:
                return None
        return summary

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
