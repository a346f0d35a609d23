"""Figure g: what memory the functions should have: measured reports, and the duration and price computed from them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.measure import FAILED_SHARE, OURS, Bench, Figure, Measurement, Spread, run_report, spreads
from benchmarks.servers import aws

SIZES: Final = (1, 20, 1_000, 100_000)
USUAL_SIZE: Final = 20
"""The quota of recovery points of a search job (docs/aws-facts.md §2): the size of nearly every report."""

MEMORIES: Final = (128, 256, 512, 1_024, 1_769)
ONE_CPU_MEGABYTES: Final = 1_769
"""With so much memory a function has one vCPU, with less its share
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
REPORT_MEGABYTES: Final = 512
WATCH_MEGABYTES: Final = 256

USD_PER_GIGABYTE_SECOND: Final = 0.0000133334
USD_PER_REQUEST: Final = 0.20 / 1_000_000
SWEEPS_PER_MONTH: Final = 43_800
STARTS_PER_MONTH: Final = 365
"""Of the watch function: a new environment every two hours, which is an assumption."""

PAGE_SECONDS: Final = 0.1
CALL_SECONDS: Final = 0.03
"""What AWS takes to answer with a page, and with anything else: assumptions."""
USUAL_REPORT_SECONDS: Final = 3.0
LIMIT_SECONDS: Final = 900
MEMORY_FACTOR: Final = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What something takes, apart from its share of a processor.

    Attributes:
        alone_seconds: CPU during which no call is under way.
        calls: AWS calls that are waited for.
        pages: Pages of a list that are waited for.
        page_work_seconds: CPU that overlaps with waiting for the pages.
    """

    alone_seconds: float
    calls: int
    pages: int = 0
    page_work_seconds: float = 0.0

    def seconds(self, megabytes: float) -> float:
        """Estimate the duration with so much memory."""
        listing = max(self.pages * PAGE_SECONDS, self.page_work_seconds / _share(megabytes))
        return self.alone_seconds / _share(megabytes) + self.calls * CALL_SECONDS + listing

    def usd(self, megabytes: float) -> float:
        """Estimate the price of one run."""
        return self.seconds(megabytes) * megabytes / 1024 * USD_PER_GIGABYTE_SECOND + USD_PER_REQUEST


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch function with 1,000 known search jobs.

    Attributes:
        sweep: A sweep of a running environment.
        start: What a new environment adds.
        peak: MiB.
    """

    sweep: Work
    start: Work
    peak: float

    def usd_per_month(self, megabytes: float) -> float:
        """Estimate the price of a month of watching every minute."""
        start = self.start.seconds(megabytes) * megabytes / 1024 * USD_PER_GIGABYTE_SECOND
        return SWEEPS_PER_MONTH * self.sweep.usd(megabytes) + STARTS_PER_MONTH * start


def measure(bench: Bench) -> Figure:
    """Take the figure. It uses the init time of figure d and the sweeps of figure f, if they were taken."""
    taken: dict[int, list[Measurement]] = {size: [] for size in SIZES}
    calls: dict[int, Counter[str]] = {}
    with aws(bench.folder) as (servers, environment):
        run_report(OURS, servers.search_job(1, failed=1), environment=environment)
        for size in SIZES:
            search_job = servers.search_job(size, failed=max(1, round(size * FAILED_SHARE)))
            for _ in bench.rounds(f"a report of {size:,} backups"):
                servers.forget_calls()
                taken[size].append(run_report(OURS, search_job, environment=environment, listed=size))
            calls[size] = servers.calls()
    measured = {
        "cpu": spreads(taken, lambda m: m.cpu_seconds),
        "handler": spreads(taken, lambda m: m.marks[0]),
        "wall": spreads(taken, lambda m: m.wall_seconds),
        "peak_mebibytes": spreads(taken, lambda m: m.peak_mebibytes),
    }
    of_figure_d = bench.done.get("d", {}).get("init", {}).get(OURS)
    init = of_figure_d.median if of_figure_d else spreads(taken, lambda m: m.start_cpu_seconds)[1].median
    reports = {size: _report(init, measured["handler"], size, calls[size]) for size in SIZES}
    watch = _watch(bench.done["f"], init) if "f" in bench.done else None
    return Figure(
        "Memory and cost of the functions",
        {
            "init_seconds": init,
            **measured,
            "calls": calls,
            **_computed(reports, watch),
            **_recommended(reports, measured, watch),
        },
    )


def _report(init: float, handler: dict[int, Spread], size: int, calls: Counter[str]) -> Work:
    pages = calls["AWS Backup search ListSearchJobBackups"]
    smallest, own = handler[SIZES[0]].median, handler[size].median
    return Work(init + smallest, calls.total() - pages, pages, max(0.0, own - smallest))


def _watch(sweeps: dict[str, Any], init: float) -> Watch:
    jobs = sweeps["jobs"]
    sweep = Work(sweeps["cpu"]["later"][jobs].median, sweeps["calls"][jobs, "later"].total())
    return Watch(sweep, Work(init, 0), sweeps["peak_mebibytes"][jobs].median)


def _computed(reports: dict[int, Work], watch: Watch | None) -> dict[str, Any]:
    rows: dict[str, Callable[[int], float]] = {}
    if watch:
        rows = {
            "a sweep, s": watch.sweep.seconds,
            "a start on top, s": watch.start.seconds,
            "a month, $": watch.usd_per_month,
        }
    return {
        "memories": MEMORIES,
        "pages": {size: work.pages for size, work in reports.items()},
        "report_seconds": {size: [work.seconds(m) for m in MEMORIES] for size, work in reports.items()},
        "report_usd": {size: [work.usd(m) for m in MEMORIES] for size, work in reports.items()},
        "watch": {name: [value(m) for m in MEMORIES] for name, value in rows.items()},
    }


def _recommended(
    reports: dict[int, Work], measured: dict[str, dict[int, Spread]], watch: Watch | None
) -> dict[str, Any]:
    usual, largest = reports[USUAL_SIZE], reports[SIZES[-1]]
    peak = max(found.median for found in measured["peak_mebibytes"].values())
    handler = measured["handler"]
    page_work = (handler[SIZES[-1]].median - handler[SIZES[0]].median) / largest.pages

    def is_enough(memory: int) -> bool:
        in_time = page_work / _share(memory) <= PAGE_SECONDS and usual.seconds(memory) <= USUAL_REPORT_SECONDS
        return in_time and memory >= MEMORY_FACTOR * peak

    pages_in_time = int((LIMIT_SECONDS * 14 / 15) / max(PAGE_SECONDS, page_work / _share(REPORT_MEGABYTES)))
    return {
        "page_work_seconds": page_work,
        "peak": peak,
        "report_memory": next(filter(is_enough, MEMORIES), MEMORIES[-1]),
        "most_backups": round(pages_in_time / 100) * 100 * 1000,
        "watch_peak": watch and watch.peak,
        "watch_memory": watch and next((m for m in MEMORIES if m >= MEMORY_FACTOR * watch.peak), MEMORIES[-1]),
    }


def _share(megabytes: float) -> float:
    return min(1.0, megabytes / ONE_CPU_MEGABYTES)
