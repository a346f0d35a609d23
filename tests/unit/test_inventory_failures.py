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
from tests.fakes_inventory import BUCKET, STARTED, FakeVaults, Search, never_indexed, points

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil has it
PARTIAL, UNAVAILABLE = ("PARTIAL", "PARTIAL"), ("PARTIAL", "UNAVAILABLE")


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """A search that lists seven backups of ten."""
    search = Search(tmp_path)
    search.vaults.hold("Default", points(7), never_indexed(3))
    return search


def broken(*_: object, **__: object) -> Any:
    raise sqlite3.OperationalError("disk I/O error")


def test_a_vault_that_cannot_be_read_makes_the_inventory_partial_and_says_so(search: Search) -> None:
    search.vaults.hold("locked")
    search.vaults.denied.add(("points_of_vault", "locked"))

    taken = search.inventory()

    assert taken.outcome == PARTIAL
    assert (taken.inventory.vaults, len(taken.exclusions)) == (1, 3)
    assert "points_of_vault of locked failed" in taken.message
    assert any("The inventory of the vaults is PARTIAL" in reason for reason in taken.judgement.reasons)


def test_of_many_vaults_that_cannot_be_read_the_first_are_named(search: Search) -> None:
    for number in range(8):
        search.vaults.hold(f"locked-{number}")
        search.vaults.denied.add(("points_of_vault", f"locked-{number}"))

    message = search.inventory().message

    assert [f"locked-{number}" in message for number in range(8)] == [True] * 5 + [False] * 3
    assert message.endswith("And 3 more of the kind.")


def test_a_source_that_cannot_be_read_is_not_a_vault_that_was_and_the_scope_is_at_least_what_is_known(
    search: Search,
) -> None:
    search.vaults.denied.add(("points_of_vault", BUCKET))

    inventory = search.inventory({"source_arns": (BUCKET,)}).inventory

    assert (inventory.vaults, inventory.scope_in_words) == (0, "at least 7")


def test_without_the_list_of_vaults_the_inventory_is_unavailable(search: Search) -> None:
    search.vaults.denied.add(("vaults", "*"))

    taken = search.inventory()

    assert taken.outcome == UNAVAILABLE
    assert (taken.inventory.vaults, taken.inventory.in_scope, taken.inventory.not_listed) == (0, None, None)
    assert "vaults of Default failed" in taken.message


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        ({"vaults": 11.0}, "There was no time to list the vaults to the end."),
        ({"vaults": 11.0}, "There was no time to read vault Default."),
        ({"points_of_vault": 3.0}, "There was no time to read vault Default to its end."),
    ],
)
def test_an_inventory_that_takes_longer_than_its_share_ends_and_says_so(
    search: Search, seconds: dict[str, float], message: str
) -> None:
    search.vaults.seconds, search.vaults.page_size = seconds, 1
    search.vaults.hold("Other")

    taken = search.inventory(seconds=10.0)

    assert taken.outcome == PARTIAL
    assert message in taken.message
    assert search.vaults.calls["points_of_vault"] <= 8  # four readers look at the clock after each page


def test_a_comparison_for_which_there_is_no_time_is_cut_and_counted(search: Search) -> None:
    search.vaults.hold("Many", never_indexed(600, "many-{}", role_arn=None))
    search.vaults.seconds = {"with_details": 1.0}

    taken = search.inventory(seconds=100.0)

    named = len(taken.exclusions)
    assert (taken.outcome, taken.inventory.not_listed, taken.inventory.in_scope) == (PARTIAL, named, 610)
    assert 0 < named < 603
    assert f"There was no time to name {603 - named} more backups" in taken.message


def test_time_that_the_report_spends_on_the_list_does_not_count(search: Search) -> None:
    budget = TimeBudget(10.0, search.vaults.clock)
    search.vaults.now = 4.0
    budget.pause()
    search.vaults.now = 1000.0
    budget.resume(at_most=20.0)
    search.vaults.now = 1006.0
    assert not budget.is_used_up()
    search.vaults.now = 1006.1
    assert budget.is_used_up()

    budget = TimeBudget(10.0, search.vaults.clock)
    budget.resume(at_most=1.0)
    search.vaults.now += 1.1
    assert budget.is_used_up()


@pytest.mark.parametrize(
    ("method", "step"),
    [
        ("__init__", "reading the vaults"),
        ("add", "reading the vaults"),
        ("mark_listed", "comparing it with the list"),
        ("index_of", "looking up a backup"),
        ("not_listed", "comparing it with the list"),
        ("points_listed", "comparing it with the list"),
    ],
)
def test_a_broken_table_costs_the_inventory_and_not_the_report(
    search: Search, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str, step: str
) -> None:
    monkeypatch.setattr(RecoveryPointTable, method, property(broken) if method == "points_listed" else broken)

    taken = search.inventory(not_searched=points())

    named = len(taken.exclusions)
    assert (taken.outcome, taken.inventory.not_listed) == (UNAVAILABLE, named or None)
    assert named == (3 if method == "points_listed" else 0)
    assert taken.message == f"It was given up while {step}: OperationalError('disk I/O error')."
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.message == "the inventory is given up"
    assert record.exc_info


def test_what_was_found_before_an_inventory_is_given_up_stays_in_it(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.vaults.hold("locked")
    search.vaults.denied.add(("points_of_vault", "locked"))
    monkeypatch.setattr(RecoveryPointTable, "not_listed", broken)

    taken = search.inventory()

    assert taken.inventory.vaults == 1
    assert taken.message.startswith("points_of_vault of locked failed")
    assert "disk I/O error" in taken.message


def test_an_error_of_our_own_while_a_vault_is_read_is_logged_with_its_vault(
    search: Search, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(*_: object, **__: object) -> Any:
        raise TypeError("our own mistake")

    search.vaults.points_of_vault = wrong  # type: ignore[method-assign]

    assert search.inventory().outcome == UNAVAILABLE
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "while reading vault Default" in caplog.text
    assert record.exc_info


def test_a_client_that_cannot_be_made_costs_the_inventory_and_not_the_report(tmp_path: Path) -> None:
    job = Search(tmp_path).job({})
    take = TakeInventory(broken, broken, lambda: STARTED)

    with take.run(job, tmp_path, 300.0) as inventory:
        assert not list(inventory.not_listed(300.0))
        assert inventory.result(7).status == "UNAVAILABLE"


def test_a_table_that_is_full_gives_its_disk_back_while_the_report_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaults = FakeVaults()
    vaults.hold("Default", never_indexed(3000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 2_000_000))

    take = TakeInventory(lambda: vaults, broken, lambda: STARTED)
    with take.run(Search(tmp_path).job({}), tmp_path, 300.0) as inventory:
        assert not list(tmp_path.iterdir())
        result = inventory.result(7)

    assert result.status == "UNAVAILABLE"
    assert "full" in (result.message or "")
