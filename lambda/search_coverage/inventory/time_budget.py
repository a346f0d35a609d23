"""The share of an invocation's time that the inventory may use."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class TimeBudget:
    """Seconds that run from the beginning, except while the budget is paused.

    Attributes:
        seconds: How much is left at the beginning, or while the budget is paused.
        clock: Returns seconds that only ever increase, such as ``time.monotonic``.
    """

    seconds: float
    clock: Callable[[], float]
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self.resume()

    def pause(self) -> None:
        """Keep what is left for later."""
        self.seconds = self._end - self.clock()

    def resume(self, at_most: float = float("inf")) -> None:
        """Resume the budget, for no more than ``at_most`` seconds."""
        self._end = self.clock() + min(self.seconds, at_most)

    def is_used_up(self) -> bool:
        """Whether nothing is left."""
        return self.clock() > self._end
