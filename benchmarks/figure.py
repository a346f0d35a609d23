"""What a figure of the benchmark consists of, whatever it is about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A number that was measured, beside what it must be.

    Attributes:
        figure: The name of what was measured.
        baseline: What it is held against; empty for a plain number.
        value: What was measured.
        limit: What it must be.
        at_least: True if more is better.
        unit: Put behind value and limit.
    """

    figure: str
    baseline: str
    value: float
    limit: float
    at_least: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is what it must be."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def must_be(self) -> str:
        """The limit, as text."""
        return f"{'≥' if self.at_least else '≤'} {number(self.limit)}{self.unit}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts."""

    columns: list[str]
    rows: list[list[str]]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing.

    Attributes:
        name: The name of its file, without ``.svg``.
        alt: What it shows, for those who do not see it.
        svg: The drawing.
    """

    name: str
    alt: str
    svg: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        title: Its name.
        how: How it was taken.
        tables: What came out.
        targets: What it had to be.
        plots: What it looks like.
        notes: What has to be said about it, in paragraphs.
        numbers: All of it for machines.
    """

    title: str
    how: str
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure.

    Attributes:
        folder: Where things may be written.
        repeat: How often each measurement is taken.
        quick: Leave out what takes minutes.
        say: Show what is going on.
        done: The numbers of the figures so far, by letter.
    """

    folder: Path
    repeat: int
    quick: bool
    say: Callable[[str], None]
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rounds(self, what: str, at_least: int = 1) -> list[tuple[int, str]]:
        """Number the repetitions, each with a text to show."""
        count = max(at_least, self.repeat)
        return [(round_number, f"{what} ({round_number} of {count})") for round_number in range(1, count + 1)]


def number(value: float) -> str:
    """Write a number with three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 1 else 3
    if abs(value) < 0.01:
        return f"{value:.2g}"
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
