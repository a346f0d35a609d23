"""The verdict: never a false COMPLETE."""

from typing import Any

import pytest

from search_coverage.coverage.verdict import BackupCounts, Inventory, InventoryStatus, Verdict, judge
from tests.examples import search_job

OFF = Inventory(InventoryStatus.OFF)
ALL_SEARCHED = BackupCounts(listed=3, searched=3, excluded=0, failed=0)


def test_a_search_is_complete_when_everything_says_so() -> None:
    judgement = judge(search_job(recovery_points_to_scan=3), ALL_SEARCHED, Inventory(InventoryStatus.COMPLETE))

    assert judgement.verdict is Verdict.COMPLETE
    assert judgement.reasons == ()


def test_it_may_be_complete_without_a_count_and_without_an_inventory() -> None:
    assert judge(search_job(recovery_points_to_scan=None), ALL_SEARCHED, OFF).verdict is Verdict.COMPLETE


@pytest.mark.parametrize("status", ["STOPPED", "FAILED", "TIMED_OUT", ""])
def test_a_search_that_did_not_complete_never_counts_as_complete(status: str) -> None:
    judgement = judge(search_job(status=status), ALL_SEARCHED, OFF)

    assert judgement.verdict is Verdict.PARTIAL
    assert "not as COMPLETED" in judgement.reasons[0]


@pytest.mark.parametrize(
    ("changes", "inventory", "words"),
    [
        ({"status_message": "3 recovery points could not be scanned"}, OFF, "3 recovery points could not be scanned"),
        ({"recovery_points_to_scan": 4}, OFF, "set out to scan 4 backups, but lists 3"),
        ({"recovery_points_to_scan": 3, "recovery_points_scanned": 1}, OFF, "but says that it scanned 1"),
        ({"recovery_points_to_scan": 2}, OFF, "set out to scan 2 backups, but lists 3"),
        ({}, Inventory(InventoryStatus.PARTIAL, "a vault could not be read"), "a vault could not be read"),
        ({}, Inventory(InventoryStatus.UNAVAILABLE, "no permission"), "no permission"),
        ({}, Inventory(InventoryStatus.COMPLETE, in_scope=5, not_listed=2), "2 of 5 backups in the scope"),
    ],
)
def test_a_doubt_about_the_whole_search_makes_it_partial_and_says_why(
    changes: dict[str, Any], inventory: Inventory, words: str
) -> None:
    judgement = judge(search_job(**changes), ALL_SEARCHED, inventory)

    assert judgement.verdict is Verdict.PARTIAL
    assert any(words in reason for reason in judgement.reasons)


def test_one_excluded_backup_makes_it_partial() -> None:
    judgement = judge(search_job(), BackupCounts(3, 2, 1, 0), OFF)

    assert judgement.verdict is Verdict.PARTIAL
    assert judgement.reasons == ("1 of 3 backups was not searched.",)


def test_counts_that_do_not_add_up_make_it_partial() -> None:
    assert judge(search_job(), BackupCounts(4, 3, 0, 0), OFF).verdict is Verdict.PARTIAL


@pytest.mark.parametrize("counts", [BackupCounts(0, 0, 0, 0), BackupCounts(2, 0, 2, 1)])
def test_nothing_searched_is_none_and_says_why(counts: BackupCounts) -> None:
    judgement = judge(search_job(), counts, OFF)

    assert judgement.verdict is Verdict.NONE
    assert judgement.reasons
