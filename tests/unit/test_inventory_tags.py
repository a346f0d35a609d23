"""Searches by tags: those of a backup of EBS are known to EC2, the others to AWS Backup."""

from pathlib import Path

import pytest

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.verdict import BackupCounts, EarlierReport, judge
from tests.fakes_inventory import Search, Taken, never_indexed, points, snapshots

PII, BOTH = {"pii": "yes"}, {"pii": "yes", "team": "hr"}
COMPLETE, PARTIAL = ("COMPLETE", "COMPLETE"), ("PARTIAL", "PARTIAL")


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


def ebs_inventory(search: Search, tags: dict[str, str], *groups: tuple[list[RecoveryPoint], dict[str, str]]) -> Taken:
    """Take the inventory of a search for EBS by tags, over snapshots with their tags."""
    search.vaults.hold("Default", *(group for group, _ in groups))
    search.snapshots.tags_of = {point.arn: tags for group, tags in groups for point in group}
    return search.inventory(
        {"resource_types": ("EBS",), "tags": tuple(tags.items())},
        listed=[point for group, held in groups for point in group if held == tags and point.index_status],
    )


def test_a_search_for_ebs_by_tags_is_complete_where_nothing_else_carries_them(search: Search) -> None:
    taken = ebs_inventory(
        search, PII, (snapshots(3), PII), (snapshots(450, "b{}"), {"pii": "no"}), (snapshots(2, "c{}"), {})
    )

    assert taken.outcome == COMPLETE
    assert (taken.inventory.in_scope, taken.inventory.not_listed) == (3, 0)
    assert search.snapshots.calls == [200, 200, 52]
    assert search.vaults.calls["tags"] == 0


def test_a_snapshot_with_the_tags_that_was_never_indexed_is_missing(search: Search) -> None:
    without_index = snapshots(4, "b{}", index_status=None), snapshots(5, "c{}", index_status=None)

    taken = ebs_inventory(search, PII, (snapshots(3), PII), (without_index[0], PII), (without_index[1], {}))

    assert (taken.judgement.verdict, taken.reasons) == ("PARTIAL", {Reason.INDEX_MISSING: 4})


def test_a_snapshot_with_some_of_the_tags_stays_a_doubt(search: Search) -> None:
    taken = ebs_inventory(search, BOTH, (snapshots(3), BOTH), (snapshots(2, "b{}", index_status=None), PII))

    assert taken.outcome == PARTIAL
    assert "2 backups that the search does not list carry some of its tags" in taken.message


def test_a_snapshot_that_ec2_does_not_show_is_a_doubt_and_none_without_tags(search: Search) -> None:
    search.vaults.hold("Island", snapshots(end="island", index_status=None))

    taken = ebs_inventory(search, PII, (snapshots(3), PII))

    assert taken.outcome == PARTIAL
    assert "The tags of 1 backups" in taken.message


def test_tags_of_snapshots_that_cannot_be_read_are_a_doubt_that_says_why(search: Search) -> None:
    search.snapshots.is_denied = True

    taken = ebs_inventory(search, PII, (snapshots(3), PII), (snapshots(2, "b{}", index_status=None), {}))

    assert taken.outcome == PARTIAL
    assert "The tags of 2 backups" in taken.message
    assert "DescribeSnapshots answered UnauthorizedOperation" in taken.message


def test_where_the_scope_has_no_tags_ec2_is_not_even_connected_to(search: Search) -> None:
    search.vaults.hold("Default", snapshots(3), snapshots(end="b", index_status=None))
    del search.snapshots  # `Search` gives it when it is asked for it

    assert search.inventory({"resource_types": ("EBS",)}).inventory.not_listed == 1


def test_a_recovery_point_of_aws_backup_is_in_scope_by_its_own_tags(search: Search) -> None:
    wanted, other = never_indexed(2)
    search.vaults.tags_of = {wanted.arn: PII, other.arn: {"pii": "no"}}
    search.vaults.hold("Default", points(7), [wanted, other])

    taken = search.inventory({"tags": tuple(PII.items())})

    assert [exclusion.backup.backup_arn for exclusion in taken.exclusions] == [wanted.arn]
    assert taken.outcome == ("PARTIAL", "COMPLETE")


def test_tags_that_cannot_be_read_leave_it_open_whether_a_backup_was_meant_and_are_asked_for_forty_times(
    search: Search,
) -> None:
    search.vaults.hold("Default", points(7), never_indexed(207))
    search.vaults.denied.add(("tags", "*"))

    taken = search.inventory({"tags": tuple(PII.items())})

    assert (taken.inventory.status, taken.inventory.not_listed) == ("PARTIAL", 0)
    assert "The tags of 207 backups" in taken.message
    # Four ask side by side, so a few more may be on their way
    assert 40 <= search.vaults.calls["tags"] <= 43


def test_tags_for_which_there_is_no_time_are_unknown(search: Search) -> None:
    search.vaults.hold("Default", points(7), never_indexed(300))
    search.vaults.seconds = {"tags": 1.0}

    taken = search.inventory({"tags": tuple(PII.items())}, seconds=10.0)

    assert taken.outcome == PARTIAL
    assert f"The tags of {300 - 10} backups" in taken.message


def test_a_half_match_stays_a_doubt_when_the_report_is_made_again_and_the_backup_is_gone(search: Search) -> None:
    first = ebs_inventory(search, BOTH, (snapshots(3), BOTH), (snapshots(1, "b{}", index_status=None), PII))
    again = ebs_inventory(search, BOTH, (snapshots(3), BOTH))
    assert (first.judgement.verdict, again.outcome) == ("PARTIAL", COMPLETE)

    earlier = EarlierReport(first.judgement.verdict, "2026-11-20T09:10:00Z")
    judgement = judge(search.job({}), BackupCounts(3, 3, 0, 0), again.inventory, earlier=earlier)

    assert judgement.verdict == "PARTIAL"
    assert "Only a new search can be COMPLETE" in judgement.reasons[0]
