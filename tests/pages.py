"""Pages of reports as the tests look at them: of any size, of each verdict, and with everything hostile."""

import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import Inventory, InventoryStatus, judge
from search_coverage.report.files.spool import Spool
from search_coverage.report.findings import Findings
from search_coverage.report.page.html import page
from tests.examples import JOB_ID, search_job

CSV_KEY = f"reports/000000000000/us-east-1/2026/11/20/{JOB_ID}/excluded-backups.csv"
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


def exclusions(count: int) -> Iterable[Exclusion]:
    """Give excluded backups of several kinds, in turn, each with ARNs as long as AWS's."""
    for number in range(count):
        reason, status, message = _KINDS[number % len(_KINDS)]
        backup = Backup(
            status=status,
            status_message=message,
            resource_type="S3" if reason is Reason.INDEX_PENDING else "EBS",
            backup_arn=f"arn:aws:ec2:us-east-1::snapshot/snap-{number:017x}",
            source_resource_arn=f"arn:aws:ec2:us-east-1:000000000000:volume/vol-{number % 9:017x}",
            created=_CREATED - (number * 37 % 900) * _DAY / 2,
        )
        index = BackupIndex("Default", None, None, ROLE) if reason is Reason.INDEX_MISSING else None
        yield Exclusion(backup, reason, index)


def hostile_exclusion() -> Exclusion:
    """Give a backup of whose members every one is hostile."""
    arn = f"arn:aws:ec2:us-east-1::snapshot/{HOSTILE}{'x' * 2000}"
    return Exclusion(
        Backup(HOSTILE, f"=1+1{HOSTILE}", HOSTILE, arn, HOSTILE, _CREATED, None),
        Reason.INDEX_MISSING,
        BackupIndex(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    )


def hostile_job() -> SearchJob:
    """Give a search job of whose texts every one is hostile."""
    scope = SearchScope((HOSTILE,), None, None, (HOSTILE,) * 7, (HOSTILE,), ((HOSTILE, HOSTILE),))
    return search_job(name=HOSTILE, status=HOSTILE, status_message=HOSTILE, scope=scope)


def report_page(
    excluded: Iterable[Exclusion] = (),
    *,
    searched: int = 385,
    job: SearchJob | None = None,
    inventory: Inventory = NOT_COMPARED,
) -> str:
    """Give the page of a report, through the spool as in the function."""
    job = job or search_job()
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder), job) as spool:
        for exclusion in excluded:
            spool.add(exclusion)
        tally = spool.tally
        tally.searched = searched
        tally.listed = searched + tally.excluded - (inventory.not_listed or 0)
        judgement = judge(job, tally.backups, inventory)
        findings = Findings(job, tally, inventory, judgement, datetime(2026, 11, 20, 9, 6, tzinfo=UTC), spool.examples)
        text = page(findings, CSV_KEY)
        return spool.write_page(text).path.read_text(encoding="utf-8")
