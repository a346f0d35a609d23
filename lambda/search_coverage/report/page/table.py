"""The table of the page: which columns it shows, and how an excluded backup becomes its cells.

People read words. Where the code, which files and programs need, is another, the cell carries it too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.plain_text import visible
from search_coverage.report.wording import moment_in_words, status_in_words, type_in_words

_END_OF_AN_ARN = 18  # characters that are always shown; they distinguish one backup from another
_MARKUP_BYTES = 190  # of the tags around the cells of a row


@dataclass(frozen=True, slots=True)
class Cell:
    """What the template shows of a value; what AWS did not send is empty.

    Attributes:
        text: In words; of an ARN its beginning, which is cut where there is no room.
        end: The end of an ARN, which is always shown.
        code: The value in the files, if it is another than the words.
    """

    text: str
    end: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class PageTable:
    """The names in the CSV and the titles of the columns, and the rows."""

    columns: tuple[tuple[str, str], ...]
    rows: list[list[Cell]]


def page_table(excluded: Sequence[Exclusion]) -> PageTable:
    """Lay out the rows, with the columns of the vaults if they say anything, and since when each is left out."""
    columns = _COLUMNS
    if len({exclusion.since for exclusion in excluded}) > 1:
        columns += (_SINCE,)
    if any(column.cell(exclusion).text for exclusion in excluded for column in _COLUMNS_OF_INVENTORY):
        columns += _COLUMNS_OF_INVENTORY
    return PageTable(
        tuple((column.name, column.title) for column in columns),
        [[column.cell(exclusion) for column in columns] for exclusion in excluded],
    )


def row_bytes(exclusion: Exclusion) -> int:
    """Return the room that a row takes on the page, in bytes."""
    cells = (column.cell(exclusion) for column in (*_COLUMNS, _SINCE, *_COLUMNS_OF_INVENTORY))
    texts = (text for cell in cells for text in (cell.text, cell.end, cell.code or ""))
    return _MARKUP_BYTES + sum(len(escape(text).encode("utf-8", "backslashreplace")) for text in texts)


def text_cell(value: str | None) -> Cell:
    """Show a text."""
    return Cell(visible(value or ""))


def arn_cell(value: str | None) -> Cell:
    """Show an ARN, whose end is always shown."""
    text = visible(value or "")
    return Cell(text[:-_END_OF_AN_ARN], text[-_END_OF_AN_ARN:]) if len(text) > _END_OF_AN_ARN else Cell(text)


def coded_cell(code: str | None, in_words: Callable[[str], str]) -> Cell:
    """Show a code in words."""
    words = in_words(code) if code else ""
    return text_cell(code) if words == (code or "") else Cell(words, code=code)


def moment_cell(moment: float | None) -> Cell:
    """Show a moment in seconds since the epoch."""
    return Cell("") if moment is None else Cell(moment_in_words(moment), code=utc_text(moment))


def _index(excluded: Exclusion) -> BackupIndex:
    return excluded.index or BackupIndex()


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    title: str
    cell: Callable[[Exclusion], Cell]


def _since(excluded: Exclusion) -> Cell:
    return (
        Cell(moment_in_words(datetime.fromisoformat(excluded.since)), code=excluded.since)
        if excluded.since
        else Cell("")
    )


# All rows have the same search job, and the page shows what to do once per reason.
_COLUMNS: tuple[_Column, ...] = (
    _Column("reason", "Reason", lambda one: Cell(REMEDIES[one.reason].title, code=one.reason.value)),
    _Column("backup_arn", "Backup", lambda one: arn_cell(one.backup.backup_arn)),
    _Column("source_resource_arn", "Source", lambda one: arn_cell(one.backup.source_resource_arn)),
    _Column("resource_type", "Type", lambda one: coded_cell(one.backup.resource_type, type_in_words)),
    _Column("backup_created", "Backup made", lambda one: moment_cell(one.backup.created)),
    _Column("index_created", "Index made", lambda one: moment_cell(one.backup.index_created)),
    _Column("status", "Status", lambda one: coded_cell(one.backup.status, status_in_words)),
    _Column("status_message", "Message from AWS", lambda one: text_cell(one.backup.status_message)),
)
_SINCE = _Column("excluded_since", "Left out since", _since)
_COLUMNS_OF_INVENTORY: tuple[_Column, ...] = (
    _Column("backup_vault", "Vault", lambda one: text_cell(_index(one).vault)),
    _Column("index_status", "Index now", lambda one: coded_cell(_index(one).status, status_in_words)),
    _Column("index_status_message", "Index message", lambda one: text_cell(_index(one).status_message)),
)
