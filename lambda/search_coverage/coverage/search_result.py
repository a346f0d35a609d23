"""An item that a search found. Its path is personal data: never for a log, a metric, a message or a mail."""

from enum import StrEnum
from typing import NamedTuple


class ResultsStatus(StrEnum):
    """How far the results of a search are kept; OFF where the setting ``keepResults`` is false."""

    OFF = "OFF"
    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    UNAVAILABLE = "UNAVAILABLE"


class SearchResult(NamedTuple):
    """One row of ListSearchJobResults. Every member is optional in AWS's own model (aws-facts.md §2).

    A named tuple, because a search finds up to millions.

    Attributes:
        path: The key of an object, or the path of a file.
        size: In bytes.
        created: When the item was made, in seconds since the epoch, UTC.
        last_modified: The same for its last change; only of a file.
    """

    resource_type: str
    backup_arn: str | None = None
    source_resource_arn: str | None = None
    backup_vault: str | None = None
    path: str | None = None
    size: int | None = None
    created: float | None = None
    last_modified: float | None = None
    etag: str | None = None
    version_id: str | None = None
    file_system: str | None = None
