"""A database on disk for one invocation: SQLite sorts, counts and compares in constant memory."""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any, Self

_CACHE_KIBIBYTES = 2 * 1024
_PAGE_BYTES = 4096
_SHARE_OF_THE_DISK = 0.25  # the files of the report need the rest
_ROWS_AT_ONCE = 500

# Nothing here outlives the invocation, so nothing has to survive a crash.
_PRAGMAS = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -{_CACHE_KIBIBYTES};
PRAGMA page_size = {_PAGE_BYTES};
"""


class DiskTable:
    """A database in a file that is deleted at the end. Several threads may write.

    Every method raises ``sqlite3.Error`` where the disk is broken, or where the share of it is full: a quarter of what
    was free at the beginning.
    """

    def __init__(self, folder: Path, name: str, schema: str) -> None:
        """Open an empty database in ``folder``."""
        self._lock = Lock()
        self._file = folder / f"{name}.sqlite"
        self._database = sqlite3.connect(self._file, check_same_thread=False)
        pages = int(shutil.disk_usage(folder).free * _SHARE_OF_THE_DISK) // _PAGE_BYTES
        self._database.executescript(f"{_PRAGMAS} {schema} PRAGMA max_page_count = {max(pages, 1)};")

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the database and delete its file."""
        self.close()

    def close(self) -> None:
        """Close the database and delete its file. Every later call raises ``sqlite3.Error``."""
        with self._lock:
            self._database.close()
            self._file.unlink(missing_ok=True)

    def _write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        rows = list(rows)
        with self._lock:
            try:
                self._database.executemany(statement, rows)
            except (sqlite3.ProgrammingError, UnicodeEncodeError):  # a value that is no text, or half a character
                self._database.executemany(statement, [tuple(map(storable, row)) for row in rows])

    def _all(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(statement, tuple(values)).fetchall()

    def _streamed(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of an answer of any size, once nobody writes any more."""
        cursor = self._database.execute(statement)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from rows


def storable(value: Any) -> Any:
    """Return a value that SQLite can store: a text without half characters."""
    if value is None or isinstance(value, int | float):
        return value
    return str(value).encode("utf-8", "backslashreplace").decode()
