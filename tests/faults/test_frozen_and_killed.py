"""Attempts are frozen or killed at any moment: what the one that holds the lease wrote stays, and nothing is lost."""

from tests.faults.conftest import PLAYS, Rows


def _wrong(plays: Rows, *words: str) -> list[str]:
    return [
        f"{play['plan']}: {play['ended']} {play['wrong']}"
        for play in plays
        if any(word in wrong for wrong in play["wrong"] for word in words)
    ]


def test_attempts_were_frozen_and_killed_in_many_ways(plays: Rows) -> None:
    stopped = [play for play in plays if play["was_stopped"]]

    assert len(plays) == PLAYS
    assert len(stopped) > PLAYS / 2
    assert {play["plan"]["how"] for play in stopped} >= {"frozen before", "frozen after", "frozen at an instant"}
    assert any("LeaseLost" in play["ended"] for play in plays), "no attempt woke up to find its lease lost"


def test_no_report_is_lost(plays: Rows) -> None:
    assert _wrong(plays, "lost", "retries") == []


def test_no_file_lies_under_a_foreign_summary_and_no_verdict_is_false(plays: Rows) -> None:
    assert _wrong(plays, "vouches", "missing", "rows", "COMPLETE", "counts") == []


def test_people_are_told_no_more_often_than_attempts_died(plays: Rows) -> None:
    assert _wrong(plays, "digests") == []


def test_nothing_else_is_wrong(plays: Rows) -> None:
    assert [play for play in plays if play["wrong"]] == []
