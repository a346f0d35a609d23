"""Measures what a report costs: ``python -m benchmarks [--only a,b,...] [--repeat N] [--quick]``."""

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import cpu, document, lambda_emulator, memory, sizing, start, sweep, vaults, wall
from benchmarks.figure import Bench, Figure, number
from benchmarks.servers import ROOT

FIGURES: dict[str, Callable[[Bench], Figure]] = {
    "a": cpu.measure,
    "b": wall.measure,
    "c": memory.measure,
    "d": start.measure_init,
    "e": start.measure_zip,
    "f": sweep.measure,
    "g": sizing.measure,
    "h": vaults.measure,
}
EMULATED = "d"


def main(arguments: list[str] | None = None) -> int:
    """Take the figures, show them, and write them down. A target that is not met is told, and is no failure.

    Returns:
        The exit code: 0, or 2 if this machine cannot measure.
    """
    options = _options(arguments)
    console = Console()
    if not Path("/proc/self/status").exists():
        console.print("The peak memory of a process is read from /proc/self/status: measure on Linux.")
        return 2
    wanted = [letter for letter in FIGURES if letter in options.only]
    if EMULATED in wanted and not lambda_emulator.EMULATOR.exists():
        console.print(f"Figure {EMULATED} is left out: the Runtime Interface Emulator is not there. Run 'make setup'.")
        wanted.remove(EMULATED)
    figures = _measure(wanted, options, console)
    circumstances = document.Circumstances.here_and_now(repeat=options.repeat, quick=options.quick)
    document.write_results(options.folder, circumstances, figures)
    whole = list(figures) == list(FIGURES) and not options.quick
    if whole:
        document.write_page(ROOT / "docs", circumstances, figures)
    _show(figures, console)
    page = "docs/benchmarks.md is refreshed." if whole else "docs/benchmarks.md is refreshed by a whole run only."
    console.print(f"results.json and table.md are in {options.folder.relative_to(ROOT)}. {page}")
    return 0


def _measure(wanted: list[str], options: argparse.Namespace, console: Console) -> dict[str, Figure]:
    options.folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Figure] = {}
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(wanted))
        done: dict[str, dict[str, object]] = {}
        for letter in wanted:
            bench = Bench(
                folder=options.folder,
                repeat=options.repeat,
                quick=options.quick,
                say=lambda text, letter=letter: progress.update(task, description=f"{letter}: {text}"),  # type: ignore[misc]
                done=done,
            )
            figures[letter] = FIGURES[letter](bench)
            done[letter] = figures[letter].numbers
            progress.advance(task)
            for target in figures[letter].targets:
                verdict = "met" if target.met else "NOT MET"
                progress.console.print(f"{letter}: {target.figure} {target.baseline}: {number(target.value)} {verdict}")
        progress.update(task, description="done")
    shutil.rmtree(options.folder / "tmp", ignore_errors=True)
    return figures


def _show(figures: dict[str, Figure], console: Console) -> None:
    table = Table("figure", "baseline", "measured", "must be", "")
    for figure in figures.values():
        for target in figure.targets:
            told = asdict(target)
            style = "green" if target.met else "red"
            measured = f"{number(target.value)}{target.unit}"
            table.add_row(
                told["figure"],
                target.baseline,
                measured,
                target.must_be,
                "met" if target.met else "not met",
                style=style,
            )
    console.print(table)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_letters,
        default=set(FIGURES),
        metavar="a,b,...",
        help="a CPU, b slow pages, c memory, d start, e zip file, f sweeps, g sizing, h inventory; default all",
    )
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="measure N times (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="leave out the largest searches")
    options = parser.parse_args(arguments)
    if options.repeat < 1:
        parser.error("--repeat takes a number from 1.")
    options.folder = ROOT / "out" / "bench"
    return options


def _letters(text: str) -> set[str]:
    letters = set(filter(None, text.lower().split(",")))
    unknown = sorted(letters - set(FIGURES))
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no figure; there are {', '.join(FIGURES)}.")
    return letters


if __name__ == "__main__":
    sys.exit(main())
