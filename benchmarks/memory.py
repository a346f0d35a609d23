"""Figure c: the peak memory of a report as the search grows, all backups FAILED."""

from dataclasses import asdict

from benchmarks.drawing import Series, line_plot
from benchmarks.figure import Bench, Figure, Plot, Table, Target, number
from benchmarks.measure import Measurement, run, spread
from benchmarks.servers import aws

OURS, BOTO3 = "ours", "plain boto3"
SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 100_000)
LARGEST_FOR_BOTO3 = 100_000


def measure(bench: Bench) -> Figure:
    """Take the figure."""
    sizes = QUICK_SIZES if bench.quick else SIZES
    plan = [(OURS, "ours_report", size) for size in sizes]
    plan += [(BOTO3, "baseline_boto3", size) for size in sizes if size <= LARGEST_FOR_BOTO3]
    taken: dict[str, dict[int, list[Measurement]]] = {OURS: {}, BOTO3: {}}
    with aws(bench.folder) as servers:
        for name, module, size in plan:
            search_job = servers.search_job(size, failed=size)
            for _, text in bench.rounds(f"memory of a report of {size:,} failed backups: {name}"):
                bench.say(text)
                measurement = run(module, search_job, environment=servers.environment())
                if measurement.told["backups"]["failed"] != size:
                    raise RuntimeError(f"{size} failed backups were expected, but it told of {measurement.told}.")
                taken[name].setdefault(size, []).append(measurement)
    return _figure(taken, sizes)


def _figure(taken: dict[str, dict[int, list[Measurement]]], sizes: tuple[int, ...]) -> Figure:
    peaks = {
        name: {size: spread(found, lambda m: m.peak_kibibytes / 1024) for size, found in sized.items()}
        for name, sized in taken.items()
    }
    smallest, largest = sizes[0], sizes[-1]
    return Figure(
        title="Peak memory",
        how=(
            "`VmHWM` of the whole process, read by itself from `/proc/self/status` at its end; every backup is FAILED, "
            "so that every one is written into all files and all messages. The inventory is off. Plain boto3 keeps "
            f"what it found in memory; it is measured up to {LARGEST_FOR_BOTO3:,}."
        ),
        tables=[
            Table(
                ["backups", "code", "MiB, median (range)", f"against {smallest:,}"],
                [
                    [f"{size:,}", name, str(peak), number(peak.median / sized[smallest].median)]
                    for name, sized in peaks.items()
                    for size, peak in sized.items()
                ],
            )
        ],
        targets=[
            Target(
                f"peak memory at {largest:,} backups, all FAILED, inventory off",
                f"ours at {smallest:,}",
                peaks[OURS][largest].median / peaks[OURS][smallest].median,
                1.25,
            )
        ],
        plots=[
            Plot(
                "bench-memory",
                f"Peak memory of a report from {smallest:,} to {largest:,} failed backups: ours, plain boto3",
                line_plot(
                    "Peak memory of a report",
                    x_label="backups, all of them FAILED",
                    y_label="MiB",
                    series=[
                        Series(name, [(size, peak.median) for size, peak in peaks[name].items()], colour)
                        for name, colour in ((BOTO3, "#c2571a"), (OURS, "#2f81f7"))
                    ],
                    log_y=False,
                ),
            )
        ],
        numbers={name: {str(size): asdict(peak) for size, peak in sized.items()} for name, sized in peaks.items()},
    )
