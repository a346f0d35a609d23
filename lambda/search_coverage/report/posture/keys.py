"""Where a posture is in the bucket. A day has one: a second run of the same day replaces the first."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from search_coverage.names import (
    INDEX_FAILURES,
    LAST_MAIL_JSON,
    POSTURE,
    POSTURE_HTML,
    POSTURE_SOURCES,
    POSTURES,
    SOURCES_CSV,
    SUMMARY_JSON,
)


@dataclass(frozen=True, slots=True)
class PostureKeys:
    """The S3 keys of one posture.

    Attributes:
        prefix: The folder of the files for people, with ``/`` at its end.
        summary: Written last: the mark that all is there.
        sources_jsonl: The file in the partition of the Athena table of sources.
        summary_line: The summary again, as one line, in the partition of the Athena table of postures.
        last_mail: The record of the last mail about a posture, the same for all days.
    """

    prefix: str
    html: str
    csv: str
    summary: str
    sources_jsonl: str
    summary_line: str
    last_mail: str

    @classmethod
    def of(cls, account: str, region: str, taken_at: datetime) -> Self:
        """Return the keys of the posture of a day (UTC)."""
        prefix = f"{day_prefix(account, region, taken_at.date())}/"
        partition = f"account={account}/region={region}/date={taken_at:%Y-%m-%d}"
        return cls(
            prefix=prefix,
            html=f"{prefix}{POSTURE_HTML}",
            csv=f"{prefix}{SOURCES_CSV}",
            summary=f"{prefix}{SUMMARY_JSON}",
            sources_jsonl=f"{POSTURE_SOURCES}{partition}/sources.jsonl.gz",
            summary_line=f"{POSTURES}{partition}/posture.json",
            last_mail=f"{postures_prefix(account, region)}{LAST_MAIL_JSON}",
        )


def postures_prefix(account: str, region: str) -> str:
    """Return the prefix of all postures of an account in a Region."""
    return f"{POSTURE}{account}/{region}/"


def day_prefix(account: str, region: str, day: date) -> str:
    """Return the prefix of the posture of a day, without ``/``."""
    return f"{postures_prefix(account, region)}{day:%Y/%m/%d}"


def index_failure_key(account: str, region: str, at: datetime, event_id: str) -> str:
    """Return the key of what AWS said of an index that failed. Keys sort by time; an event has one key."""
    return f"{index_failures_prefix(account, region)}{at:%Y/%m/%d/%H%M%S}-{event_id}.json"


def index_failures_prefix(account: str, region: str) -> str:
    """Return the prefix of what AWS said of indexes that failed, in an account and a Region."""
    return f"{INDEX_FAILURES}{account}/{region}/"
