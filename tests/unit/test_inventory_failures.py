"""What goes wrong with an inventory: it is never COMPLETE then, says why, and never stops a report."""

import shutil
import sqlite3
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from search_coverage.inventory.table import RecoveryPointTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.use_cases.take_inventory import TakeInventory
from tests.fakes_inventory import BUCKET, STARTED, FakeVaults, Take, job_with, never_indexed, points, volumes

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil has it
PARTIAL, UNAVAILABLE = ("PARTIAL", "PARTIAL"), ("PARTIAL", "UNAVAILABLE")
HELD = (points(7), never_indexed(3))


def broken(*_: object, **__: object) -> Any:
    raise sqlite3.OperationalError("disk I/O error")


def test_a_vault_that_cannot_be_read_makes_the_inventory_partial_and_says_so(take: Take) -> None:
    taken = take(*HELD, more_vaults=("locked",), denied={("points_of_vault", "locked")})

    assert (taken.outcome, taken.inventory.vaults, len(taken.exclusions)) == (PARTIAL, 1, 3)
    assert "points_of_vault of locked failed" in taken.message
    assert not taken.inventory.not_searchable_is_all
    assert any("The inventory of the vaults is PARTIAL" in reason for reason in taken.judgement.reasons)


def test_the_first_of_many_vaults_that_cannot_be_read_are_named(take: Take) -> None:
    locked = [f"locked-{number}" for number in range(8)]

    message = take(*HELD, more_vaults=locked, denied={("points_of_vault", name) for name in locked}).message

    assert [name in message for name in locked] == [True] * 5 + [False] * 3
    assert message.endswith("And 3 more of the kind.")


def test_a_source_that_cannot_be_read_is_not_a_vault_that_was_and_the_scope_is_at_least_what_is_known(
    take: Take,
) -> None:
    taken = take(*HELD, scope={"source_arns": (BUCKET,)}, denied={("points_of_vault", BUCKET)})

    assert (taken.inventory.vaults, taken.inventory.scope_in_words) == (0, "at least 7")


def test_without_the_list_of_vaults_the_inventory_is_unavailable(take: Take) -> None:
    taken = take(*HELD, denied={("vaults", "*")})

    assert (taken.outcome, taken.inventory.vaults, taken.inventory.in_scope) == (UNAVAILABLE, 0, None)
    assert "vaults of Default failed" in taken.message


@pytest.mark.parametrize(
    ("slow", "message"),
    [
        ("vaults", "There was no time to list the vaults to the end."),
        ("vaults", "There was no time to read vault Default."),
        ("points_of_vault", "There was no time to read vault Default to its end."),
    ],
)
def test_an_inventory_that_takes_longer_than_its_share_ends_and_says_so(take: Take, slow: str, message: str) -> None:
    taken = take(*HELD, more_vaults=("Other",), page_size=1, seconds=10.0, slow={slow: 11.0})

    assert taken.outcome == PARTIAL
    assert message in taken.message
    assert taken.vaults.calls["points_of_vault"] <= 2  # one page of each vault


