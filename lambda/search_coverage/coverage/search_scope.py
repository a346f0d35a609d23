"""Which backups a search job should look into."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from search_coverage.coverage.timestamp import utc_text

SEARCHED_TYPES = ("EBS", "S3")
"""The resource types that AWS Backup searches (aws-facts.md §2)."""


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The scope of a search job (GetSearchJob's SearchScope, aws-facts.md §2). An empty member does not narrow it.

    Attributes:
        resource_types: Exactly one of S3 and EBS, as AWS documents it.
        source_arns: Only backups of these resources.
        backup_arns: Only these backups.
        tags: Only backups with these tags, as pairs of key and value.
    """

    resource_types: tuple[str, ...] = ()
    created_after: dt.datetime | None = None
    created_before: dt.datetime | None = None
    source_arns: tuple[str, ...] = ()
    backup_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def resource_type(self) -> str | None:
        """The type of the searched resources; None unless AWS names exactly one."""
        return self.resource_types[0] if len(self.resource_types) == 1 else None

    def members(self) -> dict[str, Any]:
        """Return the scope as JSON has it; every member is there."""
        return {
            "resourceTypes": list(self.resource_types),
            "createdAfter": utc_text(self.created_after),
            "createdBefore": utc_text(self.created_before),
            "sourceArns": list(self.source_arns),
            "backupArns": list(self.backup_arns),
            "tags": dict(self.tags),
        }
