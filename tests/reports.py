"""Reports as the function makes them, and what they are made of: any number of exclusions, and hostile ones."""

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import Inventory, InventoryStatus, judge
from search_coverage.report.files.spool import Spool
from search_coverage.report.files.summary import Notified, summary
from search_coverage.report.findings import Findings
from search_coverage.report.mail import alert
from search_coverage.report.mail.messages import Message
from search_coverage.report.page.html import page
from search_coverage.report.stored_file import StoredFile
from tests.examples import JOB_ID, backup, search_job
from tests.planted import refuse_planted

PREFIX = f"reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/"
CSV_KEY = f"{PREFIX}excluded-backups.csv"
NOT_COMPARED = Inventory(InventoryStatus.OFF)
ROLE = "arn:aws:iam::000000000000:role/service-role/AWSBackupDefaultServiceRole"
HOSTILE = (
    '"><img src=x onerror=alert(1)></style></title></script><script>alert(2)</script>'
    "\u202egnp.exe\x00\x1b[31m{{ 7 * 7 }}\ud800'"
)

_DAY = 86_400
_CREATED = datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()
_KINDS = (
    (Reason.INDEX_MISSING, None, None),
    (Reason.INDEX_MISSING, None, None),
    (Reason.PERMISSION_DENIED, "FAILED", "Access denied: not authorized to perform backup:SearchRecoveryPoint"),
    (Reason.INDEX_PENDING, "FAILED", "Index creation is in progress"),
    (Reason.KMS_ACCESS_DENIED, "FAILED", "kms:Decrypt was denied on the customer managed key of the recovery point"),
    (Reason.ARCHIVED, "FAILED", "The recovery point is in cold storage"),
    (Reason.NOT_FINISHED, "STOPPED", None),
)


def excluded(reason: Reason, index: BackupIndex | None = None, **changes: Any) -> Exclusion:
    """Return an excluded backup, with changes."""
    return Exclusion(backup(**changes), reason, index)


def failed(reason: Reason = Reason.FAILED_OTHER, **changes: Any) -> Exclusion:
    """Return a FAILED backup, with changes."""
    return excluded(reason, status="FAILED", **changes)


def numbered(count: int, reason: Reason, index: BackupIndex | None = None, **changes: Any) -> list[Exclusion]:
    """Return excluded backups that differ in the number at the end of their ARN."""
    return [excluded(reason, index, backup_arn=f"arn:aws:ec2:r::snapshot/{n}", **changes) for n in range(count)]


def exclusions(count: int) -> Iterable[Exclusion]:
    """Yield excluded backups of several kinds, in turn, each with ARNs as long as AWS's."""
    for number in range(count):
        reason, status, message = _KINDS[number % len(_KINDS)]
        index = BackupIndex("Default", role_arn=ROLE) if reason is Reason.INDEX_MISSING else None
        one = Backup(
            status=status,
            status_message=message,
            resource_type="S3" if reason is Reason.INDEX_PENDING else "EBS",
            backup_arn=f"arn:aws:ec2:us-east-1::snapshot/snap-{number:017x}",
            source_resource_arn=f"arn:aws:ec2:us-east-1:000000000000:volume/vol-{number % 9:017x}",
            created=_CREATED - (number * 37 % 900) * _DAY / 2,
        )
        yield Exclusion(one, reason, index)


def hostile_exclusion() -> Exclusion:
    """Return a backup with hostile members only."""
    arn = f"arn:aws:ec2:us-east-1::snapshot/{HOSTILE}{'x' * 2000}"
    return Exclusion(
        Backup(HOSTILE, f"=1+1{HOSTILE}", HOSTILE, arn, HOSTILE, _CREATED, None),
        Reason.INDEX_MISSING,
        BackupIndex(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    )


def hostile_job(resource_type: str = HOSTILE) -> SearchJob:
    """Return a search job with hostile texts only; with a real resource type, it can be started again."""
    scope = SearchScope((resource_type,), None, None, (HOSTILE,) * 7, (HOSTILE,), ((HOSTILE, HOSTILE),))
    conditions = [{"Value": HOSTILE, "Operator": HOSTILE}]
    return search_job(
        name=HOSTILE,
        status=HOSTILE,
        status_message=HOSTILE,
        scope=scope,
        item_filters=ItemFilters.of({"S3ItemFilters": [{"ObjectKeys": conditions, HOSTILE: conditions}]}),
        tags=((HOSTILE, HOSTILE),),
    )


@dataclass(frozen=True)
class Report:
    """A report: its findings, and its files and messages."""

    findings: Findings
    csv: bytes
    jsonl: bytes
    summary: dict[str, Any]
    messages: list[Message]

    @cached_property
    def page(self) -> str:
        """The page, as it can be read back from its file."""
        return page(self.findings, CSV_KEY, self.summary["contentSha256"]).encode("utf-8", "backslashreplace").decode()

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the CSV."""
        return list(csv.DictReader(io.StringIO(self.csv.decode(), newline="")))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The records of the JSON Lines file."""
        return [json.loads(line) for line in gzip.decompress(self.jsonl).splitlines()]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The messages as machines get them."""
        return [json.loads(json.loads(message.body)["default"]) for message in self.messages]

    @property
    def mail(self) -> str:
        """The mail, with its line breaks."""
        text: str = json.loads(self.messages[0].body)["email"]
        return text

    @property
    def unwrapped_mail(self) -> str:
        """The mail on one line."""
        return " ".join(self.mail.split())


def report(
    excluded: Iterable[Exclusion] = (),
    *,
    searched: int = 385,
    job: SearchJob | None = None,
    inventory: Inventory = NOT_COMPARED,
) -> Report:
    """Make a report of what was excluded, through the spool as the function does."""
    job = job or search_job()
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder), job) as spool:
        for exclusion in excluded:
            spool.add(exclusion)
        tally = spool.tally
        tally.searched = searched
        tally.listed = searched + tally.excluded - (inventory.not_listed or 0)
        judgement = judge(job, tally.backups, inventory)
        now = datetime(2026, 11, 20, 9, 6, tzinfo=UTC)
        findings = Findings(job, tally, inventory, judgement, now, spool.examples)
        table, lines = spool.finish_tables()
        messages = list(alert.messages(findings, spool.failed_rows, "reports-bucket"))
        refuse_planted(messages, "a message")
        return Report(
            findings,
            table.path.read_bytes(),
            lines.path.read_bytes(),
            summary(findings, {"csv": StoredFile(CSV_KEY, "v1", table)}, Notified(("message-1",))),
            messages,
        )


def report_page(excluded: Iterable[Exclusion] = (), **given: Any) -> str:
    """Make a report and return its page."""
    return report(excluded, **given).page
