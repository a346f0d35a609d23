"""What changed since an earlier posture: since the last mail about one, or else since the posture before."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.posture import Change, PostureStatus, SinceBefore
from search_coverage.coverage.searchability import Searchability
from search_coverage.coverage.timestamp import utc_text
from search_coverage.names import SERVICE, SUMMARY_JSON
from search_coverage.report.posture.keys import PostureKeys, day_prefix, postures_prefix
from search_coverage.report.stored_file import SpooledFile
from search_coverage.use_cases.posture_ports import PostureStore

_EXAMPLES = 20
_LOOKS_BACK = timedelta(days=10)

_STATES = {state.value: state for state in Searchability}
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, EOFError, zlib.error, gzip.BadGzipFile)
"""What a damaged file, or a summary of another shape, raises when it is read."""

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class Compared:
    """A posture beside an earlier one.

    Attributes:
        since: What changed; None if there is no earlier posture, or if it could not be compared.
        before: When the earlier posture was taken, if there is one.
        notes: Why it could not be compared, in sentences.
    """

    since: SinceBefore | None = None
    before: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostureChanges:
    """Finds the posture that another one is compared with, and compares the two.

    Attributes:
        mails: Whether postures are mailed, so that each is compared with the one that was mailed last.
    """

    store: PostureStore
    account: str
    region: str
    mails: bool

    def since_before(self, taken_at: datetime, sources: Path, *, is_partial: bool) -> Compared:
        """Compare a posture with the one that was mailed last, or else with the newest one of the days before.

        Args:
            sources: The JSON Lines of the posture, sorted by resource type and source. Those of the earlier posture are
                read into the same folder.
            is_partial: Whether some vaults of the posture were not read.

        Raises:
            AwsCallFailed: It is not known which postures there are.
        """
        try:
            baseline = self._baseline(taken_at)
        except _DAMAGED as error:
            _logger.warning("the posture before is damaged: %r", error)
            return Compared(notes=("The posture before is damaged, so this one says nothing of what changed.",))
        if baseline is None:
            return Compared()
        before = sources.with_name("sources-before.jsonl.gz")
        comparison = _Comparison(was_partial=baseline.is_partial, is_partial=is_partial)
        try:
            self.store.get_file(baseline.sources_key, before, baseline.sources_version)
            if SpooledFile.of(before, 0).sha256 != baseline.sources_sha256:
                raise ValueError(f"s3://{self.store.name}/{baseline.sources_key} is not the file that was written")
            comparison.compare(_rows(before), _rows(sources))
        except (AwsCallFailed, *_DAMAGED) as error:
            _logger.warning("the earlier posture cannot be compared: %r", error)
            why = str(error).rstrip(".") if isinstance(error, AwsCallFailed) else "its sources cannot be read any more"
            note = f"What changed since {utc_text(baseline.taken_at)} is not known: {why}."
            return Compared(before=baseline.taken_at, notes=(note,))
        return Compared(comparison.result(baseline), baseline.taken_at)

    def _baseline(self, taken_at: datetime) -> "_Baseline | None":
        keys = PostureKeys.of(self.account, self.region, taken_at)
        mail = self.store.stored_json(keys.last_mail) if self.mails else None
        record = (mail.content if mail else None) or {}
        if record.get("summaryKey") == keys.summary:  # an earlier attempt has mailed this one
            record = record.get("before") or {}
        with suppress(*_DAMAGED):
            return _Baseline.of(record, record["summaryKey"])
        # Nothing was mailed, as far as is known: the last posture before today's, in one list of a few days.
        first_day = day_prefix(self.account, self.region, (taken_at - _LOOKS_BACK).date())
        stored = self.store.keys_between(postures_prefix(self.account, self.region), first_day, keys.prefix)
        summaries = [key for key in stored if key.endswith(f"/{SUMMARY_JSON}")]
        before = self.store.stored_json(summaries[-1]) if summaries else None
        return _Baseline.of(before.content, summaries[-1]) if before else None


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The posture that another one is compared with.

    Attributes:
        share: The percentage of its sources whose newest backup was searchable; None without sources.
        is_partial: Whether some of its vaults were not read.
        sources_key: Its JSON Lines, and
        sources_version: their version; None if the bucket has none.
        sources_sha256: Their SHA-256.
    """

    taken_at: datetime
    summary_key: str
    share: float | None
    is_partial: bool
    sources_key: str
    sources_version: str | None
    sources_sha256: str

    @classmethod
    def of(cls, summary: Any, summary_key: Any) -> Self:
        """Read it from a summary, or from what the record of a mail keeps of one.

        Raises:
            LookupError, TypeError, ValueError: It is damaged.
        """
        sources, share = summary["files"]["jsonl"], summary["sources"]["newestShare"]
        version = sources.get("versionId")
        return cls(
            datetime.fromisoformat(summary["takenAt"]).astimezone(UTC),
            str(summary_key),
            None if share is None else float(share),
            summary["status"] != PostureStatus.COMPLETE,
            str(sources["key"]),
            None if version is None else str(version),
            sources["sha256"],
        )


