"""The verdict: never a false COMPLETE."""

from typing import Any

import pytest

from search_coverage.coverage.recovery_point import LeftOut
from search_coverage.coverage.verdict import BackupCounts, Inventory, InventoryStatus, Judgement, Verdict, judge
from tests.examples import search_job

OFF = Inventory(InventoryStatus.OFF)
ALL_SEARCHED = BackupCounts(listed=3, searched=3, excluded=0, failed=0)


def gone(count: int) -> Inventory:
    return Inventory(InventoryStatus.COMPLETE, left_out={LeftOut.GONE: count})


@pytest.mark.parametrize(
    ("expected", "inventory"), [(3, Inventory(InventoryStatus.COMPLETE)), (None, OFF)], ids=["all", "no more is known"]
)
def test_a_search_is_complete_when_everything_that_is_known_says_so(expected: int | None, inventory: Inventory) -> None:
    judgement = judge(search_job(recovery_points_to_scan=expected), ALL_SEARCHED, inventory)

    assert judgement == Judgement(Verdict.COMPLETE, ())


@pytest.mark.parametrize(
    ("changes", "inventory", "words"),
    [
        *(({"status": status}, OFF, "not as COMPLETED") for status in ("STOPPED", "FAILED", "TIMED_OUT", "")),
        ({"status_message": "3 recovery points could not be scanned"}, OFF, "3 recovery points could not be scanned"),
        ({"recovery_points_to_scan": 4}, OFF, "set out to scan 4 backups, but lists 3"),
        ({"recovery_points_to_scan": 3, "recovery_points_scanned": 1}, OFF, "but says that it scanned 1"),
        ({"recovery_points_to_scan": 2}, OFF, "set out to scan 2 backups, but lists 3"),
        ({}, Inventory(InventoryStatus.PARTIAL, "a vault could not be read"), "a vault could not be read"),
        ({}, Inventory(InventoryStatus.UNAVAILABLE, "no permission"), "no permission"),
        ({}, Inventory(InventoryStatus.COMPLETE, in_scope=5, not_listed=2), "2 of 5 backups in the scope"),
        ({}, gone(1), "1 backup that matches the scope of the search and is not in its list is being deleted or"),
        ({}, gone(2000), "2,000 backups that match the scope of the search and are not in its list are being deleted"),
    ],
)
def test_a_doubt_about_the_whole_search_makes_it_partial_and_says_why(
    changes: dict[str, Any], inventory: Inventory, words: str
) -> None:
    judgement = judge(search_job(**changes), ALL_SEARCHED, inventory)

    assert judgement.verdict is Verdict.PARTIAL
    assert any(words in reason for reason in judgement.reasons)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (BackupCounts(3, 2, 1, 0), "1 of 3 backups was not searched."),
        (BackupCounts(4, 3, 0, 0), "The counts do not add up: 4 listed, 3 searched, 0 excluded, 0 of them not listed."),
    ],
)
def test_an_excluded_backup_and_counts_that_do_not_add_up_make_it_partial(counts: BackupCounts, reason: str) -> None:
    assert judge(search_job(), counts, OFF) == Judgement(Verdict.PARTIAL, (reason,))


@pytest.mark.parametrize("counts", [BackupCounts(0, 0, 0, 0), BackupCounts(2, 0, 2, 1)])
def test_nothing_searched_is_none_and_says_why(counts: BackupCounts) -> None:
    judgement = judge(search_job(), counts, OFF)

    assert judgement.verdict is Verdict.NONE
    assert judgement.reasons
