"""Whether a search could look into a backup, before anyone starts one."""

from datetime import datetime
from enum import StrEnum

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.recovery_point import AIR_GAPPED_VAULTS, RecoveryPoint, left_out, reason_not_listed
from search_coverage.coverage.search_job import SearchJob, SearchJobStatus
from search_coverage.coverage.search_scope import SearchScope

_NO_SEARCH_JOB = "00000000-0000-0000-0000-000000000000"


class Searchability(StrEnum):
    """Whether a search could look into a backup, and if not, why: a closed list."""

    SEARCHABLE = "SEARCHABLE"
    INDEX_PENDING = "INDEX_PENDING"
    INDEX_MISSING = "INDEX_MISSING"
    INDEX_DELETING = "INDEX_DELETING"
    INDEX_FAILED = "INDEX_FAILED"
    ARCHIVED = "ARCHIVED"
    AIR_GAPPED = "AIR_GAPPED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"

    @property
    def reason(self) -> Reason | None:
        """The reason that a search would have for leaving the backup out; None if it would look into it."""
        if self is Searchability.SEARCHABLE:
            return None
        return Reason.NOT_SUPPORTED if self is Searchability.AIR_GAPPED else Reason(self.value)


def search_now(account: str, region: str, now: datetime, scope: SearchScope | None = None) -> SearchJob:
    """Return a search job that would be created now; without a scope it covers everything."""
    arn = Arn.parse(f"arn:aws:backup-search:{region}:{account}:search-job/{_NO_SEARCH_JOB}")
    return SearchJob(_NO_SEARCH_JOB, arn, SearchJobStatus.COMPLETED, creation_time=now, scope=scope or SearchScope())


def searchability(point: RecoveryPoint, at: SearchJob) -> Searchability | None:
    """Return whether a search could look into a backup; None if the backup does not count.

    It agrees with what a report says later, since both ask `reason_not_listed`. It does not know who will search, so
    nothing of permissions.

    Args:
        at: A search job that would be created now.

    Returns:
        None for a backup that is still being made, or being deleted.
    """
    if left_out(point, at):
        return None
    reason = reason_not_listed(point, at)
    if reason is Reason.REVIEW:  # it has an index that is ACTIVE
        return Searchability.SEARCHABLE
    if reason is Reason.NOT_SUPPORTED and point.vault_type in AIR_GAPPED_VAULTS:
        return Searchability.AIR_GAPPED
    return Searchability(reason.value)
