"""The sources of the backups that were not searched: counted in bounded memory, and named in one sentence."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from unicodedata import east_asian_width

from search_coverage.coverage.arn import Arn, MalformedArn
from search_coverage.report.plain_text import one_line, visible

SOURCES_COUNTED = 10_000
"""How many sources are counted one by one. The backups of all others are counted together, to bound the memory."""

_NAMES_SHOWN = 6
_PHRASES_SHOWN = 4
_NAME_COLUMNS = 40
_RUN = 3  # consecutive names that are worth a "…"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_DIGITS = 18


@dataclass(slots=True)
class SourceCounts:
    """Counts backups by the ARN of their source; empty where AWS did not send it.

    Attributes:
        limit: How many sources are counted one by one.
        created: When the oldest and the newest backup of a source was made, in seconds since the epoch, UTC; None
            unless that is known of all its backups.
        further: The backups of the sources beyond the limit.
    """

    limit: int = SOURCES_COUNTED
    counts: Counter[str] = field(default_factory=Counter)
    created: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    further: int = 0

    def count(self, source: str, created: float | None) -> None:
        """Count a backup."""
        if source not in self.counts:
            if len(self.counts) >= self.limit:
                self.further += 1
                return
            self.created[source] = None if created is None else (created, created)
        elif (known := self.created[source]) is not None:
            self.created[source] = None if created is None else (min(known[0], created), max(known[1], created))
        self.counts[source] += 1


def source_name(source: str) -> str:
    """Return the name of a bucket, or the identifier of a volume."""
    if not source:
        return "source not given"
    try:
        return Arn.parse(source).resource.removeprefix("volume/")
    except MalformedArn:
        return source


def shortened(name: str, columns: int) -> str:
    """Put a name from AWS on one line, and cut it in its middle: the ends distinguish it from others.

    Args:
        columns: The most that it may take; a wide character takes two.
    """
    text = visible(one_line(name, 2000)) or "(nothing that can be seen)"
    widths = [2 if east_asian_width(character) in "WF" else 1 for character in text]
    if sum(widths) <= columns:
        return text
    start = _fitting(widths, columns // 3)
    end = _fitting(widths[::-1], columns - columns // 3 - 1)
    return f"{text[:start]}…{text[-end:]}"


def _fitting(widths: list[int], room: int) -> int:
    taken = 0
    for count, width in enumerate(widths):
        if taken + width > room:
            return count
        taken += width
    return len(widths)


def sources_in_words(sources: SourceCounts, today: date) -> str:
    """Name the sources with the most backups: 22 of payroll-archive (14 Nov), 1 each of hr-records-408 … 412.

    Args:
        today: Days of its year are written without the year.
    """
    named = sorted(((count, source) for source, count in sources.counts.items() if source), key=lambda one: -one[0])
    phrases: list[str] = []
    shown, names_left = Counter[str](), _NAMES_SHOWN
    for count, group in groupby(named, key=lambda one: one[0]):
        if names_left == 0 or len(phrases) == _PHRASES_SHOWN:
            break
        runs = list(_runs(source for _, source in group))[:names_left]
        names_left -= len(runs)
        of_runs = [source for run in runs for source in run]
        shown.update(dict.fromkeys(of_runs, count))
        each = " each" if len(of_runs) > 1 else ""
        phrases.append(f"{count:,}{each} of {_listed(map(_run_name, runs))}{_days(sources, of_runs, today)}")
    if without_source := sources.counts[""]:
        phrases.append(f"{without_source:,} of a source that AWS did not name")
    rest = sources.counts.total() + sources.further - shown.total() - without_source
    if rest:
        phrases.append(_rest(rest, len(named) - len(shown), further=sources.further > 0))
    return ", ".join(phrases)


def _rest(backups: int, sources: int, *, further: bool) -> str:
    if further:
        return f"{backups:,} of {f'more than {sources:,} ' if sources else ''}other sources"
    if sources == 1:
        return f"{backups:,} of one other source"
    return f"{backups:,} of {sources:,} other sources" if backups > sources else f"1 each of {sources:,} other sources"


def _runs(sources: Iterable[str]) -> Iterator[list[str]]:
    """Put together the sources whose names differ by consecutive numbers at the end."""
    runs: list[list[str]] = []
    expected = None
    for name, source in sorted(((source_name(source), source) for source in sources), key=_in_order):
        stem, number = _numbered(name)
        if name != expected:
            runs.append([])
        runs[-1].append(source)
        # As wide as the number before, if that has leading zeros
        expected = f"{stem}{str(int(number) + 1).zfill(len(number))}" if number else None
    for run in runs:
        yield from [run] if len(run) >= _RUN else [[source] for source in run]


def _in_order(named: tuple[str, str]) -> tuple[str, int, str]:
    stem, number = _numbered(named[0])
    return stem, int(number) if number else -1, named[1]


def _numbered(name: str) -> tuple[str, str]:
    """Split off the number at the end of a name; it is empty if there is none, or if it is too long for a count."""
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    return (stem, number) if len(number) <= _DIGITS else (name, "")


def _run_name(run: list[str]) -> str:
    name = shortened(source_name(run[0]), _NAME_COLUMNS)
    if not _PLAIN_NAME.fullmatch(name.replace("…", "-")):
        name = f"“{name}”"
    return name if len(run) == 1 else f"{name} … {_numbered(source_name(run[-1]))[1]}"


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _days(sources: SourceCounts, group: list[str], today: date) -> str:
    spans = [sources.created[source] for source in group]
    known = [span for span in spans if span]
    if len(known) < len(spans):
        return ""
    oldest, newest = (
        datetime.fromtimestamp(seconds, UTC).date()
        for seconds in (min(span[0] for span in known), max(span[1] for span in known))
    )
    if oldest == newest:
        return f" ({_day(oldest, today)})"
    if (oldest.year, oldest.month) == (newest.year, newest.month):
        return f" ({oldest.day}–{_day(newest, today)})"
    if oldest.year == newest.year:
        return f" ({oldest:%-d %b} – {_day(newest, today)})"
    return f" ({oldest:%-d %b %Y} – {newest:%-d %b %Y})"


def _day(day: date, today: date) -> str:
    return f"{day:%-d %b}" if day.year == today.year else f"{day:%-d %b %Y}"
