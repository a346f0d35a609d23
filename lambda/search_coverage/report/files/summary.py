"""summary.json: the report in numbers. Written last, it is the mark that the report is whole."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search_coverage import __version__
from search_coverage.coverage.canonical import sha256_of
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.timestamp import utc_text
from search_coverage.coverage.verdict import Inventory
from search_coverage.report.findings import Findings, KeptResults
from search_coverage.report.stored_file import SpooledFile, StoredFile

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Notified:
    """The ids of the SNS messages that went out, first part first, or why they could not be sent yet."""

    message_ids: tuple[str, ...] = ()
    pending: str | None = None


def search_job_members(job: SearchJob) -> dict[str, Any]:
    """Write a search job as the JSON that summary and messages share."""
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


def question_members(job: SearchJob) -> dict[str, Any]:
    """Write what the search was asked, and what identifies the question: for S3 alone, as it can be personal data."""
    filters = job.item_filters
    return {
        "scope": job.scope.members(),
        "tags": None if job.tags is None else dict(job.tags),
        "itemFilterNames": list(filters.names),
        "itemFiltersSha256": filters.sha256,
        "itemFilters": filters.content if filters.names else None,
        "fingerprint": job.fingerprint,
    }


def summary(findings: Findings, files: Mapping[str, StoredFile], notified: Notified) -> dict[str, Any]:
    """Write the summary; ``files`` are ``csv``, ``jsonl`` and ``html``."""
    job, tally = findings.job, findings.tally
    content = {
        "version": _VERSION,
        "searchJob": {**search_job_members(job), **question_members(job)},
        "verdict": findings.judgement.verdict.value,
        "verdictReasons": list(findings.judgement.reasons),
        "backups": asdict(tally.backups),
        "excludedByReason": {reason.value: count for reason, count in sorted(tally.by_reason.items())},
        "excludedByResourceType": dict(sorted(tally.by_resource_type.items())),
        "progress": {
            "recoveryPointsToScan": job.recovery_points_to_scan,
            "recoveryPointsScanned": job.recovery_points_scanned,
            "itemsToScan": job.items_to_scan,
            "itemsScanned": job.items_scanned,
            "itemsMatched": job.items_matched,
        },
        "files": {kind: file_members(stored, stored.file) for kind, stored in files.items()},
        "inventory": _inventory_members(findings.inventory),
        "results": _results_members(findings.results),
        "previous": previous_members(findings),
        "notification": {
            "failedBackups": tally.failed,
            "messageIds": list(notified.message_ids),
            "pending": notified.pending,
        },
        "generatedAt": utc_text(findings.generated_at),
        "generatorVersion": __version__,
    }
    return {**content, "contentSha256": content_sha256(content)}


def without_item_filters(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary as its line for Athena has it: no table shows what a search looked for."""
    job = {name: member for name, member in summary["searchJob"].items() if name != "itemFilters"}
    return {**summary, "searchJob": job}


def content_sha256(summary: Mapping[str, Any]) -> str:
    """Return the hash of what a summary says, which page and print name (docs/report-format.md, *The hash*).

    It is of the summary's canonical JSON, without what is only known after the page (the page itself, the messages, and
    this hash) and without the versions of the files, so that the same report has the same hash.
    """
    members = {name: member for name, member in summary.items() if name not in {"contentSha256", "notification"}}
    files = {kind: file for kind, file in summary["files"].items() if kind != "html"}
    return sha256_of(_without_versions({**members, "files": files}))


def _without_versions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_versions(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _without_versions(member) for name, member in value.items() if name != "versionId"}
    return value


def file_members(stored: StoredFile, file: SpooledFile) -> dict[str, Any]:
    """Write a file as the JSON that summaries have of it."""
    members = {"key": stored.key, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}
    return {**members, "versionId": stored.version_id}


def previous_members(findings: Findings) -> dict[str, Any] | None:
    """Write what changed since the previous search as the JSON that summary and messages share; it names no backup."""
    previous = findings.previous
    if previous is None:
        return None
    changes = previous.changes
    return {
        "status": "COMPARED" if changes else "UNREADABLE",
        "message": previous.message,
        "searchJobIdentifier": previous.identifier,
        "endedAt": previous.ended,
        "summaryKey": previous.summary_key,
        "verdict": previous.verdict,
        "newlyExcluded": changes and changes.newly_excluded,
        "stillExcluded": changes and changes.still_excluded,
        "stillExcludedSince": changes and changes.still_excluded_since,
        "noLongerExcluded": changes and changes.no_longer_excluded,
        "nowSearched": changes and changes.now_searched,
        "notInThisSearch": changes and changes.not_in_this_search,
        "withoutArn": previous.without_arn,
        "closed": findings.closes_previous,
    }


def _results_members(results: KeptResults) -> dict[str, Any]:
    return {
        "status": results.status.value,
        "message": results.message,
        "rows": results.rows,
        "bucket": results.bucket,
        "files": {kind: file_members(stored, stored.file) for kind, stored in results.files.items()},
    }


def _inventory_members(inventory: Inventory) -> dict[str, Any]:
    return {
        "status": inventory.status.value,
        "message": inventory.message,
        "takenAt": utc_text(inventory.taken_at),
        "vaults": inventory.vaults,
        "inScope": inventory.in_scope,
        "notListed": inventory.not_listed,
        "thinIndexes": [
            {
                "backupArn": thin.backup_arn,
                "sourceResourceArn": thin.source_resource_arn,
                "vault": thin.vault,
                "items": thin.items,
                "previousBackupArn": thin.previous_arn,
                "previousItems": thin.previous_items,
            }
            for thin in inventory.thin_indexes
        ],
        "notSearchable": [held.members() for held in inventory.not_searchable],
    }
