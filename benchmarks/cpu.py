"""Figure a: the CPU of a whole report, against plain boto3 and against bare HTTP, as the search grows."""

from dataclasses import asdict

from benchmarks.drawing import Series, line_plot
from benchmarks.figure import Bench, Figure, Plot, Table, Target, number
from benchmarks.measure import Measurement, run, spread
from benchmarks.servers import aws

OURS, BOTO3, BARE = "ours", "plain boto3", "bare HTTP + JSON"
MODULES = {OURS: "ours_report", BOTO3: "baseline_boto3", BARE: "baseline_bare"}
SIZES = (1_000, 20_000, 150_000)
QUICK_SIZES = (1_000, 20_000)
FAILED_SHARE = 0.05

Measurements = dict[str, dict[int, list[Measurement]]]


def measure(bench: Bench) -> Figure:
    """Take the figure."""
    sizes = QUICK_SIZES if bench.quick else SIZES
    taken: Measurements = {name: {size: [] for size in sizes} for name in MODULES}
    with aws(bench.folder) as servers:
        environment = servers.environment()
        warm_up = servers.search_job(1, failed=1)
        for module in MODULES.values():
            run(module, warm_up, environment=environment)  # so that bytecode is written before anything counts
        for size in sizes:
            search_job = servers.search_job(size, failed=round(size * FAILED_SHARE))
            for _, text in bench.rounds(f"CPU of a report of {size:,} backups"):
                for name, module in MODULES.items():
                    bench.say(f"{text}: {name}")
                    measurement = run(module, search_job, environment=environment)
                    _check(measurement, size)
                    taken[name][size].append(measurement)
    return _figure(taken, sizes)


def _check(measurement: Measurement, size: int) -> None:
    backups = measurement.told["backups"]
    if (backups["listed"], backups["failed"]) != (size, round(size * FAILED_SHARE)):
        raise RuntimeError(f"A report of {size} backups was expected, but it told of {backups}.")


def _figure(taken: Measurements, sizes: tuple[int, ...]) -> Figure:
    whole = {name: {size: spread(taken[name][size], lambda m: m.cpu_seconds) for size in sizes} for name in MODULES}
    after = {name: {size: spread(taken[name][size], lambda m: m.marks[0]) for size in sizes} for name in MODULES}
    rows = [
        [
            f"{size:,}",
            name,
            str(whole[name][size]),
            number(whole[name][size].median / size * 1_000_000),
            number(after[name][size].median / size * 1_000_000),
            number(whole[name][size].median / whole[OURS][size].median),
            number(after[name][size].median / after[OURS][size].median),
        ]
        for size in sizes
        for name in MODULES
    ]
    largest = sizes[-1]
    ours = whole[OURS][largest].median
    named = f"CPU of a whole report of {largest:,} backups, 5 % FAILED"
    plot = line_plot(
        "CPU of a whole report",
        x_label="backups, 5 % of them FAILED",
        y_label="CPU seconds",
        series=[
            Series(name, [(size, whole[name][size].median) for size in sizes], colour)
            for name, colour in ((BOTO3, "#c2571a"), (OURS, "#2f81f7"), (BARE, "#8b6fc9"))
        ],
    )
    return Figure(
        title="CPU of a whole report",
        how=(
            "One process a report, from its start to its end, user and system time as the kernel counts it "
            "(`os.wait4`). **ours** is the handler of the report function with all it does. **plain boto3** "
            "(`benchmarks/baseline_boto3.py`) pages with boto3's paginator, writes one CSV and publishes the "
            "FAILED backups. **bare HTTP + JSON** (`baseline_bare.py`) writes one CSV and nothing else, unsigned, "
            "with the standard library alone. Without start-up means: without the interpreter, the imports, the "
            "clients and the end of the process. The servers are processes of their own and do not count."
        ),
        tables=[
            Table(
                [
                    "backups",
                    "code",
                    "CPU s, median (range)",
                    "ms per 1,000",
                    "ms per 1,000 without start-up",
                    "× ours",
                    "× ours without start-up",
                ],
                rows,
            )
        ],
        targets=[
            Target(f"{named}, times less than", BOTO3, whole[BOTO3][largest].median / ours, 10, at_least=True),
            Target(f"{named}, against", BARE, ours / whole[BARE][largest].median, 2.0),
        ],
        plots=[
            Plot(
                "bench-cpu",
                f"CPU seconds of a whole report from {sizes[0]:,} to {largest:,} backups: ours, plain boto3, bare HTTP",
                plot,
            )
        ],
        numbers={
            name: {
                str(size): {"whole": asdict(whole[name][size]), "without_start": asdict(after[name][size])}
                for size in sizes
            }
            for name in MODULES
        },
    )
