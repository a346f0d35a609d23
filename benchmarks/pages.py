"""Figure b: the time that a report takes when each page takes a tenth of a second, against the pages alone."""

import http.client
import re
import time
from urllib.parse import quote, urlsplit

from benchmarks.measure import (
    BARE,
    FAILED_SHARE,
    OURS,
    Bench,
    Figure,
    Measurement,
    Spread,
    Target,
    number,
    run_report,
    spreads,
)
from benchmarks.servers import Servers, aws

PAGE_SECONDS = 0.1
PAGES = 100
QUICK_PAGES = 20
PAGES_TO_CALIBRATE = 50

_TOKEN = re.compile(rb'"NextToken":"([^"]+)"')


def measure(bench: Bench) -> Figure:
    pages = QUICK_PAGES if bench.quick else PAGES
    taken: dict[str, list[Measurement]] = {OURS: [], BARE: []}
    latencies: list[float] = []
    with aws(bench.folder) as (servers, environment):
        for code in taken:
            run_report(code, servers.search_job(1, failed=1), environment=environment)
        bench.say("how long the simulator works on a page")
        _calibrate(servers)
        search_job = _search_job(servers, pages)
        for text in bench.rounds(f"{pages} pages of {PAGE_SECONDS * 1000:.0f} ms"):
            bench.say(f"{text}: the pages alone")
            latencies.append(_read_pages(servers, search_job))
            for code, measurements in taken.items():
                bench.say(f"{text}: {code}")
                measurements.append(run_report(code, search_job, environment=environment, listed=pages * 1000))
    latency = Spread.of(latencies)
    whole = spreads(taken, lambda m: m.wall_seconds)
    handler = spreads(taken, lambda m: m.wall_seconds - m.start_wall_seconds)
    rows = {
        "the pages alone": latency,
        "ours, whole process": whole[OURS],
        "ours, without start-up": handler[OURS],
        "bare HTTP + JSON, whole process": whole[BARE],
    }
    baseline = f"the sum of the page latencies ({number(latency.median)} s)"
    ratio = whole[OURS].median / latency.median
    return Figure(
        "Time with 100 ms per page",
        {"pages": pages, "page_seconds": PAGE_SECONDS, "latency": latency, "rows": rows},
        targets=[Target(f"wall time of {pages} pages of 100 ms", baseline, ratio, 1.1)],
    )


def _search_job(servers: Servers, pages: int) -> str:
    return servers.search_job(pages * 1000, failed=round(pages * 1000 * FAILED_SHARE))


def _calibrate(servers: Servers) -> None:
    """Delay the simulator's answers so that a page takes its tenth of a second, the simulator's own work included."""
    search_job = _search_job(servers, PAGES_TO_CALIBRATE)
    _read_pages(servers, search_job)
    own = _read_pages(servers, search_job) / PAGES_TO_CALIBRATE
    servers.delay("ListSearchJobBackups", max(0.0, PAGE_SECONDS - own))


def _read_pages(servers: Servers, search_job: str) -> float:
    """Read all pages without looking at them, one after the other, and return the seconds it took."""
    address = urlsplit(servers.simulator_url())
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
