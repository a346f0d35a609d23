"""The vaults are read to their end, or the posture says which were not."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.posture import SourcePosture
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.searchability import search_now
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.inventory.posture_reader import PostureReader
from search_coverage.inventory.posture_table import PostureTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.vault_contents import VaultContents
from search_coverage.inventory.vault_lists import VaultLists
from tests.fakes_inventory import LATER, STARTED, FakeVaults, days_before, never_indexed, points, volumes

INSTANCES = points(4, end="i{}", resource_type="EC2", vault="images")


@dataclass
class Read:
    """What was read of an account."""

    vaults: FakeVaults
    contents: VaultContents
    sources: list[SourcePosture]
    left_out: int

    @property
    def held(self) -> dict[str, int]:
        """How many backups a vault's sources have, by the state of their newest."""
        return {source.searchability.value: source.counts.backups for source in self.sources}


def read(folder: Path, *held: Sequence[RecoveryPoint], seconds: float = 300.0, **fake: Any) -> Read:
    """Read an account as a posture does."""
    vaults = FakeVaults([point for group in held for point in group], **fake)
    with PostureTable(folder) as table:
        lists = VaultLists(vaults, TimeBudget(seconds, vaults.clock))
        contents = PostureReader(search_now("000000000000", "us-east-1", STARTED), lists, table).read()
        table.finish_adding(STARTED)
        return Read(vaults, contents, list(table.sources()), table.left_out)


def test_s3_and_ebs_of_all_vaults_are_read_page_by_page_and_other_types_are_not(tmp_path: Path) -> None:
    other = points(3, end="r{}", resource_type="RDS")

    found = read(tmp_path, points(7), volumes(3, vault="disks"), INSTANCES, other, more_vaults=("empty",), page_size=2)

    assert [(source.resource_type, source.counts.backups) for source in found.sources] == [("EBS", 3), ("S3", 7)]
    assert [vault.name for vault in found.contents.vaults] == ["Default", "disks", "empty", "images"]
    assert (found.contents.vaults_read, found.contents.problems) == (4, ())
    assert found.contents.not_counted == ()


def test_backups_of_instances_are_counted_by_vault_with_examples(tmp_path: Path) -> None:
    creating = points(end="new", resource_type="EC2", vault="images", status="CREATING")

    found = read(tmp_path, INSTANCES, creating, points(2))

    examples = tuple(point.arn for point in INSTANCES[:3])
    assert found.contents.not_searchable == (NotSearchable("images", 4, examples),)


def test_a_backup_that_is_being_made_or_deleted_or_came_later_does_not_count(tmp_path: Path) -> None:
    odd = [points(end=status, status=status)[0] for status in ("CREATING", "DELETING")]
    continuous = points(end="continuous:bucket", status="CREATING")

    found = read(tmp_path, odd, continuous, points(end="later", created=LATER), points(end="expired", status="EXPIRED"))

    assert (found.held, found.left_out) == ({"SEARCHABLE": 2}, 3)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "SEARCHABLE"),
        ({"index_status": None}, "INDEX_MISSING"),
        ({"index_status": "PENDING"}, "INDEX_PENDING"),
        ({"index_status": "FAILED"}, "INDEX_FAILED"),
        ({"index_status": "DELETING"}, "INDEX_DELETING"),
        ({"index_status": "active"}, "UNKNOWN_STATUS"),
        ({"index_status": ""}, "UNKNOWN_STATUS"),
        ({"cold_since": days_before(1)}, "ARCHIVED"),
        ({"cold_since": LATER}, "SEARCHABLE"),
        ({"vault_type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"}, "AIR_GAPPED"),
        ({"vault_type": "RESTORE_ACCESS_BACKUP_VAULT", "cold_since": days_before(1)}, "AIR_GAPPED"),
        ({"vault_type": None, "status": None, "created": None, "completed": None, "role_arn": None}, "SEARCHABLE"),
    ],
)
def test_a_backup_is_searchable_only_with_an_active_index_in_a_place_that_is_searched(
    tmp_path: Path, changes: dict[str, Any], state: str
) -> None:
    assert read(tmp_path, points(**changes)).held == {state: 1}


def test_a_backup_that_two_pages_hold_counts_once(tmp_path: Path) -> None:
    assert read(tmp_path, points(3), points(2), page_size=3).held == {"SEARCHABLE": 3}


def test_a_vault_that_cannot_be_read_is_a_problem_and_stops_no_other(tmp_path: Path) -> None:
    locked = [f"locked-{number}" for number in range(3)]
    denied = {("points_of_vault", name) for name in locked}

    found = read(tmp_path, points(7), INSTANCES, more_vaults=locked, denied=denied)

    assert found.held == {"SEARCHABLE": 7}
    assert found.contents.vaults_read == 2
    # Each vault is named once, however many of its lists fail
    assert [problem.split()[2] for problem in found.contents.problems] == locked
    assert len(found.contents.not_counted) == 3


def test_a_list_that_breaks_off_is_a_problem_and_what_was_read_counts(tmp_path: Path) -> None:
    found = read(tmp_path, points(7), volumes(3), denied={("points_of_vault", "EBS")})

    assert found.held == {"SEARCHABLE": 7}
    assert (found.contents.vaults_read, len(found.contents.problems)) == (0, 1)


def test_instances_that_cannot_be_counted_are_no_problem_of_the_backups(tmp_path: Path) -> None:
    found = read(tmp_path, points(7), INSTANCES, denied={("points_of_vault", "EC2")})

    assert (found.contents.problems, found.contents.not_searchable) == ((), ())
    assert len(found.contents.not_counted) == found.contents.vaults_read == 2


def test_without_the_list_of_vaults_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(AwsCallFailed, match="vaults of Default failed"):
        read(tmp_path, points(), denied={("vaults", "*")})


@pytest.mark.parametrize(
    ("slow", "problem", "counted"),
    [
        ({"vaults": 11.0}, "There was no time to list the vaults to the end.", 0),
        ({"vaults": 4.0}, "There was no time to read vault vault-2.", 0),
        ({"points_of_vault": 2.0}, "There was no time to read vault vault-0 to its end.", 1),
    ],
)
def test_time_that_runs_out_is_a_problem(tmp_path: Path, slow: dict[str, float], problem: str, counted: int) -> None:
    held = [points(9, end=f"{number}-{{}}", vault=f"vault-{number}") for number in range(3)]

    found = read(tmp_path, *held, seconds=10.0, slow=slow, page_size=1)

    assert problem in found.contents.problems
    assert found.contents.vaults_read < 3
    assert sum(source.counts.backups for source in found.sources) >= counted
    # What was begun ends with the page under way
    assert found.vaults.now <= 10.0 + 4 * max(slow.values())


def test_an_error_of_our_own_is_not_taken_for_one_of_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(PostureTable, "add", broken)

    with pytest.raises(sqlite3.OperationalError) as raised:
        read(tmp_path, points(), never_indexed(), seconds=10.0)
    assert raised.value.__notes__ == ["reading vault Default"]
    assert not list(tmp_path.iterdir())
