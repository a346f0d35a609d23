"""CSV: RFC 4180, UTF-8, with a header, and safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Mapping, Sequence
from typing import TextIO

# A spreadsheet takes a cell that begins with one of these characters for a formula (OWASP, "CSV Injection"). It drops
# invisible characters in front of it (LibreOffice: a NUL). If it splits at another character than the comma, or at a
# line break in a cell, a cell begins in the middle of ours.
# The pattern matches each run of what may come before a formula once, formula or not, so that the time grows with the
# text and not with its square. report.js has the same two patterns.
_CONTROL_START = re.compile(r"^[\x00-\x1f\x7f-\x9f]")
_CELL_START = re.compile(
    r"(?:^|[\t-\r\x1c-\x1f;|\x85\u2028\u2029])"
    r'[\x00-\x20"\x7f-\xa0\xad\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff;|]*'
    r"([=+\-@\uff1d\uff0b\uff0d\uff20])?"
)


class CsvTable:
    """Writes rows as CSV into a text file that was opened with ``newline=""``."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self._write = csv.writer(file, lineterminator="\r\n").writerow
        self._write(columns)

    def add(self, row: Mapping[str, object]) -> None:
        """Write one row; what AWS did not send becomes an empty cell."""
        self._write([_cell(value) for value in row.values()])


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.isalnum():  # most cells, such as a count, and no formula
        return text
    return _CONTROL_START.sub(r"'\g<0>", _CELL_START.sub(_defused, text))


def _defused(start: re.Match[str]) -> str:
    """Put an apostrophe in front of the character that would begin a formula."""
    return f"{start[0][:-1]}'{start[1]}" if start[1] else start[0]
