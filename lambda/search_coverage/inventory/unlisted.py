"""Decides which recovery points that a search does not list are in its scope, with what only single calls return."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

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
from search_coverage.inventory.lookups import Lookups
from search_coverage.inventory.ports import Snapshots, Vaults
from search_coverage.inventory.time_budget import TimeBudget

_DETAILS_AT_MOST = 1000
_REFUSALS_OF_TAGS_AT_MOST = 40


@dataclass(slots=True)
class UnlistedPoints:
    """Narrows recovery points to those in scope, and counts the others and those in doubt.

    Attributes:
        which: Which backups these are, in words.
        doubts_indexes: Whether a backup with an index is in doubt, too: EC2 may have archived it outside of AWS Backup,
            which no list shows.
        left_out: How many do not count, by reason.
        without_details: How many have details that were not looked up, because no call or no time was left.
        tags_unknown: How many have unknown tags.
    """

    job: SearchJob
    vaults: Vaults
    snapshots: Callable[[], Snapshots]
    budget: TimeBudget
    which: str = "that the search does not list"
    doubts_indexes: bool = False
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    without_details: int = 0
    tags_unknown: int = 0
    _with_some_tags: int = 0
    _details_left: int = _DETAILS_AT_MOST
    _details: Lookups = field(init=False)
    _tags: Lookups = field(init=False)

    def __post_init__(self) -> None:
        self._details = Lookups(self.budget)
        self._tags = Lookups(self.budget, _REFUSALS_OF_TAGS_AT_MOST)

    def in_scope(self, points: list[RecoveryPoint]) -> Iterator[RecoveryPoint]:
        """Return those of at most `SNAPSHOTS_PER_CALL` points that are in scope, completed."""
        # Details first: the tags of a point that came too late for the search are not needed.
        points = list(self._with_details(points))
        return self._with_tags(points) if self.job.scope.tags else iter(points)

    def problems(self) -> Iterator[str]:
        """Describe which points may or may not be in scope."""
        if self.tags_unknown:
            yield (
                f"The tags of {self.tags_unknown} backups {self.which} could not be read, so it is not known whether "
                "they are in the scope of the search."
            )
        if self._with_some_tags:
            yield (
                f"{self._with_some_tags} backups {self.which} carry some of the tags of the scope, but not all; AWS "
                "does not document whether they are in it."
            )

    def refusals(self) -> list[str]:
        """Describe what AWS answered instead of details and tags."""
        return [*self._details.refusals, *self._tags.refusals[:1]]

    def _with_details(self, points: list[RecoveryPoint]) -> Iterator[RecoveryPoint]:
        in_doubt = [point for point in points if self._is_in_doubt(point)]
        asked = in_doubt[: self._details_left]
        self._details_left -= len(asked)
        refused_before = len(self._details.refusals)
        details = self._details.look_up(self.vaults.with_details, _by_arn(asked))
        self.without_details += len(in_doubt) - len(details) - (len(self._details.refusals) - refused_before)
        matches = matches_scope(self.job)
        for point in points:
            detailed = details.get(point.arn, point)
            if point.arn in details and (reason := self._reason_left_out(detailed)):
                self.left_out[reason] += 1
            elif detailed and matches(detailed):
                yield detailed

    def _is_in_doubt(self, point: RecoveryPoint) -> bool:
        has_gaps = point.role_arn is None or point.completed is None
        has_gaps |= self.doubts_indexes and point.index_status == "ACTIVE"
        return has_gaps or is_cold(point, self.job) or was_still_being_made(point, self.job)

    def _reason_left_out(self, detailed: RecoveryPoint | None) -> LeftOut | None:
        if detailed is None:
            return LeftOut.GONE
        return LeftOut.TOO_LATE if was_still_being_made(detailed, self.job) else left_out(detailed, self.job)

    def _with_tags(self, points: list[RecoveryPoint]) -> Iterator[RecoveryPoint]:
        snapshots = [point for point in points if point.is_snapshot]
        others = [point for point in points if not point.is_snapshot]
        tags_of = {**self._tags_of_snapshots(snapshots), **self._tags.look_up(self._tags_of_one, _by_arn(others))}
        for point in points:
            tags = tags_of.get(point.arn)
            matching = sum(tags.get(key) == value for key, value in self.job.scope.tags) if tags is not None else 0
            if tags is None:
                self.tags_unknown += 1
            elif matching == len(self.job.scope.tags):
                yield point
            elif matching:
                self._with_some_tags += 1

    def _tags_of_snapshots(self, points: list[RecoveryPoint]) -> Mapping[str, Mapping[str, str]]:
        if not points or self.budget.is_used_up():
            return {}
        try:
            return self.snapshots().tags([point.arn for point in points])
        except AwsCallFailed as error:
            self._tags.refusals.append(str(error))
            return {}

    def _tags_of_one(self, point: RecoveryPoint) -> Mapping[str, str] | None:
        tags: dict[str, str] = {}
        for page in self.vaults.tags(point.arn):
            tags |= page
            if self.budget.is_used_up():
                return None
        return tags


def _by_arn(points: Iterable[RecoveryPoint]) -> dict[str, RecoveryPoint]:
    return {point.arn: point for point in points}
