"""What the demo prints of the verdicts: the words that people read on the page and in the mail, not the codes."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from demo.results import Result, show, verdict_markup
from search_coverage.coverage.verdict import Verdict
from search_coverage.report.wording import verdict_in_words


@pytest.mark.parametrize("verdict", Verdict)
def test_the_demo_shows_each_verdict_in_the_words_of_the_report(verdict: Verdict) -> None:
    console = Console(file=StringIO(), width=80)
    counts = {"listed": 412, "searched": 385, "excluded": 27, "failed": 27}
    job = {"name": "ransomware-first-seen", "status": "COMPLETED"}
    summary = {"searchJob": job, "backups": counts, "verdict": verdict.value}

    console.print(verdict_markup(verdict.value))
    show(console, [Result(summary, Path("report.html"), None, "it is COMPLETE")], Path("out/demo"))

    first, second, *_ = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert first == verdict_in_words(verdict)
    assert second == f"   ransomware-first-seen, which ended as COMPLETED: {verdict_in_words(verdict)}"
