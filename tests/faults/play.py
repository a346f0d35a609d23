"""Plays a case as AWS would: the invocation, Lambda's retries, the sweeps that follow, and looks at what is left."""

from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.crash_cases import Case
from tests.faults.deployed import Deployed
from tests.faults.fault import Fault, Kind
from tests.faults.functions import Attempt
from tests.invocation import Context, state_change

_FAILED = 12
LISTED = 1010
SCENARIO = {
    "name": "worst-day",
    "backups": [
        {"count": LISTED - _FAILED},
        {"count": _FAILED, "status": "FAILED", "status_message": "Access denied. Ask the owner."},
    ],
}
COUNTS = {"listed": LISTED, "searched": LISTED - _FAILED, "excluded": _FAILED, "failed": _FAILED}
_PAUSES = (60, 120)  # seconds before Lambda's retries
_HOUR = 3700


@dataclass(slots=True)
class Row:
    """What became of a case.

    Attributes:
        attempts: How each attempt at the first event ended.
        in_failure_queue: Whether that event ended in the failure queue.
        made_by: What made the report: an attempt, or the next sweep.
        digests: How many mails a person got.
        created: How many times "Report Created" went out.
        wrong: What must not be.
    """

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
    disturbed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return asdict(self)


class Player:
    """Plays cases on one deployment."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed

    def record(self) -> dict[str, list[dict[str, Any]]]:
        """Record the calls of a report and of a sweep that announces something."""
        self._deployed.functions.warm_up(state_change(self._deployed.finish_job(SCENARIO)))
        self._deployed.announcements()
        search_job = self._deployed.finish_job(SCENARIO)
        sweep = self._deployed.invoke("watch", {}, Context("watch"))
        (event,) = self._deployed.announcements()
        report = self._deployed.invoke("report", event, Context())
        if not (sweep.ok and report.ok and self._deployed.summary(search_job)):
            raise RuntimeError(f"Without any fault: {sweep.message} {report.message}")
        return {"report": report.calls, "watch": sweep.calls}

    def play(self, case: Case) -> Row:
        """Play a case."""
        row = Row(case.function, case.call, case.fault.kind.value, case.lasting)
        self._deployed.begin_anew()
        search_job = self._deployed.finish_job(SCENARIO)
        if case.function == "report":
            self._report(row, search_job, case)
        else:
            self._sweep(row, search_job, case)
        self._look(row, search_job)
        self._deployed.let_pass(_HOUR)
        self._next_sweeps(row, search_job)
        self._judge(row, search_job, case)
        return row

    def _report(self, row: Row, search_job: str, case: Case) -> None:
        self._deliver(row, search_job, state_change(search_job), case)

    def _deliver(self, row: Row, search_job: str, event: dict[str, Any], case: Case | None) -> None:
        """Deliver an event as Lambda does: an attempt, and at most two more under the same request id."""
        first = Context()
        for number in range(3):
            fault = case.fault if case and number < case.attempts else None
            context = Context(aws_request_id=first.aws_request_id)
            attempt = self._invoke(row, "report", event, context, fault)
            if case:
                row.attempts.append(attempt.error or "done")
            self._look(row, search_job)
            if row.made_by == "nothing" and self._deployed.summary(search_job):
                row.made_by = f"attempt {number + 1}" if case else "the next sweep"
            if attempt.ok:
                return
            self._deployed.let_pass(_PAUSES[min(number, 1)])
        row.in_failure_queue = True

    def _sweep(self, row: Row, search_job: str, case: Case) -> None:
        row.attempts.append(self._invoke(row, "watch", {}, Context("watch"), case.fault).error or "done")
        self._deployed.let_pass(60)
        row.attempts.append(self._invoke(row, "watch", {}, Context("watch"), None).error or "done")
        events = self._events_of(search_job)
        if not events:
            row.wrong.append("two sweeps did not announce the job")
        for event in events:  # each is delivered, also if it is one too many
            self._deliver(row, search_job, event, None)

    def _next_sweeps(self, row: Row, search_job: str) -> None:
        summary = self._deployed.summary(search_job)
        missing = summary is None or summary["notification"]["pending"] is not None
        swept = self._invoke(row, "watch", {}, Context("watch"), None)
        events = self._events_of(search_job)
        if not swept.ok or bool(events) != missing:
            row.wrong.append(f"the sweep an hour later announced {len(events)} times; {swept.message}")
        for event in events:
            self._deliver(row, search_job, event, None)
        if missing and (self._invoke(row, "watch", {}, Context("watch"), None).result or {}).get("unreported") != 0:
            row.wrong.append("the last sweep still misses a report")

    def _events_of(self, search_job: str) -> list[dict[str, Any]]:
        return [e for e in self._deployed.announcements() if e["detail"]["searchJobIdentifier"] == search_job]

    def _invoke(self, row: Row, name: str, event: object, context: Context, fault: Fault | None) -> Attempt:
        attempt = self._deployed.invoke(name, event, context, fault)
        row.disturbed |= attempt.sent_again_by_itself(fault)
        if fault and not any(call["fault"] for call in attempt.calls) and not row.attempts:
            row.wrong.append("the fault did not happen: the call was not made")
        return attempt

    def _look(self, row: Row, search_job: str) -> None:
        """Look at the report, as far as there is one: it must be right at any moment."""
        summary = self._deployed.summary(search_job)
        if summary is None:
            return
        row.wrong += [flaw for flaw in self._deployed.flaws(summary) if flaw not in row.wrong]
        if summary["verdict"] == "COMPLETE":
            row.wrong.append("a false COMPLETE")
        if summary["backups"] != COUNTS:
            row.wrong.append(f"wrong counts: {summary['backups']}")

    def _judge(self, row: Row, search_job: str, case: Case) -> None:
        deployed = self._deployed
        deployed.announcements()
        deployed.count_messages()
        row.digests, row.created = deployed.digests[search_job], deployed.created[search_job]
        if deployed.summary(search_job) is None:
            row.wrong.append("lost: no report in the end")
        if len(deployed.entries[search_job]) != _FAILED:
            row.wrong.append(f"machines got {len(deployed.entries[search_job])} of {_FAILED} failed backups")
        row.digests_allowed = digests_allowed(case)
        if not 1 <= row.digests <= row.digests_allowed:
            row.wrong.append(f"{row.digests} digests")
        if row.created == 0 and not row.in_failure_queue:
            row.wrong.append("Report Created was never put, and no failure queue knows")


def digests_allowed(case: Case) -> int:
    """Say how many digests are allowed: one, and one more for each time that nobody can know that it went out."""
    fault = case.fault
    if case.subject == "told" and fault.kind is Kind.KILLED_BEFORE:
        return 1 + case.attempts
    if case.subject == "digest" and fault.kind.hides_success:
        sent_by_the_sdk = 1 if fault.kind.kills or fault.once else 3
        return 1 + sent_by_the_sdk * case.attempts
    return 1
