"""What the indexes of searched backups hold, and what no search can reach: said, bounded, and never in the way."""

from pathlib import Path

import pytest

from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.verdict import NotSearchable, ThinIndex
from tests.fakes_inventory import BUCKET, LATER, STARTED, Search, Taken, days_before, never_indexed, point_arn, points
from tests.fakes_inventory import snapshots as volumes

COMPLETE = ("COMPLETE", "COMPLETE")


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


def backup(search: Search, end: str, days: float, items: int | None, source: str = BUCKET) -> RecoveryPoint:
    """Give a backup of so many days ago, with so many items in its index."""
    (point,) = points(end=end, created=days_before(days), source_resource_arn=source)
    search.vaults.items[point.arn] = items
    return point


def searched(search: Search, *backups: RecoveryPoint) -> Taken:
    search.vaults.hold("Default", backups)
    return search.inventory()


def test_an_index_without_any_item_keeps_a_search_from_complete_and_is_named(search: Search) -> None:
    taken = searched(search, backup(search, "empty", 1, 0))

    assert taken.outcome == ("PARTIAL", "COMPLETE")
    assert taken.judgement.reasons == (
        f"A backup of {BUCKET} was searched, but its index holds nothing ({point_arn('empty')}).",
    )
    assert taken.inventory.thin_indexes == (ThinIndex(point_arn("empty"), BUCKET, "Default", 0, None, None),)


def test_a_fall_of_more_than_half_against_the_backup_before_is_a_doubt_with_both_figures(search: Search) -> None:
    older, before = backup(search, "older", 9, 50), backup(search, "before", 5, 20_000)

    taken = searched(search, older, before, backup(search, "thin", 1, 9_999))

    (reason,) = taken.judgement.reasons
    assert reason == (
        f"A backup of {BUCKET} was searched, but its index holds 9,999 items; "
        f"that of the backup before it holds 20,000 ({point_arn('thin')})."
    )
    (thin,) = taken.inventory.thin_indexes
    assert (thin.previous_arn, thin.previous_items) == (before.arn, 20_000)
    assert search.vaults.calls["items_in_index"] == 3


@pytest.mark.parametrize(
    ("end", "days", "items", "source"),
    [("before", 5, 2_000, BUCKET), ("other", 5, 900_000, "arn:aws:s3:::other"), ("later", 0.1, 900, BUCKET)],
    ids=["half", "another source", "a later backup"],
)
def test_a_fall_by_half_or_against_anything_else_is_no_doubt(
    search: Search, end: str, days: float, items: int, source: str
) -> None:
    taken = searched(search, backup(search, "fine", 1, 1_000), backup(search, end, days, items, source))

    assert (taken.outcome, taken.message) == (COMPLETE, "")


def test_a_backup_that_was_not_searched_is_not_called_thin(search: Search) -> None:
    failed = backup(search, "failed", 1, 0)
    search.vaults.hold("Default", [failed, backup(search, "fine", 2, 10)])

    taken = search.inventory(not_searched=[failed])

    assert taken.inventory.thin_indexes == ()
    assert search.vaults.calls["items_in_index"] == 1


def test_of_many_thin_indexes_the_first_are_named_and_all_are_counted(search: Search) -> None:
    taken = searched(search, *(backup(search, f"empty-{number}", 1, 0) for number in range(5)))

    *named, rest = taken.judgement.reasons
    assert [point_arn(f"empty-{number}") in reason for number, reason in enumerate(named)] == [True] * 3
    assert rest == (
        "2 more backups that were searched have an index that holds nothing, or less than half of the one before it."
    )
    assert len(taken.inventory.thin_indexes) == 5


@pytest.mark.parametrize(
    ("sources", "message"), [(20, ""), (21, "How much the index holds is known of 20 of the 21 backups")]
)
def test_the_twenty_backups_of_a_search_are_looked_up_with_the_ones_before_them_and_no_more(
    search: Search, sources: int, message: str
) -> None:
    pairs = [
        (backup(search, f"a-{number}", 1, 100, str(number)), backup(search, f"b-{number}", 2, 100, str(number)))
        for number in range(sources)
    ]
    search.vaults.hold("Default", *pairs)

    taken = search.inventory(not_searched=[before for _, before in pairs])

    assert search.vaults.calls["items_in_index"] == 40
    assert taken.message.startswith(message) if message else taken.message == ""