@dataclass(slots=True)
class _Comparison:
    """Two postures, source by source.

    A posture of which some vaults were not read does not know all sources, nor all newest backups: none of its sources
    is gone, none that it lacked is new in the next one, and a newest backup that is older than it was before says
    nothing.
    """

    was_partial: bool
    is_partial: bool
    better: list[Change] = field(default_factory=list)
    worse: list[Change] = field(default_factory=list)
    new: list[Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def compare(self, before: Iterator["_Source"], now: Iterator["_Source"]) -> None:
        """Walk through both lists, which are sorted, at once."""
        old, new = next(before, None), next(now, None)
        while old or new:
            if new is None or (old and old.key < new.key):
                self.counts["gone"] += not (self.was_partial or self.is_partial)
                old = next(before, None)
            elif old is None or new.key < old.key:
                if not (new.is_searchable or self.was_partial):
                    self._count("new", self.new, new, None)
                new = next(now, None)
            else:
                self._compare(old, new)
                old, new = next(before, None), next(now, None)

    def _compare(self, old: "_Source", new: "_Source") -> None:
        if old.is_searchable == new.is_searchable or (self.is_partial and new.is_older_than(old)):
            return
        if new.is_searchable:
            self._count("better", self.better, new, old)
        else:
            self._count("worse", self.worse, new, old)

    def result(self, baseline: _Baseline) -> SinceBefore:
        counts = self.counts
        return SinceBefore(
            taken_at=baseline.taken_at,
            summary_key=baseline.summary_key,
            share=baseline.share,
            better=counts["better"],
            worse=counts["worse"],
            new_not_searchable=counts["new"],
            gone=counts["gone"],
            examples_better=tuple(self.better),
            examples_worse=tuple(self.worse),
            examples_new=tuple(self.new),
        )

    def _count(self, name: str, changes: list[Change], now: "_Source", before: "_Source | None") -> None:
        self.counts[name] += 1
        if len(changes) < _EXAMPLES:
            changes.append(Change(now.key[1], before.state if before else None, now.state))


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of a posture, by resource type and ARN; its newest backup, and whether that can be searched."""

    key: tuple[str, str]
    state: Searchability | None
    newest_created: str | None

    @property
    def is_searchable(self) -> bool:
        return self.state is Searchability.SEARCHABLE

    def is_older_than(self, other: "_Source") -> bool:
        """Whether its newest backup was made before that of another."""
        if not (self.newest_created and other.newest_created):
            return False
        return datetime.fromisoformat(self.newest_created) < datetime.fromisoformat(other.newest_created)


def _rows(path: Path) -> Iterator[_Source]:
    """Read the sources that AWS names. A state that a later version knows counts as not searchable."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["source_resource_arn"] is not None:
                key = (row["resource_type"] or "", row["source_resource_arn"])
                yield _Source(key, _STATES.get(row["newest_searchability"]), row["newest_backup_created"])