def test_the_progress_of_reading_is_logged_every_ten_seconds(take: Take, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    take(points(5), page_size=1, slow={"points_of_vault": 6.0})

    assert [record.message for record in caplog.records] == ["reading vaults", "reading vaults", "vaults read"]


def test_a_comparison_for_which_there_is_no_time_is_cut_and_counted(take: Take) -> None:
    taken = take(points(7), never_indexed(600, role_arn=None), seconds=250.0, spare=100.0, slow={"with_details": 1.0})

    named = len(taken.exclusions)
    assert 100 <= taken.vaults.calls["with_details"] <= 104  # four ask side by side
    assert (taken.outcome, taken.inventory.not_listed, taken.inventory.in_scope) == (PARTIAL, named, 607)
    assert 0 < named < 600
    assert f"There was no time to name {600 - named} more backups" in taken.message


def test_time_that_the_report_spends_on_the_list_does_not_count(take: Take) -> None:
    taken = take(*HELD, seconds=10.0, list_takes=1000.0)

    assert (taken.outcome, len(taken.exclusions)) == (("PARTIAL", "COMPLETE"), 3)


def test_time_used_to_read_the_vaults_is_not_available_for_the_comparison(take: Take) -> None:
    slow = {"points_of_vault": 8.0, "with_details": 1.0}

    taken = take(points(7), never_indexed(20, role_arn=None), seconds=10.0, slow=slow)

    assert taken.vaults.calls["with_details"] <= 7  # two seconds are left, and four ask side by side


def test_a_time_budget_runs_while_it_is_not_paused_and_can_be_cut() -> None:
    vaults = FakeVaults([])
    budget = TimeBudget(10.0, vaults.clock)
    for now, act in ((4.0, budget.pause), (1000.0, budget.resume)):
        vaults.now = now
        act()
    assert [budget.is_used_up() for vaults.now in (1006.0, 1006.1)] == [False, True]

    vaults.now = 1001.0
    budget.pause()
    budget.resume(at_most=1.0)
    assert [budget.is_used_up() for vaults.now in (1002.0, 1002.1)] == [False, True]


@pytest.mark.parametrize(
    ("method", "step"),
    [
        ("__init__", "reading the vaults"),
        ("add", "reading vault Default"),
        ("mark_listed", "comparing it with the list"),
        ("index_of", "looking up a backup"),
        ("not_listed", "comparing it with the list"),
        ("points_listed", "comparing it with the list"),
    ],
)
def test_a_broken_table_costs_the_inventory_and_not_the_report(
    take: Take, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str, step: str
) -> None:
    monkeypatch.setattr(RecoveryPointTable, method, property(broken) if method == "points_listed" else broken)

    taken = take(*HELD, not_searched=points())

    named = 3 if method == "points_listed" else 0  # what was given before it broke counts
    assert (taken.outcome, len(taken.exclusions), taken.inventory.not_listed or 0) == (UNAVAILABLE, named, named)
    assert taken.message == f"It was given up while {step}: OperationalError('disk I/O error')."
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.message == "the inventory is given up"
    assert record.exc_info


def test_what_was_found_before_an_inventory_is_given_up_stays_in_it(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecoveryPointTable, "not_listed", broken)

    instance = never_indexed(resource_type="EC2")
    ebs = {"resource_types": ("EBS",)}

    taken = take(volumes(), instance, scope=ebs, more_vaults=("locked",), denied={("points_of_vault", "locked")})

    assert (taken.inventory.vaults, taken.inventory.not_searchable[0].backups) == (1, 1)
    assert taken.message.startswith("points_of_vault of locked failed")
    assert "disk I/O error" in taken.message


def test_an_error_of_our_own_while_a_vault_is_read_is_logged_with_its_vault(
    take: Take, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeVaults, "points_of_vault", broken)

    taken = take(*HELD)

    assert taken.outcome == UNAVAILABLE
    assert taken.message.startswith("It was given up while reading vault Default: ")
    assert "Traceback" in caplog.text


def test_a_client_that_cannot_be_made_costs_the_inventory_and_not_the_report(tmp_path: Path) -> None:
    with TakeInventory(broken, broken, lambda: STARTED).run(job_with(), tmp_path, 300.0) as inventory:
        assert not list(inventory.not_listed(300.0))
        assert inventory.result(7).status == "UNAVAILABLE"


def test_a_table_that_is_full_gives_its_disk_back_while_the_report_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 2_000_000))
    take = TakeInventory(lambda: FakeVaults(never_indexed(3000)), broken, lambda: STARTED)

    with take.run(job_with(), tmp_path, 300.0) as inventory:
        assert not list(tmp_path.iterdir())
        result = inventory.result(7)

    assert result.status == "UNAVAILABLE"
    assert "full" in (result.message or "")
