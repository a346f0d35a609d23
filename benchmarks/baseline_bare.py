"""Baseline "bare": HTTP, JSON and CSV of the standard library, unsigned, without retries, messages or checks.

It is the lower bound for any SDK, and not a program to run against AWS.
"""

import csv
import http.client
import io
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks import meter

COLUMNS = (
    "BackupResourceArn",
    "ResourceType",
    "SourceResourceArn",
    "BackupCreationTime",
    "IndexCreationTime",
    "Status",
    "StatusMessage",
)


def connect(url: str) -> http.client.HTTPConnection:
    address = urlsplit(url)
    return http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)


def send(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
    connection.request(method, path, body)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path} was answered with {answer.status}.")
    return content


def moment(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def main(search_job: str) -> None:
    """Write the excluded backups to S3 as CSV."""
    search = connect(os.environ["AWS_ENDPOINT_URL_BACKUPSEARCH"])
    s3 = connect(os.environ["AWS_ENDPOINT_URL"])
    meter.mark()

    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    listed = failed = 0
    token = ""
    while True:
        path = f"/search-jobs/{search_job}/backups?maxResults=1000" + (f"&nextToken={quote(token)}" if token else "")
        page: dict[str, Any] = json.loads(send(search, "GET", path))
        for backup in page["Results"]:
            listed += 1
            if backup.get("Status") == "COMPLETED" and not backup.get("StatusMessage"):
                continue
            failed += backup.get("Status") == "FAILED"
            for name in ("BackupCreationTime", "IndexCreationTime"):
                backup[name] = moment(backup.get(name))
            table.writerow([backup.get(name, "") for name in COLUMNS])
        token = page.get("NextToken", "")
        if not token:
            break
    send(s3, "PUT", f"/{os.environ['REPORT_BUCKET']}/reports/{search_job}.csv", text.getvalue().encode())
    meter.mark()
    meter.print_marks(backups={"listed": listed, "failed": failed})


if __name__ == "__main__":
    main(sys.argv[1])
