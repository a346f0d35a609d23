"""Whether a report is published, and the messages that publish it."""

from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from urllib.parse import quote

from search_coverage.coverage.search_job import SearchJobStatus
from search_coverage.coverage.verdict import Verdict
from search_coverage.report.files.json_text import compact_json
from search_coverage.report.files.keys import ReportKeys
from search_coverage.report.files.summary import previous_members, search_job_members
from search_coverage.report.findings import Findings
from search_coverage.report.mail.digest import digest, subject
from search_coverage.report.mail.messages import Attribute, Envelope, FailedRows, Message, head_text

_CONSOLE_DOMAINS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


class NotifyOn(StrEnum):
    """The setting ``notifyOn``: which reports are published."""

    FAILED = "FAILED"
    EXCLUDED = "EXCLUDED"
    ALWAYS = "ALWAYS"


def is_due(notify_on: NotifyOn, findings: Findings) -> bool:
    """Whether the setting asks to publish this report.

    ``EXCLUDED`` asks for every report that is not COMPLETE: a list may be too short without naming an excluded backup.
    It also asks for the one that closes the previous search: those who heard of a gap want to hear that it is closed.
    """
    something_failed = findings.tally.failed > 0 or findings.job.status == SearchJobStatus.FAILED
    match notify_on:
        case NotifyOn.ALWAYS:
            return True
        case NotifyOn.EXCLUDED:
            return something_failed or findings.judgement.verdict is not Verdict.COMPLETE or findings.closes_previous
        case NotifyOn.FAILED:
            return something_failed


def messages(findings: Findings, failed: FailedRows, bucket: str) -> Iterator[Message]:
    """Yield the messages of a report, first part first. Every failed backup is in exactly one of them."""
    job, keys = findings.job, ReportKeys.of(findings.job)
    folder_url = console_url(job.arn.partition, job.arn.region, bucket, keys.prefix)
    job_members = {
        name: head_text(value) if isinstance(value, str) else value for name, value in search_job_members(job).items()
    }
    envelope = Envelope(
        subject=subject(findings),
        head={
            "version": 1,
            "type": "FailedSearchJobBackups",
            "searchJob": job_members,
            "verdict": findings.judgement.verdict.value,
            "backups": asdict(findings.tally.backups),
            "previous": previous_members(findings),
            "results": {"status": findings.results.status.value, "rows": findings.results.rows},
            "report": {"bucket": bucket, "prefix": keys.prefix, "consoleUrl": folder_url},
        },
        email=digest(findings, bucket, keys.prefix, folder_url),
        attributes=_attributes(findings),
    )
    for part, rows in enumerate(failed.rows_of_parts(), start=1):
        yield envelope.message(part, failed.parts, rows)


def console_url(partition: str, region: str, bucket: str, prefix: str) -> str:
    """Return the address of a folder in the S3 console."""
    domain = _CONSOLE_DOMAINS.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{domain}/s3/buckets/{quote(bucket)}?region={region}&prefix={quote(prefix)}"


def _attributes(findings: Findings) -> dict[str, Attribute]:
    job, backups = findings.job, findings.tally.backups
    attributes = {
        "searchJobIdentifier": Attribute("String", job.identifier),
        "verdict": Attribute("String", findings.judgement.verdict.value),
        "account": Attribute("String", job.arn.account),
        "region": Attribute("String", job.arn.region),
        "failedCount": Attribute("Number", str(backups.failed)),
        "excludedCount": Attribute("Number", str(backups.excluded)),
    }
    if job.scope.resource_types:
        attributes["resourceTypes"] = Attribute("String.Array", compact_json(list(job.scope.resource_types)))
    return attributes
