"""Figure b: the time that a report takes when each page takes a tenth of a second, against the pages alone."""

from dataclasses import asdict

from tests.performance.figure import Bench, Figure, Table, Target, number
from tests.performance.measure import Measurement, run, spread
from tests.performance.servers import aws

PAGE_SECONDS = 0.1
PAGES = 100
QUICK_PAGES = 20
FAILED_SHARE = 0.05


def measure(bench: Bench) -> Figure:
    """Take the figure."""
    pages = QUICK_PAGES if bench.quick else PAGES
    taken: list[Measurement] = []
    with aws(bench.folder) as servers:
        run("ours_report", servers.search_job(1, failed=1), environment=servers.environment())
        search_job = servers.search_job(pages * 1000, failed=round(pages * 1000 * FAILED_SHARE))
        servers.delay_pages(PAGE_SECONDS)
        for _, text in bench.rounds(f"{pages} pages of {PAGE_SECONDS * 1000:.0f} ms"):
            bench.say(text)
            taken.append(run("ours_report", search_job, environment=servers.environment()))
    latency = pages * PAGE_SECONDS
    whole = spread(taken, lambda m: m.wall_seconds)
    handler = spread(taken, lambda m: m.wall_seconds - m.start_wall_seconds)
    return Figure(
        title="Time with 100 ms a page",
        how=(
            f"{pages} pages of 1,000 backups, 5 % FAILED, each answered {PAGE_SECONDS * 1000:.0f} ms late by the "
            "simulator, so that listing alone takes "
            f"{number(latency)} s. The whole process counts: its start, the list, the files, the messages. The time "
            "in which the simulator writes a page comes on top of the delay."
        ),
        tables=[
            Table(
                ["", "s, median (range)", "against the pages alone"],
                [
                    ["the pages alone", number(latency), "1"],
                    ["ours, whole process", str(whole), number(whole.median / latency)],
                    ["ours, without start-up", str(handler), number(handler.median / latency)],
                ],
            )
        ],
        targets=[
            Target(
                f"wall time of {pages} pages of 100 ms", "the sum of the page latencies", whole.median / latency, 1.1
            )
        ],
        numbers={"latency_seconds": latency, "whole": asdict(whole), "without_start": asdict(handler)},
    )
