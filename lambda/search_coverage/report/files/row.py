"""One excluded backup as one row: the columns that CSV, JSON Lines and messages share."""

from typing import TypedDict

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.remedy_commands import advice
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.timestamp import utc_text


class Row(TypedDict):
    """An excluded backup, in the order of the columns. What AWS did not send is None; times are ISO 8601 UTC."""

    search_job_id: str
    search_job_name: str | None
    backup_arn: str | None
    resource_type: str | None
    source_resource_arn: str | None
    backup_created: str | None
    index_created: str | None
    status: str | None
    status_message: str | None
    reason: str
    remedy: str
    backup_vault: str | None
    index_status: str | None
    index_status_message: str | None
    excluded_since: str | None


COLUMNS = tuple(Row.__annotations__)


def row(job: SearchJob, exclusion: Exclusion) -> Row:
    """Write an exclusion as a row. The three columns of the vaults are empty without an inventory."""
    backup, index = exclusion.backup, exclusion.index
    return {
        "search_job_id": job.identifier,
        "search_job_name": job.name,
        "backup_arn": backup.backup_arn,
        "resource_type": backup.resource_type,
        "source_resource_arn": backup.source_resource_arn,
        "backup_created": utc_text(backup.created),
        "index_created": utc_text(backup.index_created),
        "status": backup.status,
        "status_message": backup.status_message,
        "reason": exclusion.reason.value,
        "remedy": advice(exclusion),
        "backup_vault": index.vault if index else None,
        "index_status": index.status if index else None,
        "index_status_message": index.status_message if index else None,
        "excluded_since": exclusion.since,
    }
