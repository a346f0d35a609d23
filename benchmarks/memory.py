"""Figure c: the peak memory of a report as the search grows, all backups FAILED."""

from benchmarks.measure import BOTO3, OURS, Bench, Figure, Measurement, Plot, Target, run_report, spreads
from benchmarks.servers import aws

SIZES = (1_000, 100_000, 1_000_000)
LARGEST_FOR_BOTO3 = 100_000


def measure(bench: Bench) -> Figure:
    sizes = SIZES[:-1] if bench.quick else SIZES
    plan = [(OURS, size) for size in sizes]
    plan += [(BOTO3, size) for size in sizes if size <= LARGEST_FOR_BOTO3]
    taken: dict[tuple[str, int], list[Measurement]] = {key: [] for key in plan}
    with aws(bench.folder) as (servers, environment):
        for code, size in plan:
            search_job = servers.search_job(size, failed=size)
            for _ in bench.rounds(f"memory of a report of {size:,} failed backups: {code}"):
                taken[code, size].append(run_report(code, search_job, environment=environment, failed=size))
    peaks = spreads(taken, lambda m: m.peak_mebibytes)
    smallest, largest = sizes[0], sizes[-1]
    series = {
        code: [(float(size), peak.median) for (other, size), peak in peaks.items() if other == code]
        for code in (BOTO3, OURS)
    }
    return Figure(
        "Peak memory",
        {"peaks": peaks, "smallest": smallest, "largest_for_boto3": LARGEST_FOR_BOTO3},
        targets=[
            Target(
                f"peak memory at {largest:,} backups, all FAILED, inventory off",
                f"ours at {smallest:,}",
                peaks[OURS, largest].median / peaks[OURS, smallest].median,
                1.25,
            )
        ],
        plots={
            "bench-memory": Plot("Peak memory of a report", "backups, all of them FAILED", "MiB", series, log_y=False)
        },
    )
