"""A recovery point as a vault lists it, and whether it belongs to the scope of a search."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import REASON_BY_INDEX, Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SEARCHED_TYPES

AIR_GAPPED_VAULTS = frozenset({"LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "RESTORE_ACCESS_BACKUP_VAULT"})
"""The vaults whose recovery points cannot be indexed; the second type gives access to one of the first."""

# A continuous backup is one recovery point that AWS keeps updating (aws-facts.md §7).
_CONTINUOUS = ":recovery-point:continuous:"

_REASON_NOT_LISTED = {None: Reason.INDEX_MISSING, "ACTIVE": Reason.REVIEW, **REASON_BY_INDEX}


class LeftOut(StrEnum):
    """Why a recovery point that matches the scope of a search does not count: the search could not cover it."""

    TOO_LATE = "TOO_LATE"
    BEING_MADE = "BEING_MADE"
    DELETING = "DELETING"
    GONE = "GONE"


_LEFT_OUT_BY_STATUS = {"CREATING": LeftOut.BEING_MADE, "DELETING": LeftOut.DELETING}


class RecoveryPoint(NamedTuple):
    """One row of ListRecoveryPointsByBackupVault, as far as this product needs it (aws-facts.md §3).

    A named tuple, not a dataclass: vaults hold up to millions, and each goes through a table on disk. Times are in
    seconds since the epoch, UTC. What AWS does not say is None.

    Attributes:
        completed: When AWS completed it. AWS does not document that the value in a list means this.
        cold_since: When it moves to cold storage; None for never. The value in a list is the plan.
        index_status: PENDING, ACTIVE, FAILED or DELETING; None if it was never indexed.
        role_arn: The role that created it.
        plan_id: The backup plan that created it; None for a backup on demand, or a copy of one.
        rule: The name of the rule of that plan, or its id where AWS does not name it. An update of a plan may change
            the ids (aws-facts.md §3).
    """

    arn: str
    vault: str | None = None
    vault_type: str | None = None
    resource_type: str | None = None
    source_resource_arn: str | None = None
    status: str | None = None
    created: float | None = None
    completed: float | None = None
    cold_since: float | None = None
    index_status: str | None = None
    index_status_message: str | None = None
    role_arn: str | None = None
    plan_id: str | None = None
    rule: str | None = None

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a snapshot of EC2 and not one of AWS Backup's own recovery points (aws-facts.md §2)."""
        return ":snapshot/" in self.arn

    def left_out_for(self, reason: Reason) -> Exclusion:
        """Return it as a backup that a search leaves out for a reason."""
        backup = Backup(
            resource_type=self.resource_type,
            backup_arn=self.arn,
            source_resource_arn=self.source_resource_arn,
            created=self.created,
        )
        return Exclusion(
            backup, reason, BackupIndex(self.vault, self.index_status, self.index_status_message, self.role_arn)
        )


def is_in_window(job: SearchJob) -> Callable[[RecoveryPoint], bool]:
    """Return the test whether a recovery point was created in the time window of a search job.

    AWS does not document whether the bounds belong to the window. Here they do: to report one backup too many does
    less harm than to miss one.
    """
    scope = job.scope
    after = scope.created_after.timestamp() if scope.created_after else float("-inf")
    before = scope.created_before.timestamp() if scope.created_before else float("inf")
    return lambda point: point.created is None or after <= point.created <= before


def matches_scope(job: SearchJob) -> Callable[[RecoveryPoint], bool]:
    """Return the test whether the scope of a search job covers a recovery point, tags aside."""
    scope = job.scope
    in_window = is_in_window(job)
    types = frozenset(scope.resource_types or SEARCHED_TYPES)
    sources, arns = frozenset(scope.source_arns), frozenset(scope.backup_arns)

    def matches(point: RecoveryPoint) -> bool:
        return (
            (point.resource_type is None or point.resource_type in types)
            and in_window(point)
            and (not sources or point.source_resource_arn is None or point.source_resource_arn in sources)
            and (not arns or point.arn in arns)
        )

    return matches


def left_out(point: RecoveryPoint, job: SearchJob) -> LeftOut | None:
    """Return the reason why a recovery point does not count for a search, or None if it does.

    A continuous backup is never left out as still being made: AWS does not document whether its status changes back
    while AWS updates it (aws-facts.md §7).
    """
    if point.created is not None and point.created > _started(job):
        return LeftOut.TOO_LATE
    reason = _LEFT_OUT_BY_STATUS.get(point.status or "")
    return None if reason is LeftOut.BEING_MADE and _is_continuous(point) else reason


def was_still_being_made(point: RecoveryPoint, job: SearchJob) -> bool:
    """Whether a recovery point was not complete when the job was created, so that the search could not cover it.

    A copy has the creation date of its original; only its completion shows that it came later. The completion of a
    continuous backup shows nothing: it may change each time that AWS updates the backup (aws-facts.md §7).
    """
    return point.completed is not None and point.completed > _started(job) and not _is_continuous(point)


def is_cold(point: RecoveryPoint, job: SearchJob) -> bool:
    """Whether a recovery point was in cold storage when the job was created."""
    return point.cold_since is not None and job.creation_time is not None and point.cold_since <= _started(job)


def reason_not_listed(point: RecoveryPoint, job: SearchJob) -> Reason:
    """Return the reason why a search does not list a recovery point that is in its scope."""
    if point.vault_type in AIR_GAPPED_VAULTS or (point.resource_type or "S3") not in SEARCHED_TYPES:
        return Reason.NOT_SUPPORTED
    if is_cold(point, job):
        return Reason.ARCHIVED
    return _REASON_NOT_LISTED.get(point.index_status, Reason.UNKNOWN_STATUS)


def _is_continuous(point: RecoveryPoint) -> bool:
    return _CONTINUOUS in point.arn


def _started(job: SearchJob) -> float:
    return job.creation_time.timestamp() if job.creation_time else float("inf")
