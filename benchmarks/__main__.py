"""Measures what a report costs: ``python -m benchmarks``."""

import shutil
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import cpu, lambda_emulator, memory, page, pages, postures, sizing, start, sweep, vaults
from benchmarks.measure import ROOT, Bench, Figure

FIGURES: dict[str, Callable[[Bench], Figure]] = {
    "a": cpu.measure,
    "b": pages.measure,
    "c": memory.measure,
    "d": start.measure_init,
    "e": start.measure_zip,
    "f": sweep.measure,
    "g": sizing.measure,
    "h": vaults.measure,
    "i": postures.measure,
}
EMULATED = "d"
OUT = ROOT / "out" / "bench"


def _letters(_: click.Context, __: click.Parameter, text: str) -> list[str]:
    letters = set(filter(None, text.lower().split(",")))
    if unknown := sorted(letters - set(FIGURES)):
        raise click.BadParameter(f"{unknown[0]!r} is not a figure; the figures are {', '.join(FIGURES)}.")
    return [letter for letter in FIGURES if letter in letters]


@click.command()
@click.option(
    "--only",
    callback=_letters,
    default=",".join(FIGURES),
    metavar="a,b,...",
    help="a CPU, b slow pages, c memory, d start, e zip file, f sweeps, g sizing, h inventory, i posture; default all",
)
@click.option("--repeat", type=click.IntRange(min=1), default=3, show_default=True, help="The number of measurements.")
@click.option("--quick", is_flag=True, help="Leave out the largest searches.")
def main(only: list[str], repeat: int, *, quick: bool) -> None:
    """Measure the figures, print them and write them to files. A missed target is printed and is not a failure."""
    console = Console()
    if not Path("/proc/self/status").exists():
        raise click.UsageError("The peak memory of a process is read from /proc/self/status: measure on Linux.")
    if EMULATED in only and not lambda_emulator.EMULATOR.exists():
        console.print(f"Figure {EMULATED} is left out: the Runtime Interface Emulator is not there. Run 'make setup'.")
        only.remove(EMULATED)
    OUT.mkdir(parents=True, exist_ok=True)
    figures = _measure(only, repeat, console, quick=quick)
    circumstances = page.Circumstances.here_and_now(repeat=repeat, quick=quick)
    page.write_results(OUT, circumstances, figures)
    whole = list(figures) == list(FIGURES) and not quick
    if whole:
        page.write_page(ROOT / "docs", circumstances, figures)
    console.print(_table(figures))
    written = "docs/benchmarks.md is refreshed." if whole else "docs/benchmarks.md is refreshed by a whole run only."
    console.print(f"results.json and table.md are in {OUT.relative_to(ROOT)}. {written}")


def _measure(wanted: list[str], repeat: int, console: Console, *, quick: bool) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    bar, text = BarColumn(bar_width=20), TextColumn("{task.description}")
    with Progress(SpinnerColumn(), bar, MofNCompleteColumn(), TimeElapsedColumn(), text, console=console) as progress:
        task = progress.add_task("", total=len(wanted))
        for letter in wanted:

            def say(text: str, letter: str = letter) -> None:
                progress.update(task, description=f"{letter}: {text}")

            done = {letter: figure.numbers for letter, figure in figures.items()}
            figures[letter] = FIGURES[letter](Bench(OUT, repeat, quick, say, done))
            progress.advance(task)
            for target in figures[letter].targets:
                name, baseline, measured, _ = target.cells
                verdict = "met" if target.met else "NOT MET"
                progress.console.print(f"{letter}: {name} {baseline}: {measured} {verdict}")
        progress.update(task, description="done")
    shutil.rmtree(OUT / "tmp", ignore_errors=True)
    return figures


def _table(figures: dict[str, Figure]) -> Table:
    table = Table("figure", "baseline", "measured", "must be", "")
    for target in (target for figure in figures.values() for target in figure.targets):
        met, style = ("met", "green") if target.met else ("not met", "red")
        table.add_row(*target.cells, met, style=style)
    return table


if __name__ == "__main__":
    main()
