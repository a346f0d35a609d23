"""excluded-backups.csv: RFC 4180, UTF-8, with a header, and safe to open in a spreadsheet."""

import csv
import re
from typing import TextIO

from search_coverage.report.files.row import COLUMNS, Row

# A cell is a formula to a spreadsheet if it begins with one of these (OWASP, "CSV Injection"). Spreadsheets drop what
# cannot be seen in front of it (LibreOffice: a NUL), and one that splits at another character than the comma, or that
# takes a line break in a cell for the end of the row, begins a cell in the middle of ours.
# Each run of what may stand in front of a formula is found once, whether a formula follows or not, so that the time
# grows with the text and not with its square. report.js has the same two.
_CONTROL_START = re.compile(r"^[\x00-\x1f\x7f-\x9f]")
_CELL_START = re.compile(
    r"(?:^|[\t-\r\x1c-\x1f;|\x85\u2028\u2029])"
    r'[\x00-\x20"\x7f-\xa0\xad\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff;|]*'
    r"([=+\-@\uff1d\uff0b\uff0d\uff20])?"
)


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
    return _CONTROL_START.sub(r"'\g<0>", _CELL_START.sub(_defused, text))


def _defused(start: re.Match[str]) -> str:
    """Put an apostrophe in front of the character that would begin a formula."""
    return f"{start[0][:-1]}'{start[1]}" if start[1] else start[0]
