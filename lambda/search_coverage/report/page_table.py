"""The table of the page: which columns it shows, and how a row becomes its cells."""

from dataclasses import dataclass
from html import escape

from search_coverage.report.plain_text import visible
from search_coverage.report.row import Row

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
_MOMENTS = frozenset({"backup_created", "index_created"})
_MARKUP_BYTES = 80  # of the tags around the cells of a row


@dataclass(frozen=True, slots=True)
class PageTable:
    """What the template shows.

    Attributes:
        columns: The columns' names in the CSV, and their titles.
        rows: The cells of each row; what AWS did not send is empty.
        moments: Which columns hold a date and a time, and may break between the two.
    """

    columns: tuple[tuple[str, str], ...]
    rows: list[list[str]]
    moments: frozenset[int]


def page_table(first_rows: list[Row]) -> PageTable:
    """Lay out the rows. What the vaults say is shown if they say anything."""
    titles = dict(_TITLES)
    if any(row["backup_vault"] or row["index_status"] or row["index_status_message"] for row in first_rows):
        titles |= _TITLES_OF_INVENTORY
    moments = frozenset(at for at, name in enumerate(titles) if name in _MOMENTS)
    return PageTable(tuple(titles.items()), [_cells(row, titles) for row in first_rows], moments)


def row_bytes(row: Row) -> int:
    """Give the room that a row takes on the page, in bytes."""
    cells = _cells(row, _TITLES | _TITLES_OF_INVENTORY)
    return _MARKUP_BYTES + sum(len(escape(cell).encode("utf-8", "backslashreplace")) for cell in cells)


def _cells(row: Row, titles: dict[str, str]) -> list[str]:
    return [visible(str(value)) if (value := row[name]) else "" for name in titles]  # type: ignore[literal-required]
