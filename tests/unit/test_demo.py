"""What the demo prints of the verdicts: the words that people read on the page and in the mail, not the codes."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.results import Result, show, verdict_markup
from search_coverage.coverage.verdict import Verdict
from search_coverage.report.wording import verdict_in_words

PREVIOUS = {
    "status": "COMPARED",
    "message": None,
    "newlyExcluded": 0,
    "stillExcluded": 0,
    "nowSearched": 3,
    "notInThisSearch": 0,
    "closed": True,
}


def summary(verdict: Verdict = Verdict.COMPLETE, **members: Any) -> dict[str, Any]:
    """Return what the demo reads of a summary."""
    return {
        "searchJob": {"name": "ransomware-first-seen", "status": "COMPLETED"},
        "backups": {"listed": 412, "searched": 385, "excluded": 27, "failed": 27},
        "verdict": verdict.value,
        "results": {"status": "COMPLETE", "rows": 118, "message": None},
        "previous": None,
        **members,
    }


def shown(content: dict[str, Any], folder: str = "ransomware-first-seen") -> list[str]:
    """Return the lines that the demo shows about a report."""
    console = Console(file=StringIO(), width=80)
    show(console, [Result(content, Path("reports", folder, "report.html"), None, "it is COMPLETE")], Path("out/demo"))
    lines: list[str] = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [line.strip() for line in lines]


@pytest.mark.parametrize("verdict", Verdict)
def test_the_demo_shows_each_verdict_in_the_words_of_the_report(verdict: Verdict) -> None:
    console = Console(file=StringIO(), width=80)
    console.print(verdict_markup(verdict.value))

    assert console.file.getvalue() == f"{verdict_in_words(verdict)}\n"  # type: ignore[attr-defined]
    first, *_ = shown(summary(verdict))
    assert first == f"ransomware-first-seen, which ended as COMPLETED: {verdict_in_words(verdict)}"


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ({"status": "COMPLETE", "rows": 1, "message": None}, "1 result kept"),
        ({"status": "PARTIAL", "rows": 12, "message": "It was stopped."}, "INCOMPLETE: 12 results kept"),
        ({"status": "UNAVAILABLE", "rows": None, "message": "No permission."}, "its results are NOT kept"),
    ],
)
def test_the_demo_says_how_many_results_are_kept_and_whether_that_is_all(results: dict[str, Any], line: str) -> None:
    assert line in shown(summary(results=results))


@pytest.mark.parametrize(
    ("previous", "says"),
    [
        (PREVIOUS, "3 now searched: closed"),
        (
            PREVIOUS | {"stillExcluded": 1, "nowSearched": 1, "closed": False},
            "1 still left out, 1 now searched",
        ),
        (PREVIOUS | {"newlyExcluded": 2, "nowSearched": 0, "closed": False}, "2 newly left out"),
        (PREVIOUS | {"notInThisSearch": 1, "nowSearched": 0}, "1 not in this one: closed"),
        (PREVIOUS | {"nowSearched": 0, "closed": False}, "no change"),
        ({"status": "UNREADABLE", "message": "Its files are gone.", "closed": False}, "Its files are gone."),
    ],
)
def test_the_demo_says_what_changed_since_the_previous_search(previous: dict[str, Any], says: str) -> None:
    assert f"since the previous search: {says}" in shown(summary(previous=previous))


def test_the_demo_is_silent_about_a_previous_search_where_there_is_none() -> None:
    assert not [line for line in shown(summary()) if "previous" in line]


def test_a_second_search_of_the_same_name_has_a_name_of_its_own() -> None:
    first, *_ = shown(summary(), "quarterly-audit-again")

    assert first.startswith("quarterly-audit-again, ")
