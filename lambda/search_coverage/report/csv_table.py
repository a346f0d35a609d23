"""excluded-backups.csv: RFC 4180, UTF-8, with a header, and safe to open in a spreadsheet."""

import csv
from typing import TextIO

from search_coverage.report.row import COLUMNS, Row

# A cell that starts with one of these is a formula to a spreadsheet (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvTable:
    """Writes rows as CSV into a text file that was opened with ``newline=""``."""

    def __init__(self, file: TextIO) -> None:
        self._write = csv.writer(file, lineterminator="\r\n").writerow
        self._write(COLUMNS)

    def add(self, row: Row) -> None:
        """Write one row; what AWS did not send becomes an empty cell."""
        self._write([_cell(value) for value in row.values()])


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
