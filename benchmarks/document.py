"""What is left of a run: JSON for machines, a table for people, and the page in docs."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from benchmarks.figure import Figure, Table, Target, number

_OPENING = (
    "`make bench` measures all of this and writes this page; it takes some minutes, on Linux. Every figure is a "
    "ratio against a baseline of the same run: seconds differ between machines, ratios hardly do. What AWS itself "
    "takes is not in it, except where a latency is named."
)
_CLOSING = (
    "`make bench` takes all figures. `.venv/bin/python -m benchmarks --only a,d --repeat 5` takes some of them, "
    "each five times, and `--quick` leaves out the largest searches; both leave this page as it is. Numbers for "
    "machines are in `out/bench/results.json`. The baselines are in `benchmarks/`."
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where a run took place.

    Attributes:
        day: The day, UTC.
        machine: Processor, cores and system.
        python: The Python of the measured processes, but for those under the emulator.
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
        """Describe this run."""
        machine = f"{_processor()}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
        return cls(f"{datetime.now(UTC):%Y-%m-%d}", machine, platform.python_version(), repeat, quick)


def write_results(folder: Path, circumstances: Circumstances, figures: Mapping[str, Figure]) -> None:
    """Write ``results.json`` and ``table.md``."""
    content = {
        "circumstances": asdict(circumstances),
        "targets": [{**asdict(target), "met": target.met} for figure in figures.values() for target in figure.targets],
        "figures": {letter: {"title": figure.title, **figure.numbers} for letter, figure in figures.items()},
    }
    (folder / "results.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "table.md").write_text(targets_table(list(figures.values())), encoding="utf-8")


def write_page(docs: Path, circumstances: Circumstances, figures: Mapping[str, Figure]) -> None:
    """Write ``benchmarks.md`` and its plots."""
    taken = (
        f"Taken on {circumstances.day}: {circumstances.machine}, Python {circumstances.python}. Each number is the "
        f"median of {circumstances.repeat} fresh processes; a range is the least and the most of them."
    )
    parts = [
        "# Benchmarks",
        _OPENING,
        taken,
        "## What it must show",
        targets_table(list(figures.values())),
    ]
    for letter, figure in figures.items():
        parts += [f"## {letter}. {figure.title}", figure.how]
        for plot in figure.plots:
            (docs / "images" / f"{plot.name}.svg").write_text(plot.svg, encoding="utf-8")
            parts.append(f"![{plot.alt}](images/{plot.name}.svg)")
        for table in figure.tables:
            parts += [table.caption, _markdown(table)] if table.caption else [_markdown(table)]
        parts += figure.notes
    parts += ["## Measure again", _CLOSING]
    (docs / "benchmarks.md").write_text("\n\n".join(part.strip("\n") for part in parts) + "\n", encoding="utf-8")


def targets_table(figures: Sequence[Figure]) -> str:
    """Write the targets of figures beside what was measured."""
    rows = [_row(target) for figure in figures for target in figure.targets]
    return _markdown(Table(["figure", "baseline", "measured", "must be", ""], rows)) + "\n"


def _row(target: Target) -> list[str]:
    measured = f"{number(target.value)}{target.unit}"
    return [target.figure, target.baseline, measured, target.must_be, "met" if target.met else "**not met**"]


def _markdown(table: Table) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown processor"
