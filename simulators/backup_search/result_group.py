"""The items that a search found, as plain values: groups of results that look alike."""

from dataclasses import dataclass
from datetime import timedelta

from simulators.backup_search.field_types import CONFIG, Count, Moment, OneOrMore, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultGroup:
    """Rows of ListSearchJobResults that look alike. A million of them cost no more than what is read of them.

    What is None fits the backup. A span as a time counts back from the search job's creation. Texts may hold the
    placeholders ``{i}``, which is the number of the result in the whole list, ``{account}`` and ``{region}``.

    Attributes:
        backup: The row of ListSearchJobBackups that holds the items, from 1: they have its ARN, its source, its vault
            and its resource type.
        item: ObjectKey or FilePath.
        size: ObjectSize or FileSize, in bytes.
        modified: LastModifiedTime, which results of EBS alone have, like ``file_system``.
        etag: ETag, which results of S3 alone have, like ``version_id``.
        omit: Members that the results leave out.
    """

    __pydantic_config__ = CONFIG

    count: Count = 1
    backup: OneOrMore = 1
    backup_arn: Template | None = None
    source: Template | None = None
    vault: str | None = None
    item: Template | None = None
    size: Count = 1024
    created: Moment = timedelta(days=3)
    modified: Moment = timedelta(days=2)
    etag: Template = "{i:032x}"
    version_id: Template = "version-{i:024x}"
    file_system: Template = "00000000-0000-4000-8000-000000000001"
    omit: tuple[str, ...] = ()
