"""What the indexes of searched backups hold: said, bounded, and never in the way of the report."""

from typing import Any

import pytest

from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.verdict import ThinIndex
from tests.fakes_inventory import BUCKET, STARTED, Take, days_before, point_arn, points

COMPLETE = ("COMPLETE", "COMPLETE")


def backup(end: str, days: float, source: str = BUCKET) -> RecoveryPoint:
    return points(end=end, created=days_before(days), source_resource_arn=source)[0]


def test_an_index_without_any_item_keeps_a_search_from_complete_and_is_named(take: Take) -> None:
    taken = take([backup("empty", 1)], items={"empty": 0})

    assert taken.outcome == ("PARTIAL", "COMPLETE")
    (reason,) = taken.judgement.reasons
    assert reason == f"A backup of {BUCKET} was searched, but its index holds nothing ({point_arn('empty')})."
    assert taken.inventory.thin_indexes == (ThinIndex(point_arn("empty"), BUCKET, "Default", 0),)


def test_a_fall_of_more_than_half_against_the_backup_before_is_a_doubt_with_both_figures(take: Take) -> None:
    held = [backup("older", 9), backup("before", 5), backup("thin", 1)]

    taken = take(held, items={"older": 50, "before": 20_000, "thin": 9_999})

    (reason,) = taken.judgement.reasons
    assert reason == (
        f"A backup of {BUCKET} was searched, but its index holds 9,999 items; "
        f"that of the backup before it holds 20,000 ({point_arn('thin')})."
    )
    (thin,) = taken.inventory.thin_indexes
    assert (thin.previous_arn, thin.previous_items) == (point_arn("before"), 20_000)
    assert taken.vaults.calls["items_in_index"] == 3


@pytest.mark.parametrize(
    ("other", "items"),
    [(backup("other", 5), 2_000), (backup("other", 5, "arn:aws:s3:::other"), 900_000), (backup("other", 0.1), 500)],
    ids=["half", "another source", "a later backup"],
)
def test_a_fall_by_half_or_against_anything_else_is_no_doubt(take: Take, other: RecoveryPoint, items: int) -> None:
    taken = take([backup("fine", 1), other], items={"fine": 1_000, "other": items})

    assert (taken.outcome, taken.message) == (COMPLETE, "")


def test_without_the_figure_of_the_backup_before_an_empty_index_is_a_doubt_all_the_same(take: Take) -> None:
    denied = {("items_in_index", point_arn("before"))}

    taken = take([backup("empty", 1), backup("before", 5)], items={"empty": 0}, denied=denied)

    assert taken.inventory.thin_indexes == (ThinIndex(point_arn("empty"), BUCKET, "Default", 0),)
    assert "known of 0 of the 2 backups" in taken.message


def test_a_backup_that_was_not_searched_is_not_called_thin(take: Take) -> None:
    failed = backup("failed", 1)

    taken = take([failed, backup("fine", 2)], not_searched=[failed], items={"failed": 0, "fine": 10})

    assert (taken.inventory.thin_indexes, taken.vaults.calls["items_in_index"]) == ((), 1)


def test_the_first_of_many_thin_indexes_are_named_and_all_are_counted(take: Take) -> None:
    taken = take(points(5), items={f"p{number}": 0 for number in range(5)})

    *named, rest = taken.judgement.reasons
    assert [point_arn(f"p{number}") in reason for number, reason in enumerate(named)] == [True] * 3
    assert rest.startswith("2 more backups that were searched have an index that holds nothing, or less than half of")
    assert len(taken.inventory.thin_indexes) == 5


@pytest.mark.parametrize(
    ("sources", "message"), [(20, ""), (21, "How much the index holds is known of 20 of the 21 backups")]
)
def test_the_twenty_backups_of_a_search_are_looked_up_with_the_ones_before_them_and_no_more(
    take: Take, sources: int, message: str
) -> None:
    newer = [backup(f"a-{number}", 1, str(number)) for number in range(sources)]
    older = [backup(f"b-{number}", 2, str(number)) for number in range(sources)]

    taken = take(newer, older, not_searched=older)

    assert taken.vaults.calls["items_in_index"] == 40
    assert taken.message.startswith(message) if message else taken.message == ""


def test_more_than_forty_indexes_are_not_looked_up_and_the_message_says_so(take: Take) -> None:
    taken = take(points(50))

    assert (taken.outcome, taken.vaults.calls["items_in_index"]) == (COMPLETE, 40)
    assert taken.message == (
        "How much the index holds is known of 40 of the 50 backups that were searched "
        "(at most 40 indexes are looked up)."
    )


@pytest.mark.parametrize(
    ("given", "known", "why"),
    [
        ({"denied": {("items_in_index", point_arn("p0"))}}, 1, "items_in_index of"),
        ({"denied": {("items_in_index", "*")}}, 0, "items_in_index of"),
        ({"items": {"p0": None}}, 1, ""),
    ],
    ids=["one is denied", "all are denied, which is mentioned once", "AWS does not return the number"],
)
def test_an_unknown_size_of_an_index_is_mentioned_and_changes_no_verdict(
    take: Take, given: dict[str, Any], known: int, why: str
) -> None:
    taken = take(points(2), **given)

    assert taken.outcome == COMPLETE
    assert f"known of {known} of the 2 backups" in taken.message
    assert why in taken.message
    assert taken.message.count("AccessDenied") == ("denied" in given)


def test_the_message_says_that_nothing_was_compared_where_the_scope_may_leave_out_the_backup_before(take: Take) -> None:
    taken = take(points(2), scope={"created_after": STARTED.replace(day=1)})

    assert taken.outcome == COMPLETE
    assert taken.message.startswith("The index of 2 searched backups was not compared")
