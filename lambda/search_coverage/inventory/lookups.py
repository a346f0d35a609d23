"""Questions to AWS about single things, such as recovery points: several at a time, while there is time."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.inventory.time_budget import TimeBudget

CALLS_AT_ONCE = 4
"""Enough to hide the latency of a call, few enough not to be throttled."""

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class Lookups:
    """Looks up one thing about each of several, and keeps what AWS refused."""

    budget: TimeBudget
    refusals_at_most: float = float("inf")
    refusals: list[str] = field(default_factory=list)

    def look_up(self, read: Callable[[_Asked], _Answer], asked: Mapping[str, _Asked]) -> dict[str, _Answer]:
        """Return the answers by name; where AWS refused, or where there was no time, there is none."""
        answers = {}

        def ask(name: str) -> None:
            if self.budget.is_used_up() or len(self.refusals) >= self.refusals_at_most:
                return
            try:
                answers[name] = read(asked[name])
            except AwsCallFailed as error:
                self.refusals.append(str(error))

        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="inventory") as pool:
            list(pool.map(ask, asked))
        return answers
