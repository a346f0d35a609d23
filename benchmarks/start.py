"""Figures d and e: how long the report function takes to start, and how large it is, against the usual bundle."""

import zipfile
from pathlib import Path

from benchmarks import bundles, lambda_emulator
from benchmarks.measure import OURS, Bench, Figure, Spread, Target
from benchmarks.servers import aws

USUAL = "usual bundle"
OUR_HANDLER = "search_coverage.handlers.report.handler"
# Neither function works on it: ours refuses it, the usual one answers at once. Only the start is of interest.
EVENT = {"source": "benchmark"}
MEBIBYTE = 1024 * 1024
ROUNDS = 7  # a start takes a second and varies more than the rest


def measure_init(bench: Bench) -> Figure:
    bench.say("the bundles")
    python, client = bundles.runtime(bench.folder)
    usual = bundles.usual(bench.folder, python)
    functions = {OURS: (bundles.ours(bench.folder), OUR_HANDLER), USUAL: (usual, f"{bundles.USUAL_HANDLER}.handler")}
    taken: dict[str, list[lambda_emulator.Start]] = {name: [] for name in functions}
    with aws(bench.folder) as (_, environment):
        for text in ("start, to warm the disk up", *bench.rounds("start under the emulator", ROUNDS)):
            for name, (bundle, handler) in functions.items():
                bench.say(f"{text}: {name}")
                taken[name].append(lambda_emulator.start(bundle, handler, python, client, environment, EVENT))
                _check(name, taken[name][-1])
    warm = {name: starts[1:] for name, starts in taken.items()}
    logged = all(start.init_seconds is not None for starts in warm.values() for start in starts)
    first = {name: Spread.of([start.first_answer_seconds for start in starts]) for name, starts in warm.items()}
    init = {name: Spread.of([start.init_seconds or 0 for start in starts]) for name, starts in warm.items()}
    init = init if logged else first
    version = bundles.output_of([python, "-c", "import platform; print(platform.python_version())"]).strip()
    name = f"init of the report function under the emulator, Python {version}"
    return Figure(
        "Start of the report function",
        {
            "python": version,
            "runtime": bundles.RUNTIME_VERSION,
            "source": "INIT REPORT" if logged else "first answer",
            "rounds": ROUNDS,
            "packages": bundles.packages(usual),
            "init": init,
            "first_answer": first,
        },
        targets=[Target(name, USUAL, init[OURS].median / init[USUAL].median, 0.30)],
    )


def measure_zip(bench: Bench) -> Figure:
    bench.say("the bundles")
    python, _ = bundles.runtime(bench.folder)
    folders = {OURS: bundles.ours(bench.folder), USUAL: bundles.usual(bench.folder, python)}
    bench.say("zip files")
    sizes = {name: _zip_bytes(folder, folder.with_suffix(".zip")) / MEBIBYTE for name, folder in folders.items()}
    return Figure(
        "Size of the zip file",
        {"mebibytes": sizes},
        targets=[Target("zip of the report function", "", sizes[OURS], 4, unit=" MiB")],
    )


def _check(name: str, started: lambda_emulator.Start) -> None:
    if not (started.answer.get("errorType") == "InvalidRequest" or started.answer.get("ready")):
        raise RuntimeError(f"The function of {name} did not start: {started.answer}")


def _zip_bytes(folder: Path, target: Path) -> int:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            file.write(path, path.relative_to(folder))
    return target.stat().st_size
