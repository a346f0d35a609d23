"""What a report is made with, in memory: what lands there is kept, and nothing is sent anywhere."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_coverage.aws.alerts_topic import AlertsTopic
from search_coverage.aws.event_bus import EventBus
from search_coverage.aws.report_bucket import ReportBucket, StoredSummary
from search_coverage.aws.report_lease import ReportLease
from search_coverage.aws.sent_digests import SentDigests
from search_coverage.coverage.arn import Arn
from search_coverage.report.mail.messages import Message


@dataclass(frozen=True, slots=True)
class Mail:
    """What a person gets."""

    subject: str
    text: str


class ShelfBucket(ReportBucket):
    """Keeps the files of reports."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: dict[str, bytes] = {}

    def put_file(self, key: str, path: Path, content_type: str, lease: ReportLease) -> None:  # noqa: ARG002 - nobody asks
        """Keep a file."""
        self.files[key] = path.read_bytes()

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: ReportLease) -> None:  # noqa: ARG002 - nobody asks
        """Keep a summary."""
        self.files[key] = json.dumps(summary).encode()

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: ReportLease, seen: str | None = None) -> str:  # noqa: ARG002 - nobody asks
        """Leave out the line for Athena."""
        return "not kept"

    def summary(self, key: str) -> StoredSummary | None:  # noqa: ARG002 - no report is made twice
        """Say that there is no report yet."""
        return None


class ShelfTopic(AlertsTopic):
    """Keeps the mail of the latest report."""

    def __init__(self) -> None:
        self.mail: Mail | None = None

    def publish(self, message: Message) -> str:
        """Keep the people's text, if the message has one."""
        text = json.loads(message.body).get("email")
        if text is not None:
            self.mail = Mail(message.subject, text)
        return "kept"


class ShelfBus(EventBus):
    """Tells nobody."""

    def __init__(self) -> None:
        """Take nothing: there is no bus."""

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        """Leave it at that."""


class ShelfLease(ReportLease):
    """Stands for a lease where there is nobody else."""

    def __init__(self) -> None:
        """Take nothing: there is no table."""

    def confirm(self) -> None:
        """Say that all is well."""


class ShelfDigests(SentDigests):
    """Remembers nothing."""

    def __init__(self) -> None:
        """Take nothing: there is no table."""

    def message_id(self, key: str, what: str) -> str | None:  # noqa: ARG002 - nobody was told before
        """Say that people were not told yet."""
        return None

    def record(self, key: str, what: str, message_id: str) -> None:
        """Leave it at that."""
