"""The table of the page: which columns it shows, and how a row becomes its cells.

People read words; what a file or a program needs, the code, stands beside them wherever it is not the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape

from search_coverage.report.plain_text import visible
from search_coverage.report.row import Row
from search_coverage.report.wording import moment_in_words, reason_in_words, status_in_words, type_in_words

# Every row has the same search job; what to do stands in the page once for each reason.
_TITLES = {
    "reason": "Reason",
    "backup_arn": "Backup",
    "source_resource_arn": "Source",
    "resource_type": "Type",
    "backup_created": "Backup made",
    "index_created": "Index made",
    "status": "Status",
    "status_message": "Message from AWS",
}
_TITLES_OF_INVENTORY = {
    "backup_vault": "Vault",
    "index_status": "Index now",
    "index_status_message": "Index message",
}
_WORDS: dict[str, Callable[[str], str]] = {
    "reason": reason_in_words,
    "resource_type": type_in_words,
    "backup_created": lambda text: moment_in_words(datetime.fromisoformat(text)),
    "index_created": lambda text: moment_in_words(datetime.fromisoformat(text)),
    "status": status_in_words,
    "index_status": status_in_words,
}
_ARNS = frozenset({"backup_arn", "source_resource_arn"})
_END_OF_AN_ARN = 18  # characters that are always shown; they tell one backup from the next
_MARKUP_BYTES = 190  # of the tags around the cells of a row


@dataclass(frozen=True, slots=True)
class Cell:
    """What the template shows of a value; what AWS did not send is empty.

    Attributes:
        text: In words; of an ARN its beginning, which is cut where there is no room.
        end: The end of an ARN, which is always shown.
        code: The value as files have it, where the words are others.
    """

    text: str
    end: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class PageTable:
    """What the template shows.

    Attributes:
        columns: The columns' names in the CSV, and their titles.
    """

    columns: tuple[tuple[str, str], ...]
    rows: list[list[Cell]]


def page_table(first_rows: list[Row]) -> PageTable:
    """Lay out the rows. What the vaults say is shown if they say anything."""
    titles = dict(_TITLES)
    if any(row["backup_vault"] or row["index_status"] or row["index_status_message"] for row in first_rows):
        titles |= _TITLES_OF_INVENTORY
    return PageTable(tuple(titles.items()), [_cells(row, titles) for row in first_rows])


def row_bytes(row: Row) -> int:
    """Give the room that a row takes on the page, in bytes."""
    cells = _cells(row, _TITLES | _TITLES_OF_INVENTORY)
    texts = (text for cell in cells for text in (cell.text, cell.end, cell.code or ""))
    return _MARKUP_BYTES + sum(len(escape(text).encode("utf-8", "backslashreplace")) for text in texts)


def _cells(row: Row, titles: dict[str, str]) -> list[Cell]:
    return [_cell(name, row[name]) for name in titles]  # type: ignore[literal-required]


def _cell(name: str, value: object) -> Cell:
    code = str(value) if value else ""
    if code and name in _WORDS and (words := _WORDS[name](code)) != code:
        return Cell(words, code=code)
    text = visible(code)
    if name in _ARNS and len(text) > _END_OF_AN_ARN:
        return Cell(text[:-_END_OF_AN_ARN], text[-_END_OF_AN_ARN:])
    return Cell(text)
