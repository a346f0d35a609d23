"""One measurement: a fresh process, its CPU time as the kernel counts it, its peak memory as it tells it."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from benchmarks.figure import number
from benchmarks.servers import ROOT


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one process took.

    Attributes:
        cpu_seconds: User and system time of the whole process.
        start_cpu_seconds: The part of it up to the first mark: the interpreter, the imports, the clients.
        wall_seconds: From the start of the process to its end.
        start_wall_seconds: From the start of the process to the first mark.
        marks: CPU seconds between one mark and the next.
        peak_kibibytes: VmHWM at the end.
        told: What else the process told.
    """

    cpu_seconds: float
    start_cpu_seconds: float
    wall_seconds: float
    start_wall_seconds: float
    marks: list[float]
    peak_kibibytes: int
    told: dict[str, Any]


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
    told = json.loads(lines[-1])
    marks = told.pop("marks")
    return Measurement(
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        start_cpu_seconds=marks[0][0],
        wall_seconds=wall,
        start_wall_seconds=marks[0][1] - started,
        marks=[later[0] - earlier[0] for earlier, later in pairwise(marks)],
        peak_kibibytes=told.pop("peak_kibibytes"),
        told=told,
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """The same measured several times."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Sum up values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.least)}–{number(self.most)})"


def spread(measurements: Sequence[Measurement], value: Callable[[Measurement], float]) -> Spread:
    """Sum up one value of measurements."""
    return Spread.of([value(measurement) for measurement in measurements])
