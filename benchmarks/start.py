"""Figures d and e: how long the report function takes to start, and how large it is, against the usual bundle."""

import zipfile
from dataclasses import asdict
from pathlib import Path

from benchmarks import bundles, lambda_emulator
from benchmarks.figure import Bench, Figure, Table, Target, number
from benchmarks.measure import Spread
from benchmarks.servers import aws

OURS, USUAL = "ours", "usual bundle"
OUR_HANDLER = "search_coverage.handlers.report.handler"
# Neither function works on it: ours refuses it, the usual one answers at once. Only the start is of interest.
EVENT = {"source": "benchmark"}
MEBIBYTE = 1024 * 1024
ROUNDS = 7  # a start takes a second and varies more than the rest


def measure_init(bench: Bench) -> Figure:
    """Take figure d."""
    bench.say("the bundles")
    python, client = bundles.runtime(bench.folder)
    functions = {
        OURS: (bundles.ours(bench.folder), OUR_HANDLER),
        USUAL: (bundles.usual(bench.folder, python), f"{bundles.USUAL_HANDLER}.handler"),
    }
    version = _version_of(python)
    taken: dict[str, list[lambda_emulator.Start]] = {name: [] for name in functions}
    with aws(bench.folder) as servers:
        for round_number, text in [
            (0, "start, to warm the disk up"),
            *bench.rounds("start under the emulator", ROUNDS),
        ]:
            for name, (bundle, handler) in functions.items():
                bench.say(f"{text}: {name}")
                started = lambda_emulator.start(
                    bundle,
                    handler,
                    python=python,
                    runtime_client=client,
                    environment=servers.environment(),
                    event=EVENT,
                )
                _check(name, started)
                if round_number:
                    taken[name].append(started)
    logged = all(start.init_seconds is not None for starts in taken.values() for start in starts)
    init = {name: Spread.of([_seconds(start, logged=logged) for start in starts]) for name, starts in taken.items()}
    first = {name: Spread.of([start.first_answer_seconds for start in starts]) for name, starts in taken.items()}
    source = (
        "The time is what the emulator logs as `INIT REPORT` (its `Init Duration` says nothing: it does not wait for "
        "the runtime)"
        if logged
        else "The emulator logs no duration of the init phase; the time is from the first request to its answer"
    )
    return Figure(
        title="Start of the report function",
        how=(
            f"Amazon's Runtime Interface Emulator, Python {version}, awslambdaric. {source}. **ours** is the bundle of "
            "`infra/python_bundle.py`. The **usual bundle** has all of boto3, Powertools with parser and tracer, no "
            "bytecode, and `benchmarks/usual_handler.py`, which imports them and makes the same clients. "
            "Neither may write bytecode, because Lambda's code folder is read-only. Both are read from a warm disk, in "
            f"turns, at least {ROUNDS} times each."
        ),
        tables=[
            Table(
                ["bundle", "init s, median (range)", "first answer s", "× ours"],
                [
                    [
                        name,
                        str(init[name]),
                        number(first[name].median),
                        number(init[name].median / init[OURS].median),
                    ]
                    for name in functions
                ],
            )
        ],
        targets=[
            Target(
                f"init of the report function under the emulator, Python {version}",
                USUAL,
                init[OURS].median / init[USUAL].median,
                0.30,
            )
        ],
        notes=_notes(version, bundles.packages(functions[USUAL][0])),
        numbers={
            "python": version,
            "source": "INIT REPORT" if logged else "first answer",
            **{name: {"init": asdict(init[name]), "first_answer": asdict(first[name])} for name in functions},
        },
    )


def measure_zip(bench: Bench) -> Figure:
    """Take figure e."""
    bench.say("the bundles")
    python, _ = bundles.runtime(bench.folder)
    ours, usual = bundles.ours(bench.folder), bundles.usual(bench.folder, python)
    bench.say("zip files")
    sizes = {
        name: _zip_bytes(folder, bench.folder / f"{folder.name}.zip") for name, folder in ((OURS, ours), (USUAL, usual))
    }
    return Figure(
        title="Size of the zip file",
        how="Every file of the bundles of the figure above, in a zip file, deflate level 6.",
        tables=[
            Table(
                ["bundle", "MiB", "× ours"],
                [[name, number(size / MEBIBYTE), number(size / sizes[OURS])] for name, size in sizes.items()],
            )
        ],
        targets=[Target("zip of the report function", "", sizes[OURS] / MEBIBYTE, 4, unit=" MiB")],
        numbers={name: {"bytes": size} for name, size in sizes.items()},
    )


def _check(name: str, started: lambda_emulator.Start) -> None:
    expected = started.answer.get("errorType") == "InvalidRequest" or started.answer.get("ready")
    if not expected:
        raise RuntimeError(f"The function of {name} did not start: {started.answer}")


def _seconds(start: lambda_emulator.Start, *, logged: bool) -> float:
    return start.init_seconds if logged and start.init_seconds is not None else start.first_answer_seconds


def _version_of(python: str) -> str:
    return bundles.output_of([python, "-c", "import platform; print(platform.python_version())"]).strip()


def _notes(version: str, packages: list[str]) -> list[str]:
    notes = [f"The usual bundle holds {', '.join(packages)}."]
    if not version.startswith(bundles.RUNTIME_VERSION):
        notes.append(
            f"Python {bundles.RUNTIME_VERSION}, which Lambda runs, was not to be had on this machine. So ours started "
            "without its bytecode, and is slower here than it is on Lambda."
        )
    return notes


def _zip_bytes(folder: Path, target: Path) -> int:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return target.stat().st_size
