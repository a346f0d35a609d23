"""A table on disk of what the previous search left out, and of what became of it: memory does not grow with it."""

from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path

from search_coverage.inventory.disk_table import DiskTable, storable
from search_coverage.report.findings import Changes

_EXAMPLES = 10
_SCHEMA = "CREATE TABLE backup (arn PRIMARY KEY, since, now) WITHOUT ROWID;"


class _Now(IntEnum):
    """What this search did with a backup that the previous one left out; or that it left out for the first time."""

    SEARCHED = 1
    EXCLUDED = 2
    NEWLY_EXCLUDED = 3


class ExcludedBefore(DiskTable):
    """The backups that the previous search left out, by ARN."""

    def __init__(self, folder: Path) -> None:
        """Open an empty table in ``folder``."""
        super().__init__(folder, "excluded-before", _SCHEMA)

    def add(self, backups: Iterable[tuple[str, str]]) -> None:
        """Add backups, each with the time since when it is left out."""
        rows = ((storable(arn), storable(since)) for arn, since in backups)
        self._database.executemany("INSERT OR IGNORE INTO backup VALUES (?, ?, NULL)", rows)

    def mark_searched(self, arns: Iterable[str]) -> None:
        """Record backups that this search lists; those that it leaves out are recorded by `exclude`, which wins."""
        marks = ((_Now.SEARCHED, storable(arn)) for arn in arns)
        self._database.executemany("UPDATE backup SET now = ? WHERE arn = ? AND now IS NULL", marks)

    def exclude(self, arn: str, own_end: str) -> str:
        """Record that this search leaves out a backup; return since when it is left out."""
        key = storable(arn)
        found = self._database.execute("SELECT since, now FROM backup WHERE arn = ?", (key,)).fetchone()
        if found is None:
            self._database.execute("INSERT INTO backup VALUES (?, ?, ?)", (key, own_end, _Now.NEWLY_EXCLUDED))
            return own_end
        since, now = found
        if now != _Now.NEWLY_EXCLUDED:
            self._database.execute("UPDATE backup SET now = ? WHERE arn = ?", (_Now.EXCLUDED, key))
        return str(since)

    def changes(self) -> Changes:
        """Count what changed, each backup once."""
        counts = dict(self._database.execute("SELECT now, count(*) FROM backup GROUP BY now").fetchall())
        earliest = "SELECT min(since) FROM backup WHERE now = ?"
        (since,) = self._database.execute(earliest, (_Now.EXCLUDED,)).fetchone()
        return Changes(
            newly_excluded=counts.get(_Now.NEWLY_EXCLUDED, 0),
            still_excluded=counts.get(_Now.EXCLUDED, 0),
            still_excluded_since=since,
            now_searched=counts.get(_Now.SEARCHED, 0),
            not_in_this_search=counts.get(None, 0),
            examples_new=self._first(_Now.NEWLY_EXCLUDED),
            examples_searched=self._first(_Now.SEARCHED),
            examples_not_in_this_search=self._first(None),
        )

    def _first(self, now: _Now | None) -> tuple[str, ...]:
        rows = self._database.execute("SELECT arn FROM backup WHERE now IS ? ORDER BY arn LIMIT ?", (now, _EXAMPLES))
        return tuple(arn for (arn,) in rows)
