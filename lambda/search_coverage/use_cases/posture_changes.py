"""What changed since an earlier posture: since the last mail about one, or else since the posture before."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.posture import Change, PostureStatus, SinceBefore
from search_coverage.coverage.searchability import Searchability
from search_coverage.names import SERVICE, SUMMARY_JSON
from search_coverage.report.posture.keys import PostureKeys, day_prefix, postures_prefix
from search_coverage.use_cases.posture_ports import PostureStore

_EXAMPLES = 20
_LOOKS_BACK = timedelta(days=10)

_STATES = {state.value: state for state in Searchability}

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The posture that this one is compared with.

    Attributes:
        share: The percentage of its sources whose newest backup was searchable; None without sources.
        is_partial: Whether some of its vaults were not read.
        sources_key: Its JSON Lines, and
        sources_version: their version; None if the bucket has none.
    """

    taken_at: datetime
    summary_key: str
    share: float | None
    is_partial: bool
    target_missed: bool
    sources_key: str
    sources_version: str | None

    @classmethod
    def of(cls, summary: dict[str, Any], summary_key: str) -> Self:
        """Read it from a summary, or from what the record of a mail keeps of one.

        Raises:
            LookupError, TypeError, ValueError: It is damaged.
        """
        sources = summary["files"]["jsonl"]
        return cls(
            datetime.fromisoformat(summary["takenAt"]),
            summary_key,
            summary["sources"]["newestShare"],
            summary["status"] != PostureStatus.COMPLETE,
            summary["target"]["missed"],
            sources["key"],
            sources.get("versionId"),
        )


@dataclass(frozen=True, slots=True)
class PostureChanges:
    """Finds the baseline of a posture, and compares the two."""

    store: PostureStore

    def baseline(self, account: str, region: str, taken_at: datetime) -> Baseline | None:
        """Return what was mailed last, or else the newest posture of the days before; None if there is none."""
        keys = PostureKeys.of(account, region, taken_at)
        mail = self.store.stored_json(keys.last_mail)
        record = (mail.content if mail else None) or {}
        if record.get("summaryKey") == keys.summary:  # an earlier attempt has mailed this one
            record = record.get("before") or {}
        if found := _baseline(record, record.get("summaryKey")):
            return found
        # Nothing was mailed: the last posture before today's, in one list of a few days.
        first_day = day_prefix(account, region, (taken_at - _LOOKS_BACK).date())
        stored = self.store.keys_between(postures_prefix(account, region), first_day, keys.prefix)
        summaries = [key for key in stored if key.endswith(f"/{SUMMARY_JSON}")]
        before = self.store.stored_json(summaries[-1]) if summaries else None
        return _baseline(before.content, summaries[-1]) if before else None

    def since(self, baseline: Baseline, sources: Path, folder: Path, *, is_partial: bool) -> SinceBefore | None:
        """Compare the sources of a posture with those of its baseline; None if those cannot be read.

        Args:
            sources: The JSON Lines of the posture, sorted by resource type and source.
            folder: Where there is room for those of the baseline.
            is_partial: Whether some vaults of the posture were not read.
        """
        before = folder / "sources-before.jsonl.gz"
        try:
            self.store.get_file(baseline.sources_key, before, baseline.sources_version)
            comparison = _Comparison(can_tell_what_is_gone=not (is_partial or baseline.is_partial))
            comparison.compare(_rows(before), _rows(sources))
        except (AwsCallFailed, ValueError, LookupError, TypeError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            _logger.warning("the earlier posture cannot be compared: %s", error)
            return None
        return comparison.result(baseline)


@dataclass(slots=True)
class _Comparison:
    can_tell_what_is_gone: bool
    better: list[Change] = field(default_factory=list)
    worse: list[Change] = field(default_factory=list)
    new: list[Change] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("better", "worse", "new", "gone"), 0))

    def compare(self, before: Iterator["_Source"], now: Iterator["_Source"]) -> None:
        """Walk through both lists, which are sorted, at once."""
        old, new = next(before, None), next(now, None)
        while old or new:
            if new is None or (old and old.key < new.key):
                self.counts["gone"] += self.can_tell_what_is_gone
                old = next(before, None)
            elif old is None or new.key < old.key:
                if not new.is_searchable:
                    self._count("new", self.new, new, None)
                new = next(now, None)
            else:
                if old.is_searchable != new.is_searchable:
                    name, changes = ("better", self.better) if new.is_searchable else ("worse", self.worse)
                    self._count(name, changes, new, old)
                old, new = next(before, None), next(now, None)

    def result(self, baseline: Baseline) -> SinceBefore:
        counts = self.counts
        return SinceBefore(
            baseline.taken_at,
            baseline.summary_key,
            baseline.share,
            counts["better"],
            counts["worse"],
            counts["new"],
            counts["gone"],
            tuple(self.better),
            tuple(self.worse),
            tuple(self.new),
        )

    def _count(self, name: str, changes: list[Change], now: "_Source", before: "_Source | None") -> None:
        self.counts[name] += 1
        if len(changes) < _EXAMPLES:
            changes.append(Change(now.key[1], before.state if before else None, now.state))


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of a posture, by resource type and ARN, and whether its newest backup can be searched."""

    key: tuple[str, str]
    state: Searchability | None

    @property
    def is_searchable(self) -> bool:
        return self.state is Searchability.SEARCHABLE


def _rows(path: Path) -> Iterator[_Source]:
    """Read the sources that AWS names. A state that a later version knows counts as not searchable."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["source_resource_arn"] is not None:
                key = (row["resource_type"] or "", row["source_resource_arn"])
                state = row["newest_searchability"]
                yield _Source(key, _STATES.get(state))


def _baseline(summary: dict[str, Any] | None, summary_key: Any) -> Baseline | None:
    if not summary:
        return None
    try:
        return Baseline.of(summary, str(summary_key))
    except (LookupError, TypeError, ValueError) as error:
        _logger.warning("an earlier posture is damaged: %r", error)
        return None
