"""The table of the page: which columns it shows, and how a row becomes its cells.

People read words; what a file or a program needs, the code, stands beside them wherever it is not the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.plain_text import visible
from search_coverage.report.wording import moment_in_words, reason_in_words, status_in_words, type_in_words

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


def page_table(excluded: Sequence[Exclusion]) -> PageTable:
    """Lay out the rows. What the vaults say is shown if they say anything."""
    columns = _COLUMNS
    if any(column.cell(exclusion).text for exclusion in excluded for column in _COLUMNS_OF_INVENTORY):
        columns = (*_COLUMNS, *_COLUMNS_OF_INVENTORY)
    return PageTable(
        tuple((column.name, column.title) for column in columns),
        [[column.cell(exclusion) for column in columns] for exclusion in excluded],
    )


def row_bytes(exclusion: Exclusion) -> int:
    """Give the room that a row takes on the page, in bytes."""
    cells = (column.cell(exclusion) for column in (*_COLUMNS, *_COLUMNS_OF_INVENTORY))
    texts = (text for cell in cells for text in (cell.text, cell.end, cell.code or ""))
    return _MARKUP_BYTES + sum(len(escape(text).encode("utf-8", "backslashreplace")) for text in texts)


def _index(excluded: Exclusion) -> BackupIndex:
    return excluded.index or BackupIndex()


def _text(value: str | None) -> Cell:
    return Cell(visible(value or ""))


def _arn(value: str | None) -> Cell:
    text = visible(value or "")
    return Cell(text[:-_END_OF_AN_ARN], text[-_END_OF_AN_ARN:]) if len(text) > _END_OF_AN_ARN else Cell(text)


def _coded(code: str | None, in_words: Callable[[str], str]) -> Cell:
    words = in_words(code) if code else ""
    return Cell(words, code=code) if words != (code or "") else _text(code)


def _moment(moment: float | None) -> Cell:
    return Cell("") if moment is None else Cell(moment_in_words(moment), code=utc_text(moment))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the CSV that the page shows, too."""

    name: str
    title: str
    cell: Callable[[Exclusion], Cell]


# Every row has the same search job; what to do stands in the page once for each reason.
_COLUMNS: tuple[_Column, ...] = (
    _Column("reason", "Reason", lambda excluded: _coded(excluded.reason.value, reason_in_words)),
    _Column("backup_arn", "Backup", lambda excluded: _arn(excluded.backup.backup_arn)),
    _Column("source_resource_arn", "Source", lambda excluded: _arn(excluded.backup.source_resource_arn)),
    _Column("resource_type", "Type", lambda excluded: _coded(excluded.backup.resource_type, type_in_words)),
    _Column("backup_created", "Backup made", lambda excluded: _moment(excluded.backup.created)),
    _Column("index_created", "Index made", lambda excluded: _moment(excluded.backup.index_created)),
    _Column("status", "Status", lambda excluded: _coded(excluded.backup.status, status_in_words)),
    _Column("status_message", "Message from AWS", lambda excluded: _text(excluded.backup.status_message)),
)
_COLUMNS_OF_INVENTORY = (
    _Column("backup_vault", "Vault", lambda excluded: _text(_index(excluded).vault)),
    _Column("index_status", "Index now", lambda excluded: _coded(_index(excluded).status, status_in_words)),
    _Column("index_status_message", "Index message", lambda excluded: _text(_index(excluded).status_message)),
)
