"""The counts of a report, kept while the backups pass by."""

from collections import Counter
from dataclasses import dataclass, field

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.verdict import BackupCounts

NO_RESOURCE_TYPE = "UNKNOWN"


@dataclass(slots=True)
class Tally:
    """Counts backups. ``listed`` is counted on its own, so that a lost backup shows as a sum that does not add up."""

    listed: int = 0
    searched: int = 0
    excluded: int = 0
    failed: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    by_resource_type: Counter[str] = field(default_factory=Counter)

    def count(self, exclusion: Exclusion) -> None:
        """Count a backup that was not searched."""
        self.excluded += 1
        self.failed += exclusion.is_failed
        self.by_reason[exclusion.reason.value] += 1
        self.by_resource_type[exclusion.backup.resource_type or NO_RESOURCE_TYPE] += 1

    @property
    def backups(self) -> BackupCounts:
        """The four counts that everything else is judged by."""
        return BackupCounts(self.listed, self.searched, self.excluded, self.failed)
