"""The time that an invocation has left."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from search_coverage.coverage.errors import SearchCoverageError

# The share of an invocation's time that is left for the steps that must not be cut in two: digest and summary.
_SHARE_KEPT_BACK = 1 / 15


class TimeRunningOut(SearchCoverageError):
    """The invocation is about to be ended; a report that is cut short must not look whole."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When to stop working on a search job's report, so that Lambda does not cut it."""

    identifier: str
    seconds_left: Callable[[], float]
    seconds_kept_back: float

    @classmethod
    def of(cls, identifier: str, seconds_left: Callable[[], float]) -> Self:
        """Reserve a share of the time that is left now."""
        return cls(identifier, seconds_left, seconds_left() * _SHARE_KEPT_BACK)

    def spare_seconds(self) -> float:
        """Return how long the work may still take."""
        return max(self.seconds_left() - self.seconds_kept_back, 0.0)

    def check(self, step: str) -> None:
        """Make sure that there is time for a step.

        Raises:
            TimeRunningOut: There is not.
        """
        left = self.seconds_left()
        if left < self.seconds_kept_back:
            raise TimeRunningOut(
                f"Only {left:.0f} s are left while {step} of search job {self.identifier}; the report was not "
                "finished and counts as not written. Lambda tries again; if it ends here each time, raise the "
                "function's timeout or memory."
            )
