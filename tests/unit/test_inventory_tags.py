"""Searches by tags: EC2 returns those of a backup of EBS, AWS Backup the others."""

import pytest

from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.verdict import BackupCounts, EarlierReport, judge
from tests.fakes_inventory import Take, Taken, job_with, never_indexed, points, volumes

PII, BOTH = {"pii": "yes"}, {"pii": "yes", "team": "hr"}
COMPLETE, PARTIAL = ("COMPLETE", "COMPLETE"), ("PARTIAL", "PARTIAL")
S3 = {"tags": tuple(PII.items())}


def search_ebs(
    take: Take, tags: dict[str, str], *others: tuple[list[RecoveryPoint], dict[str, str] | None], **given: object
) -> Taken:
    """Search EBS by tags, and list three volumes; the others come with their tags; None: EC2 does not return it."""
    listed = volumes(3, "listed-{}")
    tags_of = {point.arn.partition("snap-")[2]: held for group, held in others for point in group if held is not None}
    scope = {"resource_types": ("EBS",), "tags": tuple(tags.items())}
    return take(listed, *(group for group, _ in others), listed=listed, tags_of=tags_of, scope=scope, **given)


def test_a_search_for_ebs_by_tags_is_complete_where_nothing_else_carries_them(take: Take) -> None:
    taken = search_ebs(take, PII, (volumes(450), {"pii": "no"}), (volumes(2, "b{}"), {}))

    assert taken.outcome == COMPLETE
    assert (taken.inventory.in_scope, taken.inventory.not_listed) == (3, 0)
    assert (taken.vaults.calls["tags_of_snapshots"], taken.vaults.calls["tags"]) == (3, 0)  # 200 per call


def test_a_snapshot_with_the_tags_is_missing(take: Take) -> None:
    taken = search_ebs(take, PII, (volumes(4, index_status=None), PII), (volumes(5, "b{}", index_status=None), {}))

    assert (taken.judgement.verdict, taken.reasons) == ("PARTIAL", {"INDEX_MISSING": 4})


@pytest.mark.parametrize(
    ("tags", "denied", "message"),
    [
        (PII, (), "2 backups that the search does not list carry some of the tags"),
        (None, (), "The tags of 2 backups"),
        (PII, {("tags_of_snapshots", "*")}, "The tags of 2 backups"),
        (PII, {("tags_of_snapshots", "*")}, "tags_of_snapshots of snapshots failed"),
    ],
    ids=["some of the tags", "a snapshot that EC2 does not show", "EC2 denies it", "EC2 denies it, and why"],
)
def test_a_snapshot_that_may_be_in_scope_is_a_doubt(
    take: Take, tags: dict[str, str] | None, denied: set[tuple[str, str]], message: str
) -> None:
    taken = search_ebs(take, BOTH, (volumes(2, index_status=None), tags), denied=denied)

    assert taken.outcome == PARTIAL
    assert message in taken.message


def test_without_time_ec2_is_not_called_and_the_tags_are_unknown(take: Take) -> None:
    volume = volumes(1, index_status=None, role_arn=None)

    taken = search_ebs(take, BOTH, (volume, BOTH), seconds=10.0, slow={"with_details": 11.0})

    assert (taken.outcome, taken.vaults.calls["tags_of_snapshots"]) == (PARTIAL, 0)
    assert "The tags of 1 backups" in taken.message


def test_a_half_match_stays_a_doubt_when_the_report_is_made_again_and_the_backup_is_gone(take: Take) -> None:
    first, again = search_ebs(take, BOTH, (volumes(1, index_status=None), PII)), search_ebs(take, BOTH)
    assert (first.outcome, again.outcome) == (PARTIAL, COMPLETE)

    earlier = EarlierReport(first.judgement.verdict, "2026-11-20T09:10:00Z")
    judgement = judge(job_with(), BackupCounts(3, 3, 0, 0), again.inventory, earlier=earlier)

    assert judgement.verdict == "PARTIAL"
    assert "Only a new search can be COMPLETE" in judgement.reasons[0]


def test_without_tags_in_the_scope_ec2_is_not_called(take: Take) -> None:
    taken = take(volumes(3), volumes(1, "b", index_status=None), scope={"resource_types": ("EBS",)})

    assert (taken.inventory.not_listed, taken.vaults.calls["snapshots"]) == (1, 0)


def test_a_recovery_point_of_aws_backup_is_in_scope_by_its_own_tags(take: Take) -> None:
    taken = take(points(7), never_indexed(2), scope=S3, tags_of={"never-0": PII, "never-1": {"pii": "no"}})

    assert (taken.outcome, len(taken.exclusions)) == (("PARTIAL", "COMPLETE"), 1)
    assert taken.exclusions[0].backup.backup_arn == never_indexed()[0].arn


def test_tags_that_cannot_be_read_leave_a_doubt_and_are_requested_at_most_forty_times(
    take: Take,
) -> None:
    taken = take(points(7), never_indexed(207), scope=S3, denied={("tags", "*")})

    assert (taken.outcome, taken.inventory.not_listed) == (PARTIAL, 0)
    assert "The tags of 207 backups" in taken.message
    assert 40 <= taken.vaults.calls["tags"] <= 43  # four ask side by side, so a few more may be on their way


def test_tags_for_which_there_is_no_time_are_unknown(take: Take) -> None:
    tags_of = {f"never-{number}": PII for number in range(300)}

    taken = take(points(7), never_indexed(300), scope=S3, seconds=10.0, slow={"tags": 1.0}, tags_of=tags_of)

    named = len(taken.exclusions)
    assert taken.outcome == PARTIAL
    assert 7 <= named <= 10  # four are asked for side by side, and the time may be up for all of them
    assert f"The tags of {300 - named} backups" in taken.message
