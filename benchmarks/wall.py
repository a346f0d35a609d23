"""Figure b: the time that a report takes when each page takes a tenth of a second, against the pages alone."""

import http.client
import re
import time
from dataclasses import asdict
from urllib.parse import quote, urlsplit

from benchmarks.figure import Bench, Figure, Table, Target, number
from benchmarks.measure import Measurement, Spread, run, spread
from benchmarks.servers import Aws, aws

PAGE_SECONDS = 0.1
PAGES = 100
QUICK_PAGES = 20
PAGES_TO_CALIBRATE = 50
FAILED_SHARE = 0.05

OURS, BARE = "ours_report", "baseline_bare"
_TOKEN = re.compile(rb'"NextToken":"([^"]+)"')


def measure(bench: Bench) -> Figure:
    """Take the figure."""
    pages = QUICK_PAGES if bench.quick else PAGES
    taken: dict[str, list[Measurement]] = {OURS: [], BARE: []}
    latencies: list[float] = []
    with aws(bench.folder) as servers:
        environment = servers.environment()
        for module in taken:
            run(module, servers.search_job(1, failed=1), environment=environment)
        bench.say("how long the simulator works on a page")
        _calibrate(servers)
        search_job = servers.search_job(pages * 1000, failed=round(pages * 1000 * FAILED_SHARE))
        for _, text in bench.rounds(f"{pages} pages of {PAGE_SECONDS * 1000:.0f} ms"):
            bench.say(f"{text}: the pages alone")
            latencies.append(_read_pages(servers, search_job))
            for module, measurements in taken.items():
                bench.say(f"{text}: {module}")
                measurements.append(run(module, search_job, environment=environment))
    return _figure(pages, Spread.of(latencies), taken)


def _calibrate(servers: Aws) -> None:
    """Delay the simulator's answers such that a page takes its tenth of a second, the simulator's own work included."""
    search_job = servers.search_job(PAGES_TO_CALIBRATE * 1000, failed=round(PAGES_TO_CALIBRATE * 1000 * FAILED_SHARE))
    _read_pages(servers, search_job)
    own = _read_pages(servers, search_job) / PAGES_TO_CALIBRATE
    servers.delay_pages(max(0.0, PAGE_SECONDS - own))


def _read_pages(servers: Aws, search_job: str) -> float:
    """Read all pages without looking at them, one after the other, and give the seconds it took."""
    address = urlsplit(servers.simulator_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    path = f"/search-jobs/{search_job}/backups?maxResults=1000"
    started = time.monotonic()
    token = ""
    while True:
        connection.request("GET", path + (f"&nextToken={quote(token)}" if token else ""))
        found = _TOKEN.search(connection.getresponse().read())
        if found is None:
            connection.close()
            return time.monotonic() - started
        token = found[1].decode()


def _figure(pages: int, latency: Spread, taken: dict[str, list[Measurement]]) -> Figure:
    whole = {name: spread(found, lambda m: m.wall_seconds) for name, found in taken.items()}
    handler = {name: spread(found, lambda m: m.wall_seconds - m.start_wall_seconds) for name, found in taken.items()}
    rows: list[tuple[str, Spread]] = [
        ("the pages alone", latency),
        ("ours, whole process", whole[OURS]),
        ("ours, without start-up", handler[OURS]),
        ("bare HTTP + JSON, whole process", whole[BARE]),
    ]
    return Figure(
        title="Time with 100 ms a page",
        how=(
            f"{pages} pages of 1,000 backups, 5 % FAILED. The simulator is slowed down until a page takes "
            f"{PAGE_SECONDS * 1000:.0f} ms from the request to its last byte. **The pages alone** is the sum of these "
            "latencies, taken in the same run by a client that asks for one page after the other and does not even "
            "look at them. Ours is a whole process: its start, the list, the files, the messages."
        ),
        tables=[
            Table(
                ["", "s, median (range)", "against the pages alone"],
                [[name, str(value), f"{value.median / latency.median:.3f}"] for name, value in rows],
            )
        ],
        targets=[
            Target(
                f"wall time of {pages} pages of 100 ms",
                f"the sum of the page latencies ({number(latency.median)} s)",
                whole[OURS].median / latency.median,
                1.1,
            )
        ],
        numbers={
            "latency": asdict(latency),
            **{name: {"whole": asdict(whole[name]), "without_start": asdict(handler[name])} for name in taken},
        },
    )
