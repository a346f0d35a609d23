"""A backup (recovery point) as a search job lists it."""

from typing import NamedTuple


class Backup(NamedTuple):
    """One row of ListSearchJobBackups. Every member is optional in AWS's own model (aws-facts.md §2).

    A named tuple, not a dataclass: a search lists up to millions, and this is the cheapest immutable thing to make.

    Attributes:
        created: When the backup was made, in seconds since the epoch, UTC.
        index_created: When its index was made, in seconds since the epoch, UTC.
    """

    status: str | None = None
    status_message: str | None = None
    resource_type: str | None = None
    backup_arn: str | None = None
    source_resource_arn: str | None = None
    created: float | None = None
    index_created: float | None = None
