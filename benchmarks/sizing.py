"""What memory the functions should have: measured CPU and time of reports, and what Lambda would make of them."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.figure import Bench, Figure, Table, number
from benchmarks.measure import Measurement, run, spread
from benchmarks.servers import aws

SIZES: Final = (1, 20, 1_000, 100_000)
USUAL_SIZE: Final = 20
"""The quota of recovery points of a search job (docs/aws-facts.md §2): what nearly every report is about."""
FAILED_SHARE: Final = 0.05

MEMORIES: Final = (128, 256, 512, 1_024, 1_769)
ONE_CPU_MEGABYTES: Final = 1_769
"""With so much memory a function has one vCPU, with less its share
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
REPORT_MEGABYTES: Final = 512
WATCH_MEGABYTES: Final = 256

USD_A_GIGABYTE_SECOND: Final = 0.0000133334
USD_A_REQUEST: Final = 0.20 / 1_000_000
SWEEPS_A_MONTH: Final = 43_800
STARTS_A_MONTH: Final = 365
"""Of the watch function: a new environment every two hours, which is an assumption."""

PAGE_SECONDS: Final = 0.1
CALL_SECONDS: Final = 0.03
"""What AWS takes to answer with a page, and with anything else: assumptions."""
USUAL_REPORT_SECONDS: Final = 3.0
LIMIT_SECONDS: Final = 900
MEMORY_FACTOR: Final = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What something takes, apart from how much of a processor it gets.

    Attributes:
        alone_seconds: CPU during which nothing is on its way.
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
        share = _share(megabytes)
        listing = max(self.pages * PAGE_SECONDS, self.page_work_seconds / share)
        return self.alone_seconds / share + self.calls * CALL_SECONDS + listing

    def usd(self, megabytes: float) -> float:
        """Estimate the price of one run."""
        return self.seconds(megabytes) * megabytes / 1024 * USD_A_GIGABYTE_SECOND + USD_A_REQUEST


def measure(bench: Bench) -> Figure:
    """Take the figure. It uses the init time of figure d and the sweeps of figure f, if they were taken."""
    taken: dict[int, list[Measurement]] = {size: [] for size in SIZES}
    calls: dict[int, Counter[str]] = {}
    with aws(bench.folder) as servers:
        environment = servers.environment()
        run("ours_report", servers.search_job(1, failed=1), environment=environment)
        for size in SIZES:
            search_job = servers.search_job(size, failed=max(1, round(size * FAILED_SHARE)))
            for _, text in bench.rounds(f"a report of {size:,} backups"):
                bench.say(text)
                servers.forget_calls()
                taken[size].append(run("ours_report", search_job, environment=environment))
            calls[size] = servers.calls()
    return _figure(bench, taken, calls)


def _figure(bench: Bench, taken: dict[int, list[Measurement]], calls: dict[int, Counter[str]]) -> Figure:
    cpu = {size: spread(found, lambda m: m.cpu_seconds) for size, found in taken.items()}
    handler = {size: spread(found, lambda m: m.marks[0]) for size, found in taken.items()}
    wall = {size: spread(found, lambda m: m.wall_seconds) for size, found in taken.items()}
    peak = {size: spread(found, lambda m: m.peak_kibibytes / 1024) for size, found in taken.items()}
    init = bench.done.get("d", {}).get("ours", {}).get("init", {}).get("median")
    if init is None:
        init = spread(taken[1], lambda m: m.start_cpu_seconds).median
    reports = {size: _report(init, handler[size].median, handler[1].median, calls[size]) for size in SIZES}
    page_work = (handler[SIZES[-1]].median - handler[1].median) / reports[SIZES[-1]].pages
    watch = _watch(bench, init)
    return Figure(
        title="Memory and cost of the functions",
        how=(
            "Measured: whole processes, as above, 5 % of the backups FAILED (at least one), servers that answer at "
            "once; the calls are those that reached the servers."
        ),
        tables=[
            Table(
                [
                    "backups",
                    "CPU s, whole process",
                    "of it the handler",
                    "wall s",
                    "peak MiB",
                    "AWS calls",
                    "of them pages",
                ],
                [
                    [
                        f"{size:,}",
                        str(cpu[size]),
                        number(handler[size].median),
                        number(wall[size].median),
                        number(peak[size].median),
                        str(calls[size].total()),
                        str(reports[size].pages),
                    ]
                    for size in SIZES
                ],
            ),
            _estimates(reports),
            *([_month(*watch)] if watch else []),
        ],
        notes=_notes(init, page_work, max(found.median for found in peak.values()), reports, watch),
        numbers={
            "init_seconds": init,
            "page_work_seconds": page_work,
            "measured": {
                str(size): {
                    "cpu": asdict(cpu[size]),
                    "handler_cpu": asdict(handler[size]),
                    "wall": asdict(wall[size]),
                    "peak_mebibytes": asdict(peak[size]),
                    "calls": dict(calls[size]),
                }
                for size in SIZES
            },
            "computed": {
                str(size): {str(m): {"seconds": work.seconds(m), "usd": work.usd(m)} for m in MEMORIES}
                for size, work in reports.items()
            },
            "computed_watching_usd_a_month": {str(m): _month_usd(watch, m) for m in MEMORIES} if watch else None,
        },
    )


def _report(init: float, handler: float, smallest_handler: float, calls: Counter[str]) -> Work:
    pages = calls["AWS Backup search ListSearchJobBackups"]
    return Work(init + smallest_handler, calls.total() - pages, pages, max(0.0, handler - smallest_handler))


