"""What a report is made with, in memory: what lands there is kept, and nothing is sent anywhere."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_coverage.coverage.arn import Arn
from search_coverage.report.mail.messages import Message
from search_coverage.use_cases.ports import Lease, StoredSummary


@dataclass(frozen=True, slots=True)
class Mail:
    """What a person gets."""

    subject: str
    text: str


class ShelfBucket:
    """Keeps the files of reports."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: dict[str, bytes] = {}

    def put_file(self, key: str, path: Path, content_type: str, lease: Lease) -> None:  # noqa: ARG002 - nobody asks
        """Keep a file."""
        self.files[key] = path.read_bytes()

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: Lease) -> None:  # noqa: ARG002 - nobody asks
        """Keep a summary."""
        self.files[key] = json.dumps(summary).encode()

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: Lease, seen: str | None = None) -> str:  # noqa: ARG002 - nobody asks
        """Leave out the line for Athena."""
        return "not kept"

    def put_notification_pending(self, key: str, why: str, lease: Lease) -> None:
        """Leave it at that: the topic takes every message."""

    def summary(self, key: str) -> StoredSummary | None:  # noqa: ARG002 - no report is made twice
        """Say that there is no report yet."""
        return None

    def has_files_of(self, summary: dict[str, Any]) -> bool:  # noqa: ARG002 - no report is made twice
        """Believe a summary."""
        return True

    def remove(self, key: str, lease: Lease, etag: str | None = None) -> None:
        """Leave it at that: there is no mark."""


class ShelfTopic:
    """Keeps the mail of the latest report."""

    def __init__(self) -> None:
        self.mail: Mail | None = None

    def publish(self, message: Message) -> str:
        """Keep the people's text, if the message has one."""
        text = json.loads(message.body).get("email")
        if text is not None:
            self.mail = Mail(message.subject, text)
        return "kept"


class ShelfBus:
    """Tells nobody."""

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        """Leave it at that."""


class ShelfLeases:
    """Stands for the leases, and for the only one, where there is nobody else."""

    def hold(self, search_job: str, request_id: str) -> AbstractContextManager[Lease]:  # noqa: ARG002 - always free
        """Give the lease."""
        return nullcontext(self)

    def confirm(self) -> None:
        """Say that all is well."""


class ShelfDigests:
    """Remembers nothing."""

    def message_id(self, key: str, what: str) -> str | None:  # noqa: ARG002 - nobody was told before
        """Say that people were not told yet."""
        return None

    def record(self, key: str, what: str, message_id: str) -> None:
        """Leave it at that."""

    def forget(self, key: str) -> None:
        """Leave it at that."""
