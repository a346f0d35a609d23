"""How findings are shown: a line each, with a symbol and a word, since not everybody sees colours."""

from collections import Counter
from typing import Final

from rich.console import Console

from cli.doctor.finding import Finding, State
from cli.doctor.section import RUNBOOK

_STYLES: Final = {State.OK: "green", State.ATTENTION: "yellow", State.WRONG: "bold red", State.UNKNOWN: "cyan"}
_SYMBOLS: Final = {State.OK: "✓", State.ATTENTION: "!", State.WRONG: "✗", State.UNKNOWN: "?"}
_PLAIN_SYMBOLS: Final = {**_SYMBOLS, State.OK: "+", State.WRONG: "x"}

_NAME_WIDTH: Final = 29
_WORD_WIDTH: Final = 9


class Printout:
    """Prints findings, and counts them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._symbols = _SYMBOLS if console.encoding.lower().startswith("utf") else _PLAIN_SYMBOLS
        self._counts: Counter[State] = Counter()

    def add(self, name: str, finding: Finding) -> None:
        """Print a finding; below it what to do, where there is something to do."""
        self._counts[finding.state] += 1
        state = f"{self._symbols[finding.state]} {finding.state:{_WORD_WIDTH}}"
        self._console.print(state, style=_STYLES[finding.state], end=" ", markup=False)
        self._console.print(f"{name:{_NAME_WIDTH}} {finding.found}", soft_wrap=True, markup=False)
        if finding.remedy:
            where = f' ({RUNBOOK}, "{finding.section}")' if finding.section else ""
            self._console.print(f"{'':{_WORD_WIDTH + 3}}-> {finding.remedy}{where}.", soft_wrap=True, markup=False)

    def sum_up(self, *, left_out: int) -> None:
        """Print the one line that says it all.

        Args:
            left_out: How many checks were not made, because there is no stack.
        """
        counts = ", ".join(f"{self._counts[state]} {state}" for state in State)
        more = f", {left_out} not made for want of the stack" if left_out else ""
        verdict = "Something is wrong" if self._counts[State.WRONG] else self._best_verdict()
        self._console.print(f"{verdict}: {counts}{more}.", soft_wrap=True, markup=False, style="bold")

    @property
    def exit_code(self) -> int:
        """1 if something is wrong, or else 0."""
        return 1 if self._counts[State.WRONG] else 0

    def _best_verdict(self) -> str:
        if self._counts[State.ATTENTION]:
            return "It works, and somebody has to look at something"
        if self._counts[State.UNKNOWN]:
            return "Nothing is wrong as far as it is known"
        return "Everything is in order"