def _watch(bench: Bench, init: float) -> tuple[Work, Work, float] | None:
    """Give a sweep of a running environment, what a start adds, and the peak memory in MiB, all at 1,000 jobs."""
    sweep = bench.done.get("f")
    if sweep is None:
        return None
    jobs = max(sweep["later_cpu_seconds"], key=int)
    later = Work(sweep["later_cpu_seconds"][jobs]["median"], sum(sweep["calls"][f"{jobs} later"].values()))
    return later, Work(init, 0), sweep["peak_mebibytes"][jobs]["median"]


def _estimates(reports: dict[int, Work]) -> Table:
    return Table(
        ["backups", *(f"{m:,} MB" for m in MEMORIES)],
        [
            [f"{size:,}", *(f"{number(work.seconds(m))} s, ${work.usd(m):.7f}" for m in MEMORIES)]
            for size, work in reports.items()
        ],
        "**Computed, not measured on AWS**: duration and price of one report, its start included.",
    )


def _month(later: Work, start: Work, _peak: float) -> Table:
    return Table(
        ["", *(f"{m:,} MB" for m in MEMORIES)],
        [
            ["a sweep, s", *(number(later.seconds(m)) for m in MEMORIES)],
            ["a start on top, s", *(number(start.seconds(m)) for m in MEMORIES)],
            ["a month, $", *(f"{_month_usd((later, start, _peak), m):.3f}" for m in MEMORIES)],
        ],
        "**Computed, not measured on AWS**: watching every minute for a month, 1,000 known search jobs at every sweep.",
    )


def _month_usd(watch: tuple[Work, Work, float], megabytes: int) -> float:
    later, start, _ = watch
    starts = start.seconds(megabytes) * megabytes / 1024 * USD_A_GIGABYTE_SECOND
    return SWEEPS_A_MONTH * later.usd(megabytes) + STARTS_A_MONTH * starts


def _notes(
    init: float, page_work: float, peak: float, reports: dict[int, Work], watch: tuple[Work, Work, float] | None
) -> list[str]:
    usual, largest = reports[USUAL_SIZE], reports[SIZES[-1]]
    right = next(
        (
            m
            for m in MEMORIES
            if m >= MEMORY_FACTOR * peak
            and page_work / _share(m) <= PAGE_SECONDS
            and usual.seconds(m) <= USUAL_REPORT_SECONDS
        ),
        MEMORIES[-1],
    )
    pages_in_time = int((LIMIT_SECONDS * 14 / 15) / max(PAGE_SECONDS, page_work / _share(REPORT_MEGABYTES)))
    computation = (
        f"The computation: Lambda gives memory ÷ {ONE_CPU_MEGABYTES:,} MB of a vCPU, and a vCPU is taken to be as fast "
        f"as a core of the machine that measured. A start takes {number(init)} s of CPU, and gets no more of the "
        f"processor than the rest. AWS takes {PAGE_SECONDS * 1000:.0f} ms for a page and {CALL_SECONDS * 1000:.0f} ms "
        "for any other call; the work on a page overlaps with the waiting for the next. arm64 in us-east-1: "
        f"${USD_A_GIGABYTE_SECOND:.10f} a GB-second, $0.20 a million requests. What S3, SNS and the others charge is "
        "in [operations.md](operations.md#what-it-costs)."
    )
    function = (
        f"**The report function.** Memory must hold the process, which needs {number(peak)} MiB here: {MEMORY_FACTOR} "
        "times that, for Lambda's own client and for rows with long texts. The work on a page "
        f"({number(page_work * 1000)} ms of CPU) must take no longer than AWS takes for the next, so that the list "
        f"costs nothing but waiting. And a report of {USUAL_SIZE} backups, which is what the quota allows a search "
        f"job, should be there in {number(USUAL_REPORT_SECONDS)} s. The smallest memory that does all three is "
        f"**{right:,} MB**; there that report takes {number(usual.seconds(right))} s and "
        f"${usual.usd(right):.6f}. The function has {REPORT_MEGABYTES} MB: {number(usual.seconds(REPORT_MEGABYTES))} s "
        f"and ${usual.usd(REPORT_MEGABYTES):.6f}; with 100,000 backups {number(largest.seconds(REPORT_MEGABYTES))} s "
        f"and ${largest.usd(REPORT_MEGABYTES):.6f}. Its timeout of {LIMIT_SECONDS} s, less the share it keeps back, is "
        f"enough for some {round(pages_in_time / 100) * 100 * 1000:,} backups. As long as a run is all work, more "
        "memory makes it faster at the same price; waiting for AWS is what gets dearer."
    )
    notes = [computation, function]
    if watch:
        later, start, watch_peak = watch
        enough = next((m for m in MEMORIES if m >= MEMORY_FACTOR * watch_peak), MEMORIES[-1])
        first = later.seconds(WATCH_MEGABYTES) + start.seconds(WATCH_MEGABYTES)
        notes.append(
            f"**The watch function** needs {number(watch_peak)} MiB with 1,000 known search jobs; {MEMORY_FACTOR} "
            f"times that is **{enough:,} MB**. It has {WATCH_MEGABYTES} MB: a sweep takes "
            f"{number(later.seconds(WATCH_MEGABYTES))} s, the first of an environment {number(first)} s of the 60 s it "
            f"may take, and a month of watching each minute costs ${_month_usd(watch, WATCH_MEGABYTES):.2f} (with "
            f"128 MB ${_month_usd(watch, 128):.2f}). A new environment every two hours is assumed."
        )
    return notes


def _share(megabytes: float) -> float:
    return min(1.0, megabytes / ONE_CPU_MEGABYTES)
