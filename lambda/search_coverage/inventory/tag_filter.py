"""Reads the tags of the recovery points that a search does not list, where its scope asks for tags."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.search_job import SearchJob
from search_coverage.inventory.ports import Snapshots, Vaults
from search_coverage.inventory.time_budget import TimeBudget

_REFUSALS_AT_MOST = 40  # after so many, AWS is not asked again


class TagFilter:
    """Keeps the recovery points that carry the tags of the scope.

    Attributes:
        unknown: Of how many points the tags are unknown.
        refusals: What AWS answered in place of tags.
    """

    def __init__(self, job: SearchJob, vaults: Vaults, snapshots: Callable[[], Snapshots], budget: TimeBudget) -> None:
        self.unknown = 0
        self.refusals: list[str] = []
        self._wanted = dict(job.scope.tags)
        self._vaults = vaults
        self._snapshots = snapshots
        self._budget = budget
        self._with_some_tags = 0

    @property
    def is_needed(self) -> bool:
        """Whether the scope has tags at all."""
        return bool(self._wanted)

    def keep(self, points: Sequence[RecoveryPoint], pool: Executor) -> Iterator[RecoveryPoint]:
        """Give those of at most `SNAPSHOTS_PER_CALL` points that carry all tags of the scope; count those in doubt."""
        of_snapshots = self._tags_of_snapshots([point for point in points if point.is_snapshot])
        others = [point for point in points if not point.is_snapshot]
        of_others = dict(zip((point.arn for point in others), pool.map(self._tags_of, others), strict=True))
        for point in points:
            tags = of_snapshots.get(point.arn) if point.is_snapshot else of_others[point.arn]
            if tags is None:
                self.unknown += 1
                continue
            matching = sum(tags.get(key) == value for key, value in self._wanted.items())
            if matching == len(self._wanted):
                yield point
            elif matching:
                self._with_some_tags += 1

    def problems(self) -> Iterator[str]:
        """Say which points may or may not be in the scope."""
        if self.unknown:
            yield (
                f"The tags of {self.unknown} backups that the search does not list could not be read, so it is not "
                "known whether they are in its scope."
            )
        if self._with_some_tags:
            yield (
                f"{self._with_some_tags} backups that the search does not list carry some of its tags, but not all; "
                "AWS does not document whether they are in its scope."
            )

    def _tags_of_snapshots(self, points: Sequence[RecoveryPoint]) -> Mapping[str, Mapping[str, str]]:
        if not points or self._budget.is_used_up():
            return {}
        try:
            return self._snapshots().tags([point.arn for point in points])
        except AwsCallFailed as error:
            self.refusals.append(str(error))
            return {}

    def _tags_of(self, point: RecoveryPoint) -> dict[str, str] | None:
        if self._budget.is_used_up() or len(self.refusals) >= _REFUSALS_AT_MOST:
            return None
        tags: dict[str, str] = {}
        try:
            for page in self._vaults.tags(point.arn):
                tags.update(page)
                if self._budget.is_used_up():
                    return None
        except AwsCallFailed as error:
            self.refusals.append(str(error))
            return None
        return tags
