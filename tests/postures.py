"""Postures to write about; each test changes what it is about."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from search_coverage.coverage.posture import (
    Change,
    Counts,
    IndexFailures,
    Newest,
    Posture,
    PostureStatus,
    SinceBefore,
)
from search_coverage.coverage.searchability import Searchability
from search_coverage.report.posture.keys import PostureKeys
from search_coverage.report.stored_file import SpooledFile, StoredFile

TAKEN_AT = datetime(2026, 11, 20, 3, tzinfo=UTC)
_SPOOLED = SpooledFile(Path("spooled"), "0" * 64, 1, 1)


def posture(**changes: Any) -> Posture:
    """Return a posture of two sources, one of which can be searched, with changes."""
    states = {Searchability.SEARCHABLE: 1, Searchability.INDEX_MISSING: 1}
    members: dict[str, Any] = {
        "account": "000000000000",
        "region": "us-east-1",
        "partition": "aws",
        "taken_at": TAKEN_AT,
        "status": PostureStatus.PARTIAL if changes.get("problems") else PostureStatus.COMPLETE,
        "problems": (),
        "notes": (),
        "vaults_read": 1,
        "total": Counts(states),
        "by_type": {"S3": Counts(states)},
        "newest": Newest(states),
        "newest_by_type": {"S3": Newest(states)},
        "left_out": 0,
        "vaults": (),
        "rules": (),
        "ages": (),
        "plans": {},
        "first_sources": (),
        "failed": (),
        "unreachable": (),
        "index_failures": IndexFailures(),
        "target": None,
        "since": None,
        **changes,
    }
    return Posture(**members)


def newest(searchable: int, **others: int) -> Newest:
    """Return so many sources that can be searched, and others by why they cannot."""
    return Newest({Searchability.SEARCHABLE: searchable, **{Searchability(why): n for why, n in others.items()}})


def since(**changes: Any) -> SinceBefore:
    """Return what changed in a week, which is nothing but for these changes."""
    before = TAKEN_AT - timedelta(days=7)
    return SinceBefore(**{"taken_at": before, "summary_key": keys(before).summary, "share": 50.0, **changes})


def sources(name: str, count: int, now: Searchability = Searchability.INDEX_MISSING) -> tuple[Change, ...]:
    """Return sources whose state is another one than it was."""
    return tuple(Change(f"arn:aws:s3:::{name}-{number}", None, now) for number in range(count))


def keys(taken_at: datetime = TAKEN_AT) -> PostureKeys:
    return PostureKeys.of("000000000000", "us-east-1", taken_at)


def files(taken_at: datetime = TAKEN_AT) -> dict[str, StoredFile]:
    """Return the files of a posture, as they were stored."""
    of = keys(taken_at)
    return {
        kind: StoredFile(key, "version-1", _SPOOLED)
        for kind, key in (("csv", of.csv), ("jsonl", of.sources_jsonl), ("html", of.html))
    }
