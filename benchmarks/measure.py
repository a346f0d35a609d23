"""What all figures share: a measured process, its numbers summed up, a figure with its targets."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeVar

ROOT = Path(__file__).resolve().parents[1]
FAILED_SHARE = 0.05
K = TypeVar("K", bound=Hashable)


def number(value: float) -> str:
    """Write a number with three significant digits."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 0.01:
        return f"{value:.2g}"
    text = f"{value:.{2 if abs(value) >= 1 else 3}f}"
    return text.rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one process took.

    Attributes:
        cpu_seconds: User and system time of the whole process.
        start_cpu_seconds: The part of it up to the first mark: the interpreter, the imports, the clients.
        wall_seconds: From the start of the process to its end.
        start_wall_seconds: From the start of the process to the first mark.
        marks: CPU seconds between one mark and the next.
        peak_mebibytes: VmHWM at the end.
        printed: What else the process printed.
    """

    cpu_seconds: float
    start_cpu_seconds: float
    wall_seconds: float
    start_wall_seconds: float
    marks: list[float]
    peak_mebibytes: float
    printed: dict[str, Any]


def run(module: str, *arguments: str, environment: Mapping[str, str]) -> Measurement:
    """Run a module of this folder in a process of its own.

    Raises:
        RuntimeError: It failed; the message holds its last lines.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        lines = output.read().decode().splitlines()
        if process.returncode != 0:
            last = "\n".join([*lines[-5:], *errors.read().decode().splitlines()[-15:]])
            raise RuntimeError(f"{module} {' '.join(arguments)} ended with {process.returncode}:\n{last}")
    printed = json.loads(lines[-1])
    marks = printed.pop("marks")
    return Measurement(
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        start_cpu_seconds=marks[0][0],
        wall_seconds=wall,
        start_wall_seconds=marks[0][1] - started,
        marks=[later[0] - earlier[0] for earlier, later in pairwise(marks)],
        peak_mebibytes=printed.pop("peak_kibibytes") / 1024,
        printed=printed,
    )


OURS, BOTO3, BARE = "ours", "plain boto3", "bare HTTP + JSON"
MODULES = {OURS: "ours", BOTO3: "baseline_boto3", BARE: "baseline_bare"}


def run_report(
    code: str, search_job: str, *options: str, environment: Mapping[str, str], **expected: object
) -> Measurement:
    """Run the report of a search job with one of `MODULES`, and check what it counted.

    Raises:
        RuntimeError: It did not count what was expected.
    """
    measurement = run(MODULES[code], search_job, *options, environment=environment)
    counted = {**measurement.printed, **measurement.printed["backups"]}
    if any(counted[name] != value for name, value in expected.items()):
        raise RuntimeError(f"A report with {expected} was expected, but {code} printed {measurement.printed}.")
    return measurement


@dataclass(frozen=True, slots=True)
class Spread:
    """The same measured several times."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.least)}–{number(self.most)})"


def spreads(taken: Mapping[K, Sequence[Measurement]], value: Callable[[Measurement], float]) -> dict[K, Spread]:
    """Sum up one value of the measurements of each key."""
    return {key: Spread.of([value(measurement) for measurement in found]) for key, found in taken.items()}


@dataclass(frozen=True, slots=True)
class Target:
    """A measured number and its limit.

    Attributes:
        baseline: What it is compared with; empty for a plain number.
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
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Figure, baseline, measured, and what it must be."""
        limit = f"{'≥' if self.at_least else '≤'} {number(self.limit)}{self.unit}"
        return self.figure, self.baseline, f"{number(self.value)}{self.unit}", limit


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over the size of a search, whose axis is logarithmic.

    Attributes:
        series: The points of each line, by its name.
        log_y: Whether the other axis is logarithmic, too.
    """

    title: str
    x_label: str
    y_label: str
    series: dict[str, list[tuple[float, float]]]
    log_y: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        title: Its name.
        numbers: What was measured, for `page.md.j2` and for machines.
        targets: What it had to be.
        plots: What it looks like, by the name of the file.
    """

    title: str
    numbers: dict[str, Any]
    targets: list[Target] = field(default_factory=list)
    plots: dict[str, Plot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure.

    Attributes:
        folder: Where things may be written.
        repeat: How often each measurement is taken.
        quick: Leave out what takes minutes.
        say: Shows the progress.
        done: The numbers of the figures so far, by letter.
    """

    folder: Path
    repeat: int
    quick: bool
    say: Callable[[str], None]
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rounds(self, what: str, at_least: int = 1) -> Iterator[str]:
        count = max(at_least, self.repeat)
        for round_number in range(1, count + 1):
            text = f"{what} ({round_number} of {count})"
            self.say(text)
            yield text
