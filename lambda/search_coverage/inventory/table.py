"""A table on disk of what the vaults hold and what the search lists: SQLite compares them in constant memory.

A recovery point takes some 460 bytes of disk, indexes included; memory holds SQLite's page cache alone.
"""

import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.recovery_point import LeftOut, RecoveryPoint

_CACHE_KIBIBYTES = 8 * 1024
_PAGE_BYTES = 4096
_SHARE_OF_THE_DISK = 0.25  # the files of the report need the rest
_ROWS_AT_ONCE = 500

_COLUMNS = ", ".join(RecoveryPoint._fields)

# Nothing here outlives the invocation, so nothing has to survive a crash.
_SCHEMA = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -{_CACHE_KIBIBYTES};
PRAGMA page_size = {_PAGE_BYTES};
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


class RecoveryPointTable:
    """Recovery points, and which of them the search lists. Several threads may add.

    Every method raises ``sqlite3.Error`` where the disk is broken, or where the table's share of it is full: a quarter
    of what was free at the beginning.
    """

    def __init__(self, folder: Path) -> None:
        """Open an empty table in ``folder``."""
        self._lock = Lock()
        self._file = folder / "recovery-points.sqlite"
        self._database = sqlite3.connect(self._file, check_same_thread=False)
        pages = int(shutil.disk_usage(folder).free * _SHARE_OF_THE_DISK) // _PAGE_BYTES
        self._database.executescript(f"{_SCHEMA} PRAGMA max_page_count = {max(pages, 1)};")

    def close(self) -> None:
        """Close the table and delete its file. Every later call raises ``sqlite3.Error``."""
        with self._lock:
            self._database.close()
            self._file.unlink(missing_ok=True)

    def add(self, points: Iterable[tuple[RecoveryPoint, LeftOut | None]]) -> None:
        """Add points, each with why it does not count; a point that is there already stays as it is."""
        self._write(_ADD_POINT, ((*point, reason) for point, reason in points))

    def mark_listed(self, backups: Iterable[tuple[str | None, bool]]) -> None:
        """Record the ARNs of backups that the search lists, each with whether it was searched."""
        self._write(_ADD_LISTED, ((arn, searched) for arn, searched in backups if arn))

    def searched(self, at_most: int) -> list[RecoveryPoint]:
        """Return the first points that were searched, sorted by ARN."""
        with self._lock:
            return [RecoveryPoint._make(row) for row in self._database.execute(_SEARCHED, (at_most,))]

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
        with self._lock:
            found = self._database.execute(_INDEX_OF, (storable(arn),)).fetchone()
        return BackupIndex(*found) if found else None

    def not_listed(self) -> Iterator[RecoveryPoint]:
        """Yield the points that count and that the search does not list, sorted by ARN."""
        cursor = self._database.execute(_NOT_LISTED)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from map(RecoveryPoint._make, rows)

    def count_not_listed(self) -> dict[LeftOut | None, int]:
        """Count the points that the search does not list, by why they do not count; None for those that do."""
        with self._lock:
            counts = self._database.execute(_COUNT_NOT_LISTED).fetchall()
        return {LeftOut(reason) if reason else None: count for reason, count in counts}

    @property
    def points(self) -> int:
        """How many points there are."""
        with self._lock:
            return int(self._database.execute("SELECT count(*) FROM point").fetchone()[0])

    @property
    def points_listed(self) -> int:
        """How many of them the search lists."""
        with self._lock:
            return int(self._database.execute(_COUNT_LISTED).fetchone()[0])

    def _write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        rows = list(rows)
        with self._lock:
            try:
                self._database.executemany(statement, rows)
            except (sqlite3.ProgrammingError, UnicodeEncodeError):  # a value that is no text, or half a character
                self._database.executemany(statement, [tuple(map(storable, row)) for row in rows])


def _is_older(point: RecoveryPoint, other: RecoveryPoint) -> bool:
    return point.created is not None and other.created is not None and point.created < other.created


def storable(value: Any) -> Any:
    """Return a value that SQLite can store: a text without half characters."""
    if value is None or isinstance(value, int | float):
        return value
    return str(value).encode("utf-8", "backslashreplace").decode()
