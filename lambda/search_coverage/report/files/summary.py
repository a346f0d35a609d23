"""summary.json: the report in numbers. Written last, it is the mark that the report is whole."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search_coverage import __version__
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.files.spool import SpooledFile
from search_coverage.report.findings import Findings

SUMMARY_VERSION = 1


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a report in the bucket.

    Attributes:
        version_id: None where the bucket has no versions.
    """

    key: str
    version_id: str | None
    file: SpooledFile


@dataclass(frozen=True, slots=True)
class Notified:
    """Which messages went out.

    Attributes:
        message_ids: The SNS messages that carried the failed backups, first part first.
        pending: Why they could not be sent, if so.
    """

    message_ids: tuple[str, ...] = ()
    pending: str | None = None


def search_job_members(job: SearchJob) -> dict[str, Any]:
    """Write a search job as the JSON that summary, messages and events share."""
    return {
        "identifier": job.identifier,
        "arn": job.arn.text,
        "name": job.name,
        "status": job.status,
        "statusMessage": job.status_message,
        "creationTime": utc_text(job.creation_time),
        "completionTime": utc_text(job.completion_time),
        "resourceTypes": list(job.scope.resource_types),
        "encryptionKeyArn": job.encryption_key_arn,
    }


def summary(findings: Findings, files: Mapping[str, StoredFile], notified: Notified) -> dict[str, Any]:
    """Write the summary.

    Args:
        files: ``csv``, ``jsonl`` and ``html``.
    """
    job, tally = findings.job, findings.tally
    return {
        "version": SUMMARY_VERSION,
        "searchJob": search_job_members(job),
        "verdict": findings.judgement.verdict.value,
        "verdictReasons": list(findings.judgement.reasons),
        "backups": asdict(tally.backups),
        "excludedByReason": dict(sorted(tally.by_reason.items())),
        "excludedByResourceType": dict(sorted(tally.by_resource_type.items())),
        "progress": {
            "recoveryPointsToScan": job.recovery_points_to_scan,
            "recoveryPointsScanned": job.recovery_points_scanned,
            "itemsToScan": job.items_to_scan,
            "itemsScanned": job.items_scanned,
            "itemsMatched": job.items_matched,
        },
        "files": {
            kind: {
                "key": stored.key,
                "sha256": stored.file.sha256,
                "bytes": stored.file.bytes,
                "rows": stored.file.rows,
                "versionId": stored.version_id,
            }
            for kind, stored in files.items()
        },
        "inventory": {
            "status": findings.inventory.status.value,
            "message": findings.inventory.message,
            "takenAt": utc_text(findings.inventory.taken_at),
            "vaults": findings.inventory.vaults,
            "inScope": findings.inventory.in_scope,
            "notListed": findings.inventory.not_listed,
            "thinIndexes": [
                {
                    "backupArn": thin.backup_arn,
                    "sourceResourceArn": thin.source_resource_arn,
                    "vault": thin.vault,
                    "items": thin.items,
                    "previousBackupArn": thin.previous_arn,
                    "previousItems": thin.previous_items,
                }
                for thin in findings.inventory.thin_indexes
            ],
            "notSearchable": [
                {"vault": held.vault, "backups": held.backups, "examples": list(held.examples)}
                for held in findings.inventory.not_searchable
            ],
        },
        "notification": {
            "failedBackups": tally.failed,
            "messageIds": list(notified.message_ids),
            "pending": notified.pending,
        },
        "generatedAt": utc_text(findings.generated_at),
        "generatorVersion": __version__,
    }
