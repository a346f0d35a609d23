"""The output of a run: JSON for machines, a table for people, and the page in docs with its plots."""

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks import sizing
from benchmarks.measure import BARE, BOTO3, OURS, Figure, Plot, number

# Both are in the middle of the scale: GitHub shows the same file on white and on black.
_COLORS = {BOTO3: "#c2571a", OURS: "#2f81f7", BARE: "#8b6fc9"}
_LABEL_HEIGHT = 16

_templates = Environment(  # noqa: S701 - Markdown; the plots escape their texts
    loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.filters["n"] = number


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where a run took place.

    Attributes:
        day: The day, UTC.
        machine: Processor, cores and system.
        python: The Python of the measured processes, except for those under the emulator.
        repeat: How often each measurement was taken.
        quick: Whether the largest were left out.
    """

    day: str
    machine: str
    python: str
    repeat: int
    quick: bool

    @classmethod
    def here_and_now(cls, *, repeat: int, quick: bool) -> Self:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        processor = next(names, "") or platform.processor() or "unknown processor"
        machine = f"{processor}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
        return cls(f"{datetime.now(UTC):%Y-%m-%d}", machine, platform.python_version(), repeat, quick)


def write_results(folder: Path, circumstances: Circumstances, figures: Mapping[str, Figure]) -> None:
    """Write ``results.json`` and ``table.md``."""
    content = {
        "circumstances": asdict(circumstances),
        "targets": [{**asdict(target), "met": target.met} for figure in figures.values() for target in figure.targets],
        "figures": {letter: {"title": figure.title, **_plain(figure.numbers)} for letter, figure in figures.items()},
    }
    (folder / "results.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    table = _templates.get_template("targets.md.j2").render(figures=figures)
    (folder / "table.md").write_text(f"{table}\n", encoding="utf-8")


def write_page(docs: Path, circumstances: Circumstances, figures: Mapping[str, Figure]) -> None:
    """Write ``benchmarks.md`` and its plots."""
    for figure in figures.values():
        for name, plot in figure.plots.items():
            (docs / "images" / f"{name}.svg").write_text(draw(plot), encoding="utf-8")
    numbers = {letter: figure.numbers for letter, figure in figures.items()}
    page = _templates.get_template("page.md.j2").render(run=circumstances, figures=figures, sizing=sizing, **numbers)
    (docs / "benchmarks.md").write_text(f"{page}\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Return numbers as JSON takes them: keys of several parts as one text."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {", ".join(map(str, k)) if isinstance(k, tuple) else str(k): _plain(v) for k, v in value.items()}
    return value


def draw(plot: Plot) -> str:
    """Draw a plot as SVG. Where two labels of lines would overlap, they are moved apart."""
    xs = sorted({x for line in plot.series.values() for x, _ in line})
    ys = [y for line in plot.series.values() for _, y in line]
    y_ticks = _powers(ys) if plot.log_y else _steps(max(ys))

    def across(x: float) -> float:
        return 56 + _part(x, xs[0], xs[-1], log=True) * 474

    def up(y: float) -> float:
        return 324 - _part(y, y_ticks[0], y_ticks[-1], log=plot.log_y) * 268

    lines = []
    lowest = -math.inf
    for name, points in sorted(plot.series.items(), key=lambda line: up(line[1][-1][1])):
        places = [(across(x), up(y)) for x, y in points]
        lowest = max(places[-1][1], lowest + _LABEL_HEIGHT)
        label = f"{name}: {_short(points[-1][1], digits=3)}"
        lines.append({"points": places, "color": _COLORS[name], "label": label, "label_y": lowest + 4})
    return _templates.get_template("plot.svg.j2").render(
        plot=plot,
        lines=lines,
        x_ticks=[(across(x), _short(x)) for x in xs],
        y_ticks=[(up(y), _short(y)) for y in y_ticks],
    )


def _part(value: float, low: float, high: float, *, log: bool) -> float:
    value, low, high = (math.log10(v) if log else v for v in (value, low, high))
    return (value - low) / (high - low)


def _powers(values: list[float]) -> list[float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, high + 1)]


def _steps(most: float) -> list[float]:
    power: float = 10.0 ** math.floor(math.log10(most / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= most / 4)
    return [step * i for i in range(math.ceil(most / step) + 1)]


def _short(value: float, digits: int = 2) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:.{digits}g}" if value < 100 else f"{value:.0f}"
