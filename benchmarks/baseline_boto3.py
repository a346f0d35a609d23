"""Baseline "plain boto3": a first script, with boto3 and the standard library alone."""

import csv
import io
import json
import os
import sys
from typing import Any

import boto3

from benchmarks import meter

COLUMNS = [
    "BackupResourceArn",
    "ResourceType",
    "SourceResourceArn",
    "BackupCreationTime",
    "IndexCreationTime",
    "Status",
    "StatusMessage",
]
ROWS_A_MESSAGE = 250  # some 100 KB; SNS takes 256 KiB


def is_excluded(backup: Any) -> bool:
    return backup.get("Status") != "COMPLETED" or bool(backup.get("StatusMessage"))


def main(search_job: str) -> None:
    """Write the excluded backups to S3 as CSV, and publish the FAILED ones to SNS."""
    search = boto3.client("backupsearch")
    s3 = boto3.client("s3")
    sns = boto3.client("sns")
    meter.mark()

    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    table.writeheader()
    failed: list[dict[str, Any]] = []
    listed = 0
    pages = search.get_paginator("list_search_job_backups").paginate(
        SearchJobIdentifier=search_job, PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        for backup in page["Results"]:
            listed += 1
            if not is_excluded(backup):
                continue
            row: dict[str, Any] = dict(backup)
            for name in ("BackupCreationTime", "IndexCreationTime"):
                if name in row:
                    row[name] = row[name].isoformat()
            table.writerow(row)
            if row.get("Status") == "FAILED":
                failed.append(row)

    s3.put_object(
        Bucket=os.environ["REPORT_BUCKET"],
        Key=f"reports/{search_job}.csv",
        Body=text.getvalue().encode(),
        ContentType="text/csv",
    )
    for start in range(0, len(failed), ROWS_A_MESSAGE):
        sns.publish(
            TopicArn=os.environ["ALERTS_TOPIC_ARN"],
            Subject="Backups that a search left out",
            Message=json.dumps({"searchJob": search_job, "failed": failed[start : start + ROWS_A_MESSAGE]}),
        )
    meter.mark()
    meter.print_marks(backups={"listed": listed, "failed": len(failed)})


if __name__ == "__main__":
    main(sys.argv[1])
