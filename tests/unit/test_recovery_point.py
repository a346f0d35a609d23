"""What is in the scope of a search, and why a search did not even list it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.inventory.table import RecoveryPointTable
from tests.examples import search_job

STARTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
VOLUME = "arn:aws:ec2:us-east-1:000000000000:volume/vol-1"


def point(**changes: Any) -> RecoveryPoint:
    usual = RecoveryPoint(
        arn="arn:aws:ec2:us-east-1::snapshot/snap-1",
        vault="Default",
        vault_type="BACKUP_VAULT",
        resource_type="EBS",
        source_resource_arn=VOLUME,
        status="COMPLETED",
        created=(STARTED - timedelta(days=2)).timestamp(),
        completed=(STARTED - timedelta(days=2)).timestamp(),
        index_status="ACTIVE",
    )
    return usual._replace(**changes)


def in_scope(recovery_point: RecoveryPoint, **scope: Any) -> bool:
    job = search_job(creation_time=STARTED, scope=SearchScope(**scope))
    return matches_scope(job)(recovery_point) and left_out(recovery_point, job) is None


AT = STARTED - timedelta(days=2)
SECOND = timedelta(seconds=1)


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
        ({"backup_arns": ("arn:aws:ec2:us-east-1::snapshot/snap-1",)}, True),
        ({"backup_arns": ("arn:other",)}, False),
        (
            {
                "resource_types": ("EBS",),
                "created_after": AT,
                "created_before": AT,
                "source_arns": (VOLUME,),
                "backup_arns": ("arn:aws:ec2:us-east-1::snapshot/snap-1",),
            },
            True,
        ),
    ],
)
def test_each_filter_of_the_scope_narrows_it_and_a_bound_belongs_to_the_window(
    scope: dict[str, Any], *, belongs: bool
) -> None:
    assert in_scope(point(), **scope) is belongs


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created": STARTED.timestamp() + 1}, LeftOut.TOO_LATE),
        ({"status": "CREATING"}, LeftOut.BEING_MADE),
        ({"status": "DELETING"}, LeftOut.DELETING),
    ],
    ids=str,
)
def test_what_could_not_have_been_searched_when_the_job_started_is_left_out(
    changes: dict[str, Any], reason: LeftOut
) -> None:
    assert left_out(point(**changes), search_job(creation_time=STARTED)) is reason


def test_a_type_that_cannot_be_indexed_is_in_no_scope() -> None:
    assert not in_scope(point(resource_type="DynamoDB"))


CONTINUOUS = "arn:aws:backup:us-east-1:000000000000:recovery-point:continuous:bucket-1a2b3c4d"


def test_a_continuous_backup_is_never_left_out_for_its_completion_or_for_being_updated() -> None:
    job = search_job(creation_time=STARTED)
    updated = point(arn=CONTINUOUS, status="CREATING", completed=STARTED.timestamp() + 3600)

    assert left_out(updated, job) is None
    assert not was_still_being_made(updated, job)
    assert left_out(updated._replace(status="DELETING"), job) is LeftOut.DELETING


def test_a_copy_that_was_completed_after_the_start_came_too_late_for_the_search() -> None:
    assert was_still_being_made(point(completed=STARTED.timestamp() + 1), search_job(creation_time=STARTED))


def test_what_a_list_does_not_tell_does_not_narrow_the_scope() -> None:
    assert in_scope(point(source_resource_arn=None), source_arns=(VOLUME,))
    assert in_scope(point(created=None))
    assert in_scope(point(completed=STARTED.timestamp() + 1))  # of a list, nobody knows what it means


def test_a_vault_that_gives_access_to_an_air_gapped_one_cannot_be_indexed_either() -> None:
    job = search_job(creation_time=STARTED)
    vaulted = point(vault_type="RESTORE_ACCESS_BACKUP_VAULT", index_status=None)

    assert reason_not_listed(vaulted, job) is Reason.NOT_SUPPORTED


@pytest.mark.parametrize("status", ["COMPLETED", "AVAILABLE", "PARTIAL", "EXPIRED", "STOPPED", None, "NEW_STATUS"])
def test_whatever_is_still_there_is_in_scope(status: str | None) -> None:
    assert in_scope(point(status=status))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"index_status": None}, Reason.INDEX_MISSING),
        ({"index_status": "PENDING"}, Reason.INDEX_PENDING),
        ({"index_status": "FAILED"}, Reason.INDEX_FAILED),
        ({"index_status": "DELETING"}, Reason.INDEX_DELETING),
        ({"index_status": "ACTIVE"}, Reason.REVIEW),
        ({"index_status": "SOMETHING_NEW"}, Reason.UNKNOWN_STATUS),
        ({"index_status": None, "cold_since": AT.timestamp()}, Reason.ARCHIVED),
        ({"index_status": None, "cold_since": (STARTED + SECOND).timestamp()}, Reason.INDEX_MISSING),
        ({"index_status": None, "vault_type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"}, Reason.NOT_SUPPORTED),
        ({"index_status": None, "resource_type": "EFS"}, Reason.NOT_SUPPORTED),
    ],
    ids=str,
)
def test_a_backup_that_was_not_listed_has_its_reason_from_the_vault(changes: dict[str, Any], reason: Reason) -> None:
    assert reason_not_listed(point(**changes), search_job(creation_time=STARTED)) is reason


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


@pytest.fixture
def table(tmp_path: Path) -> Iterator[RecoveryPointTable]:
    with closing(RecoveryPointTable(tmp_path)) as opened:
        yield opened


def test_the_table_takes_half_a_character_and_finds_it_again(table: RecoveryPointTable) -> None:
    table.add([(point(arn="arn:\ud800", index_status="PENDING"), None), (point(arn="arn:b"), None)])
    table.mark_listed([("arn:\ud800", True), (None, True)])

    assert table.index_of("arn:\ud800") == BackupIndex("Default", "PENDING")
    assert [found.arn for found in table.not_listed()] == ["arn:b"]
    assert (table.points, table.points_listed) == (2, 1)


def test_a_point_that_is_listed_on_two_pages_counts_once(table: RecoveryPointTable) -> None:
    table.add([(point(), None)])
    table.add([(point(), None)])

    assert table.points == 1
    assert list(table.not_listed()) == [point()]
