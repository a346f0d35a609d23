"""Each case as it would happen in AWS: the invocation, Lambda's retries, the sweeps that follow; and what is left."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.deployed import Deployed, scenario_of
from tests.faults.faults import Case, Fault, cases
from tests.faults.functions import Attempt
from tests.invocation import Context, state_change

FAILED, FOUND = 12, 30
SCENARIO, COUNTS = scenario_of(25, FAILED, "Access denied. Ask the owner.", results=FOUND)
_PAUSES = (60, 120, 120)  # seconds after each of Lambda's attempts
_HOUR = 3700


@dataclass(slots=True)
class Row:
    """What became of a case.

    Attributes:
        attempts: How each attempt at the first event ended.
        in_failure_queue: Whether that event ended in the failure queue.
        made_by: What made the report: an attempt, or the next sweep.
        digests: How many mails a person received.
        created: How many times "Report Created" went out.
        wrong: What must not be.
    """

    number: int
    function: str
    call: str
    fault: str
    lasting: str
    attempts: list[str] = field(default_factory=list)
    in_failure_queue: bool = False
    made_by: str = "nothing"
    digests: int = 0
    digests_allowed: int = 1
    created: int = 0
    wrong: list[str] = field(default_factory=list)


def play(deployed: Deployed, lane: int, lanes: int) -> Iterator[dict[str, Any]]:
    """Play every n-th case, and return the number of all cases, then what became of each."""
    everything = cases(_record(deployed))
    yield {"cases": len(everything)}
    for number, case in list(enumerate(everything, start=1))[lane::lanes]:
        yield asdict(_Player(deployed, case, number).play())


def _record(deployed: Deployed) -> dict[str, list[dict[str, Any]]]:
    """Record the calls of a report and of a sweep that announces something."""
    search_job = deployed.end_search_job()
    sweep = deployed.sweep()
    (event,) = deployed.announcements()
    report = deployed.report(event)
    if not (sweep.ok and report.ok and deployed.summary(search_job)):
        raise RuntimeError(f"Without any fault: {sweep.message} {report.message}")
    return {"report": report.calls, "watch": sweep.calls}


class _Player:
    """Plays a case."""

    def __init__(self, deployed: Deployed, case: Case, number: int) -> None:
        self._deployed = deployed
        self._case = case
        self._row = Row(number, case.function, case.call, case.fault.kind.value, case.lasting)
        deployed.begin_anew()
        self._search_job = deployed.end_search_job()

    def play(self) -> Row:
        if self._case.function == "report":
            self._deliver(state_change(self._search_job), self._case)
        else:
            self._sweep_twice()
        self._look()
        self._deployed.let_pass(_HOUR)
        self._next_sweeps()
        self._judge()
        return self._row

    def _deliver(self, event: dict[str, Any], case: Case | None) -> None:
        """Deliver an event as Lambda does: an attempt, and at most two more under the same request id."""
        row, first = self._row, Context()
        for number, pause in enumerate(_PAUSES):
            fault = case.fault if case and number < case.attempts else None
            attempt = self._invoke("report", event, Context(aws_request_id=first.aws_request_id), fault)
            if case:
                row.attempts.append(attempt.error or "done")
            self._look()
            if row.made_by == "nothing" and self._deployed.summary(self._search_job):
                row.made_by = f"attempt {number + 1}" if case else "the next sweep"
            if attempt.ok:
                return
            self._deployed.let_pass(pause)
        row.in_failure_queue = True

    def _sweep_twice(self) -> None:
        for fault in (self._case.fault, None):
            self._row.attempts.append(self._sweep(fault).error or "done")
            self._deployed.let_pass(60)
        events = self._deployed.announcements(self._search_job)
        if not events:
            self._row.wrong.append("two sweeps did not announce the job")
        for event in events:  # each is delivered, also if it is one too many
            self._deliver(event, None)

    def _next_sweeps(self) -> None:
        summary = self._deployed.summary(self._search_job)
        missing = summary is None or summary["notification"]["pending"] is not None or not _has_results(summary)
        swept = self._sweep()
        events = self._deployed.announcements(self._search_job)
        if not swept.ok or bool(events) != missing:
            self._row.wrong.append(f"the sweep an hour later announced {len(events)} times; {swept.message}")
        for event in events:
            self._deliver(event, None)
        if missing and (self._sweep().result or {}).get("unreported") != 0:
            self._row.wrong.append("the last sweep still misses a report")

    def _sweep(self, fault: Fault | None = None) -> Attempt:
        return self._invoke("watch", {}, Context("watch"), fault)

    def _invoke(self, name: str, event: object, context: Context, fault: Fault | None) -> Attempt:
        attempt = self._deployed.functions.invoke(name, event, context, fault)
        if fault and not any(call["fault"] for call in attempt.calls) and not self._row.attempts:
            self._row.wrong.append("the fault did not happen: the call was not made")
        return attempt

    def _look(self) -> None:
        """Check the report, if there is one: it must be right at any moment."""
        if summary := self._deployed.summary(self._search_job):
            flaws = self._deployed.flaws(summary, COUNTS)
            self._row.wrong += [flaw for flaw in flaws if flaw not in self._row.wrong]

    def _judge(self) -> None:
        deployed, row, search_job = self._deployed, self._row, self._search_job
        deployed.announcements()
        deployed.count_messages()
        row.digests, row.created = deployed.digests[search_job], deployed.created[search_job]
        row.digests_allowed = self._case.digests_allowed
        summary = deployed.summary(search_job)
        if summary is None:
            row.wrong.append("lost: no report in the end")
        elif not _has_results(summary):
            row.wrong.append("lost: no results in the end")
        if len(deployed.entries[search_job]) != FAILED:
            row.wrong.append(f"machines got {len(deployed.entries[search_job])} of {FAILED} failed backups")
        if not 1 <= row.digests <= row.digests_allowed:
            row.wrong.append(f"{row.digests} digests")
        if row.created == 0 and not row.in_failure_queue:
            row.wrong.append("Report Created was never put, and no failure queue has the event")


def _has_results(summary: dict[str, Any]) -> bool:
    results = summary["results"]
    return (results["status"], results["rows"]) == ("COMPLETE", FOUND)
