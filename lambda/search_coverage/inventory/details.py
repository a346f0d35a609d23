"""Looks up what the list of a vault does not tell for sure about the recovery points that a search does not list."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import (
    LeftOut,
    RecoveryPoint,
    is_cold,
    left_out,
    matches_scope,
    was_still_being_made,
)
from search_coverage.coverage.search_job import SearchJob
from search_coverage.inventory.ports import Vaults
from search_coverage.inventory.time_budget import TimeBudget

_CALLS_AT_MOST = 1000


class DetailsLookup:
    """Completes recovery points with their storage class, completion and role.

    Attributes:
        left_out: How many of them turned out not to count, by reason.
        not_looked_up: For how many no call was left, or no time.
        refusals: What AWS answered in place of details.
    """

    def __init__(self, job: SearchJob, vaults: Vaults, budget: TimeBudget) -> None:
        self.left_out: Counter[LeftOut] = Counter()
        self.not_looked_up = 0
        self.refusals: list[str] = []
        self._job = job
        self._matches_scope = matches_scope(job)
        self._vaults = vaults
        self._budget = budget
        self._calls_left = _CALLS_AT_MOST

    def complete(self, points: Sequence[RecoveryPoint], pool: Executor) -> list[RecoveryPoint]:
        """Complete the points where needed; leave out those that came too late for the search, or are deleted."""
        in_doubt = [point for point in points if self._is_in_doubt(point)]
        asked = in_doubt[: self._calls_left]
        self._calls_left -= len(asked)
        self.not_looked_up += len(in_doubt) - len(asked)
        answers = dict(zip((point.arn for point in asked), pool.map(self._look_up, asked), strict=True))
        kept = []
        for point in points:
            answer = answers.get(point.arn, point)
            if isinstance(answer, LeftOut):
                self.left_out[answer] += 1
            elif answer is None:
                self.not_looked_up += 1
                kept.append(point)
            elif self._matches_scope(answer):
                kept.append(answer)
        return kept

    def _is_in_doubt(self, point: RecoveryPoint) -> bool:
        return (
            point.role_arn is None
            or point.completed is None
            or is_cold(point, self._job)
            or was_still_being_made(point, self._job)
        )

    def _look_up(self, point: RecoveryPoint) -> RecoveryPoint | LeftOut | None:
        """Give the point with its details, why it does not count, or None where there was no time."""
        if self._budget.is_used_up():
            return None
        try:
            detailed = self._vaults.with_details(point)
        except AwsCallFailed as error:
            self.refusals.append(str(error))
            return point
        if detailed is None:
            return LeftOut.GONE
        if was_still_being_made(detailed, self._job):
            return LeftOut.TOO_LATE
        return left_out(detailed, self._job) or detailed
