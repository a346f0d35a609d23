"""One source as one row: the columns that CSV and JSON Lines of a posture share."""

from typing import TypedDict

from search_coverage.coverage.posture import SourcePosture
from search_coverage.coverage.remedy_commands import advice
from search_coverage.coverage.searchability import Searchability
from search_coverage.coverage.timestamp import utc_text


class SourceRow(TypedDict):
    """A source, in the order of the columns. What AWS did not send is None; times are ISO 8601 UTC."""

    resource_type: str | None
    source_resource_arn: str | None
    backups: int
    searchable: int
    index_missing: int
    index_pending: int
    index_failed: int
    index_deleting: int
    archived: int
    air_gapped: int
    not_supported: int
    unknown_status: int
    newest_backup_arn: str
    newest_backup_created: str | None
    newest_backup_vault: str | None
    newest_searchability: str
    newest_index_status_message: str | None
    newest_backup_role_arn: str | None
    newest_backup_plan_id: str | None
    newest_backup_rule: str | None
    remedy: str | None


SOURCE_COLUMNS = tuple(SourceRow.__annotations__)
COUNTS = tuple(name for name, kind in SourceRow.__annotations__.items() if kind is int)
"""The columns that are whole numbers."""


def source_row(source: SourcePosture) -> SourceRow:
    """Write a source as a row."""
    newest, by = source.newest, source.counts.by_searchability
    return {
        "resource_type": source.resource_type,
        "source_resource_arn": source.source_arn,
        "backups": source.counts.backups,
        "searchable": source.counts.searchable,
        "index_missing": by.get(Searchability.INDEX_MISSING, 0),
        "index_pending": by.get(Searchability.INDEX_PENDING, 0),
        "index_failed": by.get(Searchability.INDEX_FAILED, 0),
        "index_deleting": by.get(Searchability.INDEX_DELETING, 0),
        "archived": by.get(Searchability.ARCHIVED, 0),
        "air_gapped": by.get(Searchability.AIR_GAPPED, 0),
        "not_supported": by.get(Searchability.NOT_SUPPORTED, 0),
        "unknown_status": by.get(Searchability.UNKNOWN_STATUS, 0),
        "newest_backup_arn": newest.arn,
        "newest_backup_created": utc_text(newest.created),
        "newest_backup_vault": newest.vault,
        "newest_searchability": source.searchability.value,
        "newest_index_status_message": newest.index_status_message,
        "newest_backup_role_arn": newest.role_arn,
        "newest_backup_plan_id": newest.plan_id,
        "newest_backup_rule": newest.rule,
        "remedy": _remedy(source),
    }


def _remedy(source: SourcePosture) -> str | None:
    exclusion = source.newest_left_out
    return advice(exclusion) if exclusion else None
