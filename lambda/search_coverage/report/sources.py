"""Whose backups were not searched: counted by source in bounded memory, and said in one sentence."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby

from search_coverage.coverage.arn import Arn, MalformedArn
from search_coverage.report.plain_text import one_line, visible

SOURCES_COUNTED = 10_000
"""How many sources are counted each on its own. The backups of any further ones are counted together, so that memory
does not grow with the search."""

_NAMES_SHOWN = 6
_PHRASES_SHOWN = 4
_NAME_CHARACTERS = 40
_RUN = 3  # consecutive names that are worth a "…"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>[0-9]{1,18})", re.DOTALL)


@dataclass(slots=True)
class SourceCounts:
    """Counts backups by the ARN of their source; empty where AWS did not send it.

    Attributes:
        limit: How many sources are counted each on its own.
        created: When the oldest and the newest backup of a source was made, in seconds since the epoch, UTC; None if
            that is not known of all of them.
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
    """Give what tells a source from others: the name of its bucket, the identifier of its volume."""
    if not source:
        return "source not given"
    try:
        return Arn.parse(source).resource.removeprefix("volume/")
    except MalformedArn:
        return source


def shortened(text: str, characters: int) -> str:
    """Cut a text in its middle: the ends of a name are what tells it from others."""
    if len(text) <= characters:
        return text
    start = characters // 3
    return f"{text[:start]}…{text[start + 1 - characters :]}"


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
        others = len(named) - len(shown)
        number = f"more than {others:,} " if sources.further and others else f"{others:,} " if others else ""
        noun = "source" if others == 1 and not sources.further else "sources"
        phrases.append(f"{rest:,} of {number}other {noun}")
    return ", ".join(phrases)


def _runs(sources: Iterable[str]) -> Iterator[list[str]]:
    """Put together the sources whose names differ by consecutive numbers at the end."""
    run: list[str] = []
    expected = None
    for name, source in sorted(((source_name(source), source) for source in sources), key=_in_order):
        if run and name != expected:
            yield from _worth_it(run)
            run = []
        run.append(source)
        expected = _successor(name)
    yield from _worth_it(run)


def _worth_it(run: list[str]) -> list[list[str]]:
    return [run] if len(run) >= _RUN else [[source] for source in run]


def _in_order(named: tuple[str, str]) -> tuple[str, int, str]:
    parts = _NUMBERED.fullmatch(named[0])
    return (parts["stem"], int(parts["number"]), named[1]) if parts else (named[0], -1, named[1])


def _successor(name: str) -> str | None:
    """Give the name with the next number at its end, as wide as the number before where that has leading zeros."""
    parts = _NUMBERED.fullmatch(name)
    return f"{parts['stem']}{str(int(parts['number']) + 1).zfill(len(parts['number']))}" if parts else None


def _run_name(run: list[str]) -> str:
    first = _name(run[0])
    if len(run) == 1:
        return first
    numbered = _NUMBERED.fullmatch(source_name(run[-1]))
    return f"{first} … {numbered['number'] if numbered else _name(run[-1])}"


def _name(source: str) -> str:
    name = shortened(visible(one_line(source_name(source), 2000)), _NAME_CHARACTERS)
    return name if _PLAIN_NAME.fullmatch(name.replace("…", "-")) else f"“{name}”"


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
