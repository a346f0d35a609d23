"""Figure a: the CPU of a whole report, against plain boto3 and against bare HTTP, as the search grows."""

from benchmarks.measure import (
    BARE,
    BOTO3,
    FAILED_SHARE,
    MODULES,
    OURS,
    Bench,
    Figure,
    Measurement,
    Plot,
    Target,
    run_report,
    spreads,
)
from benchmarks.servers import aws

SIZES = (1_000, 20_000, 150_000)


def measure(bench: Bench) -> Figure:
    sizes = SIZES[:-1] if bench.quick else SIZES
    taken: dict[tuple[int, str], list[Measurement]] = {(size, code): [] for size in sizes for code in MODULES}
    with aws(bench.folder) as (servers, environment):
        warm_up = servers.search_job(1, failed=1)
        for code in MODULES:
            run_report(code, warm_up, environment=environment)  # so that bytecode is written before anything counts
        for size in sizes:
            failed = round(size * FAILED_SHARE)
            search_job = servers.search_job(size, failed)
            for text in bench.rounds(f"CPU of a report of {size:,} backups"):
                for code in MODULES:
                    bench.say(f"{text}: {code}")
                    measurement = run_report(code, search_job, environment=environment, listed=size, failed=failed)
                    taken[size, code].append(measurement)
    whole = spreads(taken, lambda m: m.cpu_seconds)
    largest = sizes[-1]
    ours, named = whole[largest, OURS].median, f"CPU of a whole report of {largest:,} backups, 5 % FAILED"
    series = {code: [(float(size), whole[size, code].median) for size in sizes] for code in (BOTO3, OURS, BARE)}
    return Figure(
        "CPU of a whole report",
        {"whole": whole, "handler": spreads(taken, lambda m: m.marks[0])},
        targets=[
            Target(f"{named}, times less than", BOTO3, whole[largest, BOTO3].median / ours, 10, at_least=True),
            Target(f"{named}, against", BARE, ours / whole[largest, BARE].median, 2.0),
        ],
        plots={"bench-cpu": Plot("CPU of a whole report", "backups, 5 % of them FAILED", "CPU seconds", series)},
    )
