"""The ports of the posture: what it needs from outside beyond what `ports` and the inventory have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.use_cases.ports import FileStore, Lease, StoredJson


class PostureStore(FileStore, Protocol):
    """The bucket of the reports, where the postures are as well."""

    def stored_json(self, key: str) -> StoredJson | None:
        """Read a JSON object; None if there is none."""

    def keys_between(self, prefix: str, after: str, before: str = "") -> Iterator[str]:
        """List the keys with a prefix that sort after one key and before another, in their order."""

    def get_file(self, key: str, path: Path, version_id: str | None = None) -> None:
        """Download an object, or a version of it.

        Raises:
            AwsCallFailed: It could not be read, or there is none.
        """

    def put_once(self, key: str, content: dict[str, Any]) -> None:
        """Write a small object, unless there is one."""

    def put_json(self, key: str, content: dict[str, Any], lease: Lease, seen: str | None = None) -> str:
        """Write a small object; ``seen`` is the ETag of what is there, if this attempt knows it. Return its ETag."""

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: Lease) -> None:
        """Write a summary with the request that it was made for: the mark that a posture is whole."""

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: Lease, seen: str | None = None) -> str:
        """Write a summary as one line for Athena; return its ETag."""

    def remove(self, key: str, lease: Lease, etag: str | None = None) -> None:
        """Remove a mark."""


class BackupPlans(Protocol):
    """The backup plans of AWS Backup."""

    def plan(self, plan_id: str) -> BackupPlan | None:
        """Read a plan as it is now; None if it was deleted.

        Raises:
            AwsCallFailed: It could not be read.
        """


class PostureEvents(Protocol):
    """The event that a posture was taken."""

    def posture_created(self, detail: dict[str, Any]) -> None:
        """Put the event.

        Raises:
            AwsCallFailed: The bus did not take it.
        """
