"""The pictures of the page, as numbers: how much was searched; what was not, by reason, by source and by age."""

from collections.abc import Iterable
from dataclasses import dataclass

from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.verdict import BackupCounts
from search_coverage.report.sources import shortened, source_name
from search_coverage.report.tally import AGE_UNKNOWN, AGES, Tally
from search_coverage.report.wording import reasons_in_order

WIDTH = 320
"""How wide a chart is, in its own units; about the pixels of a phone."""

_SOURCES_SHOWN = 8
_LABEL_COLUMNS = 38
_COVERAGE_WIDTH = 1000
_LEAST_WIDTH = 8  # so that one backup among a million is seen


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, ``width`` in the chart's units."""

    label: str
    count: int
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Horizontal bars with a title, and a note on what they leave out."""

    name: str
    title: str
    bars: tuple[Bar, ...]
    note: str | None = None

    @property
    def in_words(self) -> str:
        """The bars as one sentence."""
        return "; ".join(f"{bar.label}: {bar.count:,}" for bar in self.bars)


def searched_width(backups: BackupCounts, total: int) -> float:
    """Return how much of the coverage bar's 1,000 units was searched; neither part vanishes while it has a backup."""
    width = _COVERAGE_WIDTH * backups.searched / total if total else 0.0
    if backups.searched:
        width = max(width, _LEAST_WIDTH)
    if backups.searched < total:
        width = min(width, _COVERAGE_WIDTH - _LEAST_WIDTH)
    return round(width, 1)


def percent_searched(backups: BackupCounts, total: int) -> str:
    """Return the share that was searched, rounded down: it says 100% only if all were."""
    tenths = 1000 * backups.searched // total if total else 0
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10}%"


def charts(tally: Tally) -> list[Chart]:
    """Draw the exclusions, if there are any."""
    if not tally.excluded:
        return []
    reasons = [(REMEDIES[reason].title, count) for reason, count in reasons_in_order(tally)]
    ages = [name for name, _ in AGES] + [AGE_UNKNOWN] * bool(tally.by_age[AGE_UNKNOWN])
    return [
        Chart("by-reason", "By reason", bars(reasons)),
        _sources(tally),
        Chart(
            "by-age", "By age of the backup when the search started", bars((name, tally.by_age[name]) for name in ages)
        ),
    ]


def _sources(tally: Tally) -> Chart:
    sources = tally.by_source
    shown = sources.counts.most_common(_SOURCES_SHOWN)
    counts = [(source_name(source), count) for source, count in shown]
    if rest := tally.excluded - sum(count for _, count in shown):
        counts.append(("all other sources", rest))
    note = None
    if sources.further:
        note = (
            f"Of the first {sources.limit:,} sources, those with the most; {sources.further:,} backups of further "
            "sources are counted together."
        )
    elif len(sources.counts) > len(shown):
        note = f"The {len(shown)} sources with the most, of {len(sources.counts):,}."
    return Chart("by-source", "By source", bars(counts), note)


def bars(counts: Iterable[tuple[str, int]]) -> tuple[Bar, ...]:
    """Draw bars whose longest fills the chart."""
    pairs = list(counts)
    most = max((count for _, count in pairs), default=0)
    return tuple(
        Bar(shortened(name, _LABEL_COLUMNS), count, round(max(WIDTH * count / most, 2.0), 1) if count else 0.0)
        for name, count in pairs
    )
