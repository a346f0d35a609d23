"""Prints findings: one line each, with a symbol and a word, because not every reader sees colors."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console

from cli.doctor.finding import Finding, State
from cli.doctor.section import RUNBOOK

_STYLES: Final = {State.OK: "green", State.ATTENTION: "yellow", State.WRONG: "bold red", State.UNKNOWN: "cyan"}
_SYMBOLS: Final = {State.OK: "✓", State.ATTENTION: "!", State.WRONG: "✗", State.UNKNOWN: "?"}
_ASCII_SYMBOLS: Final = {**_SYMBOLS, State.OK: "+", State.WRONG: "x"}

_NAME_WIDTH: Final = 27
_STATE_WIDTH: Final = 9

_CONCLUSIONS: Final = {
    State.WRONG: "Something is wrong",
    State.ATTENTION: "The product works, and something needs attention",
    State.UNKNOWN: "Nothing is known to be wrong",
    State.OK: "Everything is in order",
}


def worst(findings: Mapping[str, Finding]) -> State:
    """Return the worst state of all findings."""
    states = {finding.state for finding in findings.values()}
    return next(state for state in _CONCLUSIONS if state in states)


def print_findings(
    findings: Mapping[str, Finding],
    console: Console,
    *,
    left_out: int = 0,
    conclusions: Mapping[State, str] = _CONCLUSIONS,
) -> None:
    """Print each finding, below it what to do, and at the end one line that sums up.

    Args:
        findings: By the name of the check.
        console: Where to print.
        left_out: The number of checks that did not run, because there is no stack.
        conclusions: What the last line begins with, by the worst state.
    """
    symbols = _SYMBOLS if console.encoding.lower().startswith("utf") else _ASCII_SYMBOLS
    for name, finding in findings.items():
        state = f"{symbols[finding.state]} {finding.state:{_STATE_WIDTH}}"
        console.print(state, style=_STYLES[finding.state], end=" ", markup=False)
        console.print(f"{name:{_NAME_WIDTH}} {finding.found}", soft_wrap=True, markup=False)
        if finding.remedy:
            where = f' ({RUNBOOK}, "{finding.section}")' if finding.section else ""
            console.print(f"{'':{_STATE_WIDTH + 3}}-> {finding.remedy}{where}.", soft_wrap=True, markup=False)
    counts = ", ".join(f"{number} {state}" for state, number in _counts(findings).items())
    more = f", {left_out} not run because there is no stack" if left_out else ""
    console.print(f"{conclusions[worst(findings)]}: {counts}{more}.", soft_wrap=True, markup=False, style="bold")


def as_json(findings: Mapping[str, Finding], *, left_out: int = 0) -> dict[str, Any]:
    """Return the findings as one document."""
    return {
        "state": worst(findings),
        "counts": _counts(findings),
        "notRun": left_out,
        "checks": [
            {"name": name, "state": each.state, "found": each.found, "remedy": each.remedy, "section": each.section}
            for name, each in findings.items()
        ],
    }


def _counts(findings: Mapping[str, Finding]) -> dict[State, int]:
    counts = Counter(finding.state for finding in findings.values())
    return {state: counts[state] for state in State}
