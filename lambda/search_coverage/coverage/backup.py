"""A backup (recovery point) as a search job lists it."""

from dataclasses import dataclass
from typing import NamedTuple


class Backup(NamedTuple):
    """One row of ListSearchJobBackups. Every member is optional in AWS's own model (aws-facts.md §2).

    A named tuple, not a dataclass: a search lists up to millions, and a named tuple is the cheapest immutable value.

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


@dataclass(frozen=True, slots=True)
class BackupIndex:
    """What a vault says of a backup and its index.

    Attributes:
        status: PENDING, ACTIVE, FAILED or DELETING; None if the backup was never indexed (aws-facts.md §3).
        role_arn: The role that made the backup, which can also make its index.
    """

    vault: str | None = None
    status: str | None = None
    status_message: str | None = None
    role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class BackupsPage:
    """A page of the backups that a search job lists.

    Attributes:
        listed: The ARNs of all backups on it; None where AWS did not give one.
        not_searched: Those of them that AWS does not clearly call searched.
    """

    listed: list[str | None]
    not_searched: list[Backup]
