"""The counts of a report, kept while the backups pass by."""

from collections import Counter
from dataclasses import dataclass, field

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.verdict import BackupCounts
from search_coverage.report.sources import SourceCounts

_NO_RESOURCE_TYPE = "UNKNOWN"
_FAILED_SOURCES_COUNTED = 1_000  # per reason; the mail names a handful

_DAY = 86_400
AGE_UNKNOWN = "age not known"
AGES: tuple[tuple[str, float], ...] = (
    ("under 1 day", _DAY),
    ("1–7 days", 7 * _DAY),
    ("7–30 days", 30 * _DAY),
    ("30–90 days", 90 * _DAY),
    ("90 days–1 year", 365 * _DAY),
    ("over 1 year", float("inf")),
)
"""The ages of backups at the start of the search, youngest first, each with its upper bound in seconds."""


@dataclass(slots=True)
class Tally:
    """Counts backups. ``listed`` is counted on its own, so that a lost backup shows as a sum that does not add up.

    Attributes:
        searched_at: When the search started, in seconds since the epoch, UTC.
        failed_by_reason: The sources of the failed backups, per reason.
        by_age: By the names in `AGES`, or `AGE_UNKNOWN`.
    """

    listed: int = 0
    searched: int = 0
    excluded: int = 0
    failed: int = 0
    by_reason: Counter[Reason] = field(default_factory=Counter)
    by_resource_type: Counter[str] = field(default_factory=Counter)
    by_source: SourceCounts = field(default_factory=SourceCounts)
    failed_by_reason: dict[Reason, SourceCounts] = field(default_factory=dict)
    by_age: Counter[str] = field(default_factory=Counter)
    searched_at: float | None = None

    def count(self, exclusion: Exclusion) -> None:
        """Count a backup that was not searched."""
        reason, backup = exclusion.reason, exclusion.backup
        self.excluded += 1
        self.by_reason[reason] += 1
        self.by_resource_type[backup.resource_type or _NO_RESOURCE_TYPE] += 1
        self.by_source.count(backup.source_resource_arn or "", backup.created)
        self.by_age[self._age(backup.created)] += 1
        if exclusion.is_failed:
            self.failed += 1
            of_reason = self.failed_by_reason.setdefault(reason, SourceCounts(_FAILED_SOURCES_COUNTED))
            of_reason.count(backup.source_resource_arn or "", backup.created)

    def _age(self, created: float | None) -> str:
        if created is None or self.searched_at is None:
            return AGE_UNKNOWN
        age = self.searched_at - created
        return next(name for name, bound in AGES if age < bound)

    @property
    def backups(self) -> BackupCounts:
        """The four counts that the verdict depends on."""
        return BackupCounts(self.listed, self.searched, self.excluded, self.failed)
