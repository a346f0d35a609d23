"""The same rows as CSV for people and as compressed JSON Lines for machines."""

import gzip
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from search_coverage.report.files.csv_table import CsvTable
from search_coverage.report.files.json_text import compact_json
from search_coverage.report.stored_file import SpooledFile


class TableFiles:
    """Writes rows into two files. The same rows give the same bytes.

    Attributes:
        rows: How many there are so far.
    """

    def __init__(self, csv: Path, jsonl: Path, columns: Sequence[str]) -> None:
        """Open both files."""
        self.rows = 0
        self._paths = csv, jsonl
        self._open = ExitStack()
        # Half a character (see json_text) cannot be written as UTF-8; it stays readable as an escape.
        text = self._open.enter_context(csv.open("w", encoding="utf-8", errors="backslashreplace", newline=""))
        self._csv = CsvTable(text, columns)
        # No name and no time in the gzip header.
        raw = self._open.enter_context(jsonl.open("wb"))
        self._jsonl = self._open.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0))

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close what is open."""
        self._open.close()

    def add(self, row: Mapping[str, object]) -> str:
        """Write a row; return it as JSON."""
        self._csv.add(row)
        text = compact_json(row)
        self._jsonl.write(text.encode() + b"\n")
        self.rows += 1
        return text

    def finish(self) -> tuple[SpooledFile, SpooledFile]:
        """Close and measure the CSV and the JSON Lines file."""
        self._open.close()
        csv, jsonl = self._paths
        return SpooledFile.of(csv, self.rows), SpooledFile.of(jsonl, self.rows)
