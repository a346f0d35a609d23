"""`search-coverage report`: finds the report of a search job and prints a summary."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

import click
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.aws_errors import code_of
from cli.deployment import QUICK, Deployment
from cli.errors import CommandError, NoSuchReport
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import SearchJob
from search_coverage.report.files.keys import ReportKeys
from search_coverage.report.files.summary import without_item_filters
from search_coverage.report.mail import alert
from search_coverage.use_cases.ports import SearchJobUnknown

_MEMBERS: Final = ("searchJob", "verdict", "verdictReasons", "backups", "excludedByReason", "notification")
_LINK_SECONDS: Final = 300
_SIGNATURE_4: Final = QUICK.merge(Config(signature_version="s3v4"))  # S3 asks for it where KMS encrypts the object


@dataclass(frozen=True, slots=True)
class Report:
    """A report in the bucket: its keys, its summary, and the addresses of its files."""

    bucket: str
    keys: ReportKeys
    summary: Mapping[str, Any]
    console_url: str

    @property
    def is_complete(self) -> bool:
        """Whether the search looked at everything."""
        return bool(self.summary["verdict"] == "COMPLETE")

    @property
    def files(self) -> dict[str, str]:
        """The S3 URIs of the files, by kind."""
        keys = {"html": self.keys.html, "csv": self.keys.csv, "jsonl": self.keys.jsonl, "summary": self.keys.summary}
        return {kind: f"s3://{self.bucket}/{key}" for kind, key in keys.items()}

    @property
    def notification(self) -> str:
        """The state of the messages about the report."""
        notification = self.summary["notification"]
        if pending := notification.get("pending"):
            return f"pending: {pending}"
        sent = len(notification["messageIds"])
        return f"sent, in {sent} message{'' if sent == 1 else 's'}" if sent else "none; the setting notifyOn wants none"

    def as_json(self) -> dict[str, Any]:
        """Return what matters as one document."""
        shown = without_item_filters(self.summary)  # output of a command ends up in logs and tickets
        return {
            **{member: shown[member] for member in _MEMBERS},
            "files": self.files,
            "consoleUrl": self.console_url,
            "generatedAt": self.summary["generatedAt"],
        }

    def as_text(self) -> str:
        """Return what matters as lines for people."""
        job, name = self.summary["searchJob"], self.summary["searchJob"]["name"]
        rows = {
            "Verdict": [self.summary["verdict"]],
            "Reasons": self.summary["verdictReasons"],
            "Search job": [f"{job['identifier']}{f' ({name})' if name else ''}, {job['status']}"],
            "Backups": [counts(self.summary["backups"])],
            "Excluded": [f"{number} {reason}" for reason, number in self.summary["excludedByReason"].items()],
            "Notification": [self.notification],
            "Files": list(self.files.values()),
            "Console": [self.console_url],
        }
        return "\n".join(
            f"{'' if number else label:13} {text}" for label, texts in rows.items() for number, text in enumerate(texts)
        )


def counts(backups: Mapping[str, int]) -> str:
    """Return the numbers of backups as a text."""
    return ", ".join(f"{backups[kind]} {kind}" for kind in ("listed", "searched", "excluded", "failed"))


def find_report(deployment: Deployment, identifier: str) -> Report:
    """Find the report of a search job.

    While AWS knows the search job, the key follows from its date, without a listing. Otherwise the keys of the table of
    summaries are listed: one request per 1,000 reports of the account and Region.

    Raises:
        NoSuchReport: There is none; the text says why and what to do.
    """
    bucket = deployment.output("ReportBucketName")
    try:
        job = BackupSearch(deployment.client("backupsearch")).search_job(identifier)
        keys: ReportKeys | None = ReportKeys.of(job)
        hint = f"The search job is {job.status}; its report follows when it has ended."
        if job.is_terminal:
            hint = f"Create it: search-coverage replay {identifier}"
    except SearchCoverageError as error:
        keys = _listed_keys(deployment, bucket, identifier)
        is_unknown = isinstance(error, SearchJobUnknown)
        hint = (
            "AWS Backup does not know the search job; it deletes one 7 days after its end."
            if is_unknown
            else str(error)
        )
    summary = _summary(deployment, bucket, keys) if keys else None
    if not keys or summary is None:
        place = f"account {deployment.account}, Region {deployment.region}"
        raise NoSuchReport(f"There is no report of search job {identifier} in {place}. {hint}")
    console_url = alert.console_url(deployment.partition, deployment.region, bucket, keys.prefix)
    return Report(bucket, keys, summary, console_url)


def open_page(deployment: Deployment, report: Report) -> None:
    """Open the page of a report in the browser, by a presigned URL that is valid for 5 minutes."""
    url = deployment.client("s3", _SIGNATURE_4).generate_presigned_url(
        "get_object", Params={"Bucket": report.bucket, "Key": report.keys.html}, ExpiresIn=_LINK_SECONDS
    )
    if click.launch(url) != 0:
        click.echo(f"No browser started. The page is there for 5 minutes: {url}", err=True)


def _listed_keys(deployment: Deployment, bucket: str, identifier: str) -> ReportKeys | None:
    prefix = _keys_on(date.max, deployment, identifier).summary_line.partition("date=")[0]
    pages = deployment.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", []):
            day, _, name = entry["Key"].removeprefix(f"{prefix}date=").partition("/")
            if name == f"{identifier}.json":
                return _keys_on(date.fromisoformat(day), deployment, identifier)
    return None


def _keys_on(day: date, deployment: Deployment, identifier: str) -> ReportKeys:
    arn = Arn("", deployment.partition, "backup-search", deployment.region, deployment.account, "")
    return ReportKeys.of(SearchJob(identifier, arn, "", completion_time=datetime.combine(day, time(), UTC)))


def _summary(deployment: Deployment, bucket: str, keys: ReportKeys) -> Mapping[str, Any] | None:
    try:
        body = deployment.client("s3").get_object(Bucket=bucket, Key=keys.summary)["Body"].read()
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            return None
        raise
    with suppress(ValueError):
        summary = json.loads(body)
        if isinstance(summary, dict) and summary.keys() >= {*_MEMBERS, "generatedAt"}:
            return summary
    raise CommandError(f"s3://{bucket}/{keys.summary} is damaged: it is not a summary.")