def test_more_than_forty_indexes_are_not_looked_up_and_the_message_says_so(search: Search) -> None:
    taken = searched(search, *points(50))

    assert search.vaults.calls["items_in_index"] == 40
    assert taken.outcome == COMPLETE
    assert taken.message == (
        "How much the index holds is known of 40 of the 50 backups that were searched "
        "(at most 40 indexes are looked up)."
    )


@pytest.mark.parametrize(
    ("denied", "known"), [(point_arn("p0"), 1), ("*", 0)], ids=["one index", "every index, which is said once"]
)
def test_an_index_that_cannot_be_looked_up_costs_neither_report_nor_verdict_and_is_said(
    search: Search, denied: str, known: int
) -> None:
    search.vaults.denied.add(("items_in_index", denied))

    taken = searched(search, *points(2))

    assert taken.outcome == COMPLETE
    assert f"known of {known} of the 2 backups" in taken.message
    assert taken.message.count("AccessDenied") == 1
    assert "items_in_index of" in taken.message


def test_a_number_that_aws_does_not_tell_is_not_taken_for_none(search: Search) -> None:
    taken = searched(search, backup(search, "untold", 1, None))

    assert taken.outcome == COMPLETE
    assert "known of 0 of the 1 backups" in taken.message


def test_where_the_scope_may_leave_out_the_backup_before_it_is_said_that_nothing_was_compared(search: Search) -> None:
    search.vaults.hold("Default", points(2))

    taken = search.inventory({"created_after": STARTED.replace(day=1)})

    assert taken.outcome == COMPLETE
    assert taken.message.startswith("The index of 2 searched backups was not compared")


def instances(count: int, days: float, vault: str, status: str = "COMPLETED") -> list[RecoveryPoint]:
    arn = f"arn:aws:ec2:us-east-1::image/ami-{vault}-{days}-{{}}"
    return never_indexed(count, arn=arn, resource_type="EC2", created=days_before(days), status=status)


def test_backups_of_instances_in_the_window_of_a_search_for_ebs_are_counted_by_vault(search: Search) -> None:
    held = instances(5, 3, "a")
    search.vaults.hold("Default", volumes(), held, instances(2, 30, "a"), instances(1, 4, "a", "DELETING"))
    search.vaults.hold("Empty")
    search.vaults.hold("Other", instances(1, 3, "b"), [instances(1, 3, "late")[0]._replace(created=LATER)])

    taken = search.inventory({"resource_types": ("EBS",), "created_after": STARTED.replace(day=13)})

    other = instances(1, 3, "b")[0].arn
    assert taken.inventory.not_searchable == (
        NotSearchable("Default", 5, tuple(point.arn for point in held[:3])),
        NotSearchable("Other", 1, (other,)),
    )
    assert taken.inventory.not_searchable_is_all
    assert (taken.outcome, taken.exclusions) == (COMPLETE, [])


def test_a_search_for_s3_counts_no_instances(search: Search) -> None:
    taken = searched(search, *points(), *instances(1, 3, "a"))

    assert taken.inventory.not_searchable == ()
    assert search.vaults.calls["points_of_vault"] == 1


def test_instances_that_cannot_be_counted_are_said_and_change_no_verdict(search: Search) -> None:
    search.vaults.hold("Default", volumes(), instances(1, 3, "a"))
    search.vaults.denied.add(("points_of_vault", "EC2"))

    taken = search.inventory({"resource_types": ("EBS",)})

    assert (taken.outcome, taken.inventory.not_searchable) == (COMPLETE, ())
    assert not taken.inventory.not_searchable_is_all
    assert "The backups of EC2 instances in 1 vault could not be counted: points_of_vault of Default" in taken.message
