"""The scope of a search job, as a person describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.backup_search.field_types import CONFIG, Moment, time_of
from simulators.backup_search.numbered_text import with_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The members of SearchScope besides the resource type. An empty one does not narrow the search.

    A span as a time counts back from the search job's creation; ARNs may hold ``{account}`` and ``{region}``.
    """

    __pydantic_config__ = CONFIG

    created_after: Moment | None = None
    created_before: Moment | None = None
    source_arns: tuple[str, ...] = ()
    backup_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def search_scope(self, resource_type: str, created_at: datetime, names: Mapping[str, str]) -> dict[str, Any]:
        """Return the SearchScope for StartSearchJob.

        Args:
            resource_type: ``S3`` or ``EBS``.
            created_at: The search job's creation.
            names: What ``{account}`` and ``{region}`` stand for.
        """
        bounds = {"CreatedAfter": self.created_after, "CreatedBefore": self.created_before}
        narrowed = {
            "BackupResourceCreationTime": {
                name: time_of(bound, created_at) for name, bound in bounds.items() if bound is not None
            },
            "SourceResourceArns": [with_names(arn, names) for arn in self.source_arns],
            "BackupResourceArns": [with_names(arn, names) for arn in self.backup_arns],
            "BackupResourceTags": dict(self.tags),
        }
        return {"BackupResourceTypes": [resource_type], **{name: value for name, value in narrowed.items() if value}}
