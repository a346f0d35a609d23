"""A table on disk of what the vaults hold and what the search lists: SQLite compares them in constant memory.

A recovery point takes some 460 bytes of disk, indexes included; memory holds SQLite's page cache alone.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.recovery_point import LeftOut, RecoveryPoint
from search_coverage.inventory.disk_table import DiskTable, storable

_COLUMNS = ", ".join(RecoveryPoint._fields)

_SCHEMA = f"""
CREATE TABLE point ({_COLUMNS}, left_out, UNIQUE (arn));
CREATE TABLE listed (arn PRIMARY KEY, searched) WITHOUT ROWID;
"""
_ADD_POINT = f"INSERT OR IGNORE INTO point VALUES ({', '.join('?' * len(RecoveryPoint._fields))}, ?)"  # noqa: S608
_ADD_LISTED = "INSERT OR IGNORE INTO listed VALUES (?, ?)"
_INDEX_OF = "SELECT vault, index_status, index_status_message, role_arn FROM point WHERE arn = ?"
_LISTED = "EXISTS (SELECT 1 FROM listed WHERE listed.arn = point.arn)"
_NOT_LISTED = f"SELECT {_COLUMNS} FROM point WHERE left_out IS NULL AND NOT {_LISTED} ORDER BY arn"  # noqa: S608
_COUNT_NOT_LISTED = f"SELECT left_out, count(*) FROM point WHERE NOT {_LISTED} GROUP BY left_out"  # noqa: S608
_SEARCHED = f"""
SELECT {", ".join(f"point.{name}" for name in RecoveryPoint._fields)}
FROM listed CROSS JOIN point ON point.arn = listed.arn WHERE searched ORDER BY listed.arn LIMIT ?
"""  # noqa: S608
_WITH_INDEX_OF_SOURCES = f"""
SELECT {_COLUMNS} FROM point
WHERE index_status = 'ACTIVE' AND left_out IS NULL AND created IS NOT NULL AND source_resource_arn IN
"""  # noqa: S608
_COUNT_LISTED = f"SELECT count(*) FROM point WHERE {_LISTED}"  # noqa: S608


class RecoveryPointTable(DiskTable):
    """Recovery points, and which of them the search lists."""

    def __init__(self, folder: Path) -> None:
        """Open an empty table in ``folder``."""
        super().__init__(folder, "recovery-points", _SCHEMA)

    def add(self, points: Iterable[tuple[RecoveryPoint, LeftOut | None]]) -> None:
        """Add points, each with why it does not count; a point that is there already stays as it is."""
        self._write(_ADD_POINT, ((*point, reason) for point, reason in points))

    def mark_listed(self, backups: Iterable[tuple[str | None, bool]]) -> None:
        """Record the ARNs of backups that the search lists, each with whether it was searched."""
        self._write(_ADD_LISTED, ((arn, searched) for arn, searched in backups if arn))

    def searched(self, at_most: int) -> list[RecoveryPoint]:
        """Return the first points that were searched, sorted by ARN."""
        return [RecoveryPoint._make(row) for row in self._all(_SEARCHED, [at_most])]

    def previous(self, points: Collection[RecoveryPoint]) -> dict[str, RecoveryPoint]:
        """Return for each of a few points, by its ARN, the newest older point of its source that has an index.

        The table is read once for all of them.
        """
        by_source: dict[str, list[RecoveryPoint]] = {}
        for point in points:
            if point.source_resource_arn:
                by_source.setdefault(point.source_resource_arn, []).append(point)
        newest: dict[str, RecoveryPoint] = {}
        statement = f"{_WITH_INDEX_OF_SOURCES} ({', '.join('?' * len(by_source))}) ORDER BY arn"
        with self._lock:
            for older in map(RecoveryPoint._make, self._database.execute(statement, list(by_source))):
                for point in by_source[older.source_resource_arn or ""]:
                    found = newest.get(point.arn)
                    if _is_older(older, point) and (found is None or _is_older(found, older)):
                        newest[point.arn] = older
        return newest

    def index_of(self, arn: str | None) -> BackupIndex | None:
        """Return what the vault says about a backup; None if no vault is known to hold it."""
        found = self._all(_INDEX_OF, [storable(arn)])
        return BackupIndex(*found[0]) if found else None

    def not_listed(self) -> Iterator[RecoveryPoint]:
        """Return the points that count and that the search does not list, sorted by ARN."""
        return map(RecoveryPoint._make, self._streamed(_NOT_LISTED))

    def count_not_listed(self) -> dict[LeftOut | None, int]:
        """Count the points that the search does not list, by why they do not count; None for those that do."""
        return {LeftOut(reason) if reason else None: count for reason, count in self._all(_COUNT_NOT_LISTED)}

    @property
    def points(self) -> int:
        """How many points there are."""
        return int(self._all("SELECT count(*) FROM point")[0][0])

    @property
    def points_listed(self) -> int:
        """How many of them the search lists."""
        return int(self._all(_COUNT_LISTED)[0][0])


def _is_older(point: RecoveryPoint, other: RecoveryPoint) -> bool:
    return point.created is not None and other.created is not None and point.created < other.created
