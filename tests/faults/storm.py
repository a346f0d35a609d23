"""200 search jobs end at once; each event comes twice, ten run at a time, AWS throttles every 7th request."""

import random
import select
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.deployed import Deployed
from tests.faults.functions import Attempt, Running, run_side_by_side
from tests.invocation import Context

JOBS = 200
_AT_A_TIME = 10
_THROTTLE_EVERY = 7
_ATTEMPTS = 3
SCENARIO = {"name": "whole", "backups": [{"count": 20}]}
_FAILED = {"name": "failed", "backups": [{"count": 19}, {"status": "FAILED", "status_message": "Access denied"}]}

Delivery = tuple[dict[str, Any], Context, int]  # the event, its request, the number of the attempt


def play(deployed: Deployed) -> Iterator[dict[str, Any]]:
    run_side_by_side(seconds_between_looks=0.3)
    jobs = {deployed.end_search_job(_FAILED if n % 2 else SCENARIO): n % 2 for n in range(JOBS)}
    deployed.aws.watch(0, None, _THROTTLE_EVERY)
    sweep = _sweep(deployed)
    deliveries = deployed.announcements() * 2
    random.Random(6).shuffle(deliveries)  # noqa: S311 - the same disorder each time
    ended = _deliver_all(deployed, deliveries)
    throttled = sum(call["fault"] is not None for call in deployed.aws.calls())
    deployed.aws.watch(0, None)
    again = _sweep(deployed)
    deployed.announcements()
    deployed.count_messages()
    summaries = deployed.summaries()
    yield {
        "jobs": JOBS,
        "announced": (sweep.result or {})["announced"],
        "deliveries": len(deliveries),
        "throttled_requests": throttled,
        "ended": dict(ended),
        "failure_queue": ended["given up"],
        "unreported": (again.result or {})["unreported"],
        "reports": sum(job in summaries for job in jobs),
        "flaws": [flaw for summary in summaries.values() for flaw in deployed.flaws(summary)],
        "verdicts": dict(Counter(summary["verdict"] for summary in summaries.values())),
        "wrong_verdicts": sum(not _is_right(summaries.get(job), failed=failed) for job, failed in jobs.items()),
        "digests": sum(deployed.digests[job] for job in jobs),
        "jobs_with_two_digests": sum(deployed.digests[job] > 1 for job in jobs),
        "report_created": sum(deployed.created[job] > 0 for job in jobs),
    }


def _is_right(summary: dict[str, Any] | None, *, failed: int) -> bool:
    """Whether a verdict is right; it is not COMPLETE if the vaults could not be read."""
    if summary is None:
        return False
    expected = "PARTIAL" if failed or summary["inventory"]["status"] != "COMPLETE" else "COMPLETE"
    return bool(summary["verdict"] == expected)


def _sweep(deployed: Deployed) -> Attempt:
    """Sweep without watching the process, so that the throttling continues."""
    running = deployed.functions.start("watch", {}, Context("watch"))
    running.go()
    return running.outcome()


def _deliver_all(deployed: Deployed, events: list[dict[str, Any]]) -> Counter[str]:
    """Deliver the events, ten at a time, each up to three times; count how the attempts ended."""
    waiting: list[Delivery] = [(event, Context(), 1) for event in events]
    running: dict[int, tuple[Running, Delivery]] = {}
    ended: Counter[str] = Counter()
    while waiting or running:
        while waiting and len(running) < _AT_A_TIME:
            delivery = waiting.pop(0)
            process = deployed.functions.start("report", delivery[0], delivery[1])
            process.go()
            running[process.answer] = process, delivery
        for answer in select.select(list(running), [], [])[0]:
            process, (event, context, number) = running.pop(answer)
            attempt = process.outcome()
            ended[attempt.ended] += 1
            if not attempt.ok and number < _ATTEMPTS:
                waiting.append((event, context, number + 1))
            elif not attempt.ok:
                ended["given up"] += 1
    return ended
