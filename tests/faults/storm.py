"""200 search jobs end at once: ``python -m tests.faults.storm <file>`` plays it and writes what became of it.

Each event is delivered twice, ten invocations run at a time, and every seventh request to AWS is throttled.
"""

import json
import os
import random
import select
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.deployed import SDK, Deployed
from tests.faults.functions import side_by_side
from tests.faults.surroundings import Surroundings
from tests.invocation import Context, state_change

if TYPE_CHECKING:
    from tests.faults.functions import Running

JOBS = 200
_AT_A_TIME = 10
_THROTTLE_EVERY = 7
_ATTEMPTS = 3
_WHOLE = {"name": "whole", "backups": [{"count": 20}]}
_FAILED = {"name": "failed", "backups": [{"count": 19}, {"status": "FAILED", "status_message": "Access denied"}]}


def main(file: Path) -> None:
    """Play."""
    os.environ.update(SDK)
    surroundings = Surroundings.start()
    try:
        deployed = Deployed(surroundings)
        side_by_side(seconds_between_looks=0.3)
        deployed.functions.warm_up(state_change(deployed.finish_job(_WHOLE)))
        deployed.begin_anew()
        deployed.announcements()
        jobs = {deployed.finish_job(_FAILED if n % 2 else _WHOLE): n % 2 for n in range(JOBS)}
        surroundings.watch(0, None, _THROTTLE_EVERY)
        sweep = _finish(deployed, "watch", {})
        events = deployed.announcements()
        deliveries = [event for event in events for _ in range(2)]
        random.Random(6).shuffle(deliveries)  # noqa: S311 - the same disorder each time
        ended, given_up = _storm(deployed, deliveries)
        throttled = sum(call["fault"] is not None for call in surroundings.calls())
        surroundings.watch(0, None)
        again = _finish(deployed, "watch", {})
        deployed.announcements()
        deployed.count_messages()
        summaries = deployed.summaries(jobs)
        outcome = {
            "jobs": JOBS,
            "announced": sweep["result"]["announced"],
            "deliveries": len(deliveries),
            "throttled_requests": throttled,
            "ended": dict(ended),
            "failure_queue": given_up,
            "unreported": again["result"]["unreported"],
            "reports": sum(summary is not None for summary in summaries.values()),
            "flaws": [flaw for summary in summaries.values() if summary for flaw in deployed.flaws(summary)],
            "verdicts": dict(Counter(s["verdict"] for s in summaries.values() if s)),
            "wrong_verdicts": sum(not _is_right(summary, failed=jobs[job]) for job, summary in summaries.items()),
            "digests": sum(deployed.digests[job] for job in jobs),
            "jobs_with_two_digests": sum(deployed.digests[job] > 1 for job in jobs),
            "report_created": sum(deployed.created[job] > 0 for job in jobs),
        }
        file.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    finally:
        surroundings.stop()


def _is_right(summary: dict[str, Any] | None, *, failed: int) -> bool:
    """Say whether a verdict is right: vaults that could not be read keep it from COMPLETE, and nothing makes it so."""
    if summary is None:
        return False
    expected = "PARTIAL" if failed or summary["inventory"]["status"] != "COMPLETE" else "COMPLETE"
    return bool(summary["verdict"] == expected)


def _finish(deployed: Deployed, name: str, event: object) -> dict[str, Any]:
    running = deployed.functions.start(name, event, Context(name))
    running.go()
    return running.outcome()


def _storm(deployed: Deployed, events: list[dict[str, Any]]) -> tuple[Counter[str], int]:
    """Deliver the events, so many at a time, each up to three times."""
    waiting = [(event, Context(), 1) for event in events]
    running: dict[int, tuple[Running, tuple[dict[str, Any], Context, int]]] = {}
    ended: Counter[str] = Counter()
    given_up = 0
    while waiting or running:
        while waiting and len(running) < _AT_A_TIME:
            delivery = waiting.pop(0)
            process = deployed.functions.start("report", delivery[0], delivery[1])
            process.go()
            running[process.answer] = process, delivery
        for answer in select.select(list(running), [], [])[0]:
            process, (event, context, attempt) = running.pop(answer)
            outcome = process.outcome()
            in_progress = (outcome["result"] or {}).get("inProgress")
            ended[outcome["error"] or ("another was at it" if in_progress else "done")] += 1
            if outcome["error"] and attempt < _ATTEMPTS:
                waiting.append((event, context, attempt + 1))
            elif outcome["error"]:
                given_up += 1
    return ended, given_up


if __name__ == "__main__":
    main(Path(sys.argv[1]))
