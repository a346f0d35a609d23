"""Attempts freeze or are killed at any moment: what the owner of the lease wrote stays, and nothing is lost."""

import pytest

from tests.faults.conftest import PLAYS, Rows
from tests.faults.tables import wrong


def test_attempts_stop_in_many_ways(plays: Rows) -> None:
    stopped = [play for play in plays if play["was_stopped"]]

    assert len(plays) == PLAYS
    assert len(stopped) > PLAYS / 2
    assert {play["plan"]["how"] for play in stopped} >= {
        "frozen before",
        "frozen after",
        "frozen at an instant",
        "killed before",
    }
    assert any("LeaseLost" in play["ended"] for play in plays), "no attempt woke up to find its lease lost"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("lost", "retries"), id="no-report-is-lost"),
        pytest.param(
            ("vouches", "missing", "rows", "COMPLETE", "counts"),
            id="no-file-is-under-a-foreign-summary-and-no-verdict-is-false",
        ),
        pytest.param(("digests",), id="no-more-digests-than-attempts-that-stopped"),
        pytest.param(("",), id="nothing-else-is-wrong"),
    ],
)
def test_every_stop_keeps_this_promise(plays: Rows, words: tuple[str, ...]) -> None:
    assert wrong(plays, *words) == []
