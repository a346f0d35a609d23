"""What is in the scope of a search, and why a search did not even list it."""

from datetime import timedelta
from typing import Any

import pytest

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Reason, exclusion_reason
from search_coverage.coverage.recovery_point import (
    LeftOut,
    RecoveryPoint,
    left_out,
    matches_scope,
    reason_not_listed,
    was_still_being_made,
)
from tests.fakes_inventory import LATER, STARTED, days_before, job_with, volumes

AT = STARTED - timedelta(days=1)
SECOND = timedelta(seconds=1)
VOLUME, SNAPSHOT = "arn:aws:ec2:us-east-1:000000000000:volume/vol-1", "arn:aws:ec2:us-east-1::snapshot/snap-1"
CONTINUOUS = "arn:aws:backup:us-east-1:000000000000:recovery-point:continuous:bucket-1a2b3c4d"
JOB = job_with(resource_types=())


def point(**changes: Any) -> RecoveryPoint:
    return volumes(end="1", source_resource_arn=VOLUME)[0]._replace(**changes)


def in_scope(recovery_point: RecoveryPoint, **scope: Any) -> bool:
    job = job_with(**{"resource_types": (), **scope})
    return matches_scope(job)(recovery_point) and left_out(recovery_point, job) is None


@pytest.mark.parametrize(
    ("scope", "belongs"),
    [
        ({}, True),
        ({"resource_types": ("EBS",)}, True),
        ({"resource_types": ("S3",)}, False),
        ({"created_after": AT - SECOND}, True),
        ({"created_after": AT}, True),
        ({"created_after": AT + SECOND}, False),
        ({"created_before": AT + SECOND}, True),
        ({"created_before": AT}, True),
        ({"created_before": AT - SECOND}, False),
        ({"source_arns": (VOLUME, "arn:other")}, True),
        ({"source_arns": ("arn:other",)}, False),
        ({"backup_arns": (SNAPSHOT,)}, True),
        ({"backup_arns": ("arn:other",)}, False),
        ({"resource_types": ("EBS",), "created_after": AT, "created_before": AT, "source_arns": (VOLUME,)}, True),
        ({"created_after": AT, "created_before": AT, "backup_arns": (SNAPSHOT,), "source_arns": (VOLUME,)}, True),
    ],
)
def test_each_filter_of_the_scope_narrows_it_and_a_bound_belongs_to_the_window(
    scope: dict[str, Any], *, belongs: bool
) -> None:
    assert in_scope(point(), **scope) is belongs


@pytest.mark.parametrize("status", ["COMPLETED", "AVAILABLE", "PARTIAL", "EXPIRED", "STOPPED", None, "NEW_STATUS"])
def test_every_backup_that_still_exists_is_in_scope(status: str | None) -> None:
    assert in_scope(point(status=status))


def test_a_type_that_cannot_be_indexed_is_in_no_scope() -> None:
    assert not in_scope(point(resource_type="DynamoDB"))


def test_what_a_list_does_not_show_does_not_narrow_the_scope() -> None:
    assert in_scope(point(source_resource_arn=None), source_arns=(VOLUME,))
    assert in_scope(point(created=None), created_after=STARTED)
    assert in_scope(point(completed=LATER))  # AWS does not document what it means in a list


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created": LATER}, LeftOut.TOO_LATE),
        ({"status": "CREATING"}, LeftOut.BEING_MADE),
        ({"status": "DELETING"}, LeftOut.DELETING),
        ({"status": "DELETING", "arn": CONTINUOUS}, LeftOut.DELETING),
        ({"status": "CREATING", "arn": CONTINUOUS, "completed": LATER}, None),
    ],
    ids=str,
)
def test_what_was_not_searchable_at_the_start_is_left_out_except_an_updated_continuous_backup(
    changes: dict[str, Any], reason: LeftOut | None
) -> None:
    assert left_out(point(**changes), JOB) is reason


@pytest.mark.parametrize(("arn", "came_too_late"), [(SNAPSHOT, True), (CONTINUOUS, False)])
def test_a_copy_that_was_completed_after_the_start_came_too_late_for_the_search(
    arn: str, *, came_too_late: bool
) -> None:
    assert was_still_being_made(point(arn=arn, completed=LATER), JOB) is came_too_late


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, Reason.INDEX_MISSING),
        ({"index_status": "PENDING"}, Reason.INDEX_PENDING),
        ({"index_status": "FAILED"}, Reason.INDEX_FAILED),
        ({"index_status": "DELETING"}, Reason.INDEX_DELETING),
        ({"index_status": "ACTIVE"}, Reason.REVIEW),
        ({"index_status": "SOMETHING_NEW"}, Reason.UNKNOWN_STATUS),
        ({"cold_since": days_before(1)}, Reason.ARCHIVED),
        ({"cold_since": LATER}, Reason.INDEX_MISSING),
        ({"vault_type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"}, Reason.NOT_SUPPORTED),
        ({"vault_type": "RESTORE_ACCESS_BACKUP_VAULT"}, Reason.NOT_SUPPORTED),
        ({"resource_type": "EFS"}, Reason.NOT_SUPPORTED),
    ],
    ids=str,
)
def test_a_backup_that_was_not_listed_has_its_reason_from_the_vault(changes: dict[str, Any], reason: Reason) -> None:
    assert reason_not_listed(point(**{"index_status": None, **changes}), JOB) is reason


@pytest.mark.parametrize(
    ("backup", "index", "reason"),
    [
        (Backup("FAILED", "Access denied"), "PENDING", Reason.INDEX_PENDING),
        (Backup("FAILED", "Access denied"), "FAILED", Reason.INDEX_FAILED),
        (Backup("FAILED", "Access denied"), "DELETING", Reason.INDEX_DELETING),
        (Backup("FAILED", "Access denied"), None, Reason.INDEX_MISSING),
        (Backup("FAILED", "Access denied", index_created=1.0), None, Reason.PERMISSION_DENIED),
        (Backup("FAILED", "Access denied"), "ACTIVE", Reason.PERMISSION_DENIED),
        (Backup("STOPPED"), "FAILED", Reason.NOT_FINISHED),
        (Backup("COMPLETED"), "FAILED", None),
    ],
    ids=str,
)
def test_the_status_of_the_index_replaces_guessing_from_the_message(
    backup: Backup, index: str | None, reason: Reason | None
) -> None:
    assert exclusion_reason(backup, BackupIndex("Default", index)) is reason
