"""Attempts that are frozen or killed at any moment, while the next one is at work: see `Freezer`.

``python -m tests.faults.freeze <first> <last> <file>`` plays these plays and writes a line of JSON for each.
"""

import json
import os
import random
import select
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import stops
from tests.faults.deployed import SDK, Deployed
from tests.faults.functions import Running, Special, side_by_side
from tests.faults.surroundings import Surroundings
from tests.invocation import Context, state_change

_FAILED = 7
_LISTED = 20
SCENARIO = {
    "name": "frozen",
    "backups": [
        {"count": _LISTED - _FAILED},
        {"count": _FAILED, "status": "FAILED", "status_message": "Access denied. Ask the owner." + "." * 800},
    ],
}
COUNTS = {"listed": _LISTED, "searched": _LISTED - _FAILED, "excluded": _FAILED, "failed": _FAILED}
_CALLS = 26  # about as many as an attempt makes; a stop beyond its last call never comes
_LONGEST_ATTEMPT = 1.2  # seconds, for the stops at any instant
_LONGEST_WAIT = 60.0  # seconds
_HOUR = 3700


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen, drawn by lot from the number of the play.

    Attributes:
        replay: Whether there is a report already, and it is made again.
        how: How the first attempt stops: one of `stops`, or "frozen at an instant", "killed at an instant".
        call: The call at which it stops, if it does at one.
        seconds: After which time it stops, if it does so at an instant.
        same_request: Whether the second attempt is for the same request, as with Lambda's retries.
        second: What becomes of the second attempt at one of its calls: "runs through", or one of `stops`. While it is
            held, the first one goes on to its end.
        second_call: That call.
        seconds_ahead: How much the clocks of the two are ahead.
        cold: Which of the two begin in a new execution environment.
        slow_s3: How long S3 takes for each request of either.
        no_sns: Whether SNS refuses what the first one publishes.
    """

    number: int
    replay: bool
    how: str
    call: int
    seconds: float
    same_request: bool
    second: str
    second_call: int
    seconds_ahead: tuple[float, float]
    cold: tuple[bool, bool]
    slow_s3: float
    no_sns: bool

    @classmethod
    def draw(cls, number: int) -> "Plan":
        """Draw the plan of a play; the same number gives the same one.

        The first plays freeze the first attempt before and after each of its calls in turn.
        """
        lot = random.Random(number)  # noqa: S311 - the same plays each time
        at_a_call = (stops.FROZEN_BEFORE, stops.FROZEN_BEFORE, stops.FROZEN_AFTER, stops.KILLED_BEFORE)
        at_an_instant = ("frozen at an instant", "frozen at an instant", "frozen at an instant", "killed at an instant")
        in_turn, is_in_turn = (stops.FROZEN_AFTER, stops.FROZEN_BEFORE), number <= 2 * _CALLS
        return cls(
            number,
            replay=lot.random() < 0.3,
            how=in_turn[number % 2] if is_in_turn else lot.choice(at_a_call if number % 2 else at_an_instant),
            call=(number + 1) // 2 if is_in_turn else lot.randint(1, _CALLS),
            seconds=lot.uniform(0, _LONGEST_ATTEMPT),
            same_request=lot.random() < 0.6,
            second=lot.choice(("runs through", stops.HELD, stops.HELD, stops.KILLED_BEFORE, stops.KILLED_AFTER)),
            second_call=lot.randint(8, _CALLS),
            seconds_ahead=(lot.choice((0.0, -600.0, 600.0)), lot.choice((0.0, -600.0, 600.0))),
            cold=(lot.random() < 0.5, lot.random() < 0.3),
            slow_s3=lot.choice((0.0, 0.0, 0.03)),
            no_sns=not is_in_turn and lot.random() < 0.15,
        )


@dataclass(slots=True)
class Play:
    """What became of a plan.

    Attributes:
        ended: How the attempts ended, in the order in which they began.
        digests: How many mails a person got.
        wrong: What must not be.
    """

    plan: Plan
    was_stopped: bool = False
    ended: list[str] = field(default_factory=list)
    digests: int = 0
    wrong: list[str] = field(default_factory=list)


class Freezer:
    """Plays plans on one deployment.

    A first attempt is stopped somewhere: frozen (SIGSTOP) or killed, at a call or at any instant. A second one begins,
    sees no sign of life, and takes over. The frozen one wakes (SIGCONT) when the second has ended, or in the middle of
    its work. What failed is tried again, as Lambda does; then a sweep looks for what is missing.
    """

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed

    def play(self, plan: Plan) -> Play:
        """Play a plan."""
        play = Play(plan)
        deployed = self._deployed
        deployed.begin_anew()
        search_job = deployed.finish_job(SCENARIO)
        event: dict[str, Any] = state_change(search_job)
        if plan.replay:
            deployed.invoke("report", event, Context())
            event = {"searchJobIdentifier": search_job, "replay": True}
        requests = [Context(), Context()]
        if plan.same_request:
            requests[1] = requests[0]
        self._two_attempts(play, event, requests)
        for request, ended in zip(requests, list(play.ended), strict=True):
            if ended not in {"done", "in progress"}:
                self._lambdas_retries(play, event, request)
        self._look(play, search_job, "after all attempts")
        self._sweep(play, search_job)
        self._look(play, search_job, "in the end")
        self._count(play, search_job)
        return play

    def _two_attempts(self, play: Play, event: dict[str, Any], requests: list[Context]) -> None:
        plan = play.plan
        first = self._start("first", event, requests[0], plan)
        play.was_stopped = self._wait_for_its_stop(first, plan)
        second = self._start("second", event, requests[1], plan)
        if plan.second == stops.HELD and self._is_stopped_or_ended("second", second):
            self._go_on("first", first)
            first_ended = _ended(first)
            self._go_on("second", second)
            play.ended += [first_ended, _ended(second)]
        else:
            second_ended = _ended(second)
            self._go_on("first", first)
            play.ended += [_ended(first), second_ended]

    def _start(self, name: str, event: object, context: Context, plan: Plan) -> Running:
        at = 0 if name == "first" else 1
        call, how = ((plan.call, plan.how), (plan.second_call, plan.second))[at]
        special = Special(name, plan.seconds_ahead[at], plan.cold[at])
        refused = "sns" if plan.no_sns and name == "first" else ""
        running = self._deployed.functions.start("report", event, context, as_attempt=special)
        self._deployed.surroundings.ask("stop", name, running.process_id, call, how, plan.slow_s3, refused)
        running.go()
        return running

    def _wait_for_its_stop(self, first: Running, plan: Plan) -> bool:
        if "instant" not in plan.how:
            return self._is_stopped_or_ended("first", first)
        if _has_ended(first, plan.seconds):
            return False
        os.kill(first.process_id, signal.SIGSTOP if "frozen" in plan.how else signal.SIGKILL)
        return True

    def _is_stopped_or_ended(self, name: str, running: Running) -> bool:
        until = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < until:
            if self._deployed.surroundings.ask("is_stopped", name):
                return True
            if _has_ended(running, 0.01):
                return False
        raise RuntimeError(f"The {name} attempt neither stopped nor ended.")

    def _go_on(self, name: str, running: Running) -> None:
        self._deployed.surroundings.ask("go_on", name)
        os.kill(running.process_id, signal.SIGCONT)  # it is not waited for yet, so that its number is its own

    def _lambdas_retries(self, play: Play, event: dict[str, Any], request: Context) -> None:
        for _ in range(2):
            attempt = self._deployed.invoke("report", event, Context(aws_request_id=request.aws_request_id))
            play.ended.append(attempt.error or "done")
            if attempt.ok:
                return
        play.wrong.append(f"two retries failed: {attempt.message}")

    def _sweep(self, play: Play, search_job: str) -> None:
        deployed = self._deployed
        deployed.let_pass(_HOUR)
        deployed.invoke("watch", {}, Context("watch"))
        for event in deployed.announcements():
            if event["detail"]["searchJobIdentifier"] == search_job:
                play.wrong.append("lost until the sweep: a sweep had to make good what the retries did not")
                deployed.invoke("report", event, Context())

    def _look(self, play: Play, search_job: str, when: str) -> None:
        summary = self._deployed.summary(search_job)
        if summary is None:
            play.wrong.append(f"lost: no report {when}")
            return
        play.wrong += [f"{flaw} {when}" for flaw in self._deployed.flaws(summary)]
        if summary["verdict"] == "COMPLETE":
            play.wrong.append(f"a false COMPLETE {when}")
        if summary["backups"] != COUNTS:
            play.wrong.append(f"wrong counts {when}: {summary['backups']}")

    def _count(self, play: Play, search_job: str) -> None:
        self._deployed.count_messages()
        play.digests = self._deployed.digests[search_job]
        # One, one more for a replay; and one more for each attempt that stopped when nobody can know what went out.
        replays = 0 if not play.plan.replay else 1 if play.plan.same_request else 2
        stopped = 1 + (play.plan.second != "runs through")
        if not 1 <= play.digests <= 1 + replays + stopped:
            play.wrong.append(f"{play.digests} digests")
        if len(self._deployed.entries[search_job]) != _FAILED:
            play.wrong.append(f"machines got {len(self._deployed.entries[search_job])} of {_FAILED} failed backups")


def _has_ended(running: Running, seconds: float) -> bool:
    return bool(select.select([running.answer], [], [], seconds)[0])


def _ended(running: Running) -> str:
    outcome = running.outcome()
    return outcome["error"] or ("in progress" if (outcome["result"] or {}).get("inProgress") else "done")


def main(first: int, last: int, file: Path) -> None:
    """Play."""
    os.environ.update(SDK)
    surroundings = Surroundings.start()
    try:
        deployed = Deployed(surroundings)
        deployed.functions.warm_up(state_change(deployed.finish_job(SCENARIO)))
        side_by_side(seconds_between_looks=0.06)
        deployed.announcements()
        freezer = Freezer(deployed)
        with file.open("w") as rows:
            for number in range(first, last + 1):
                rows.write(json.dumps(asdict(freezer.play(Plan.draw(number)))) + "\n")
                rows.flush()
    finally:
        surroundings.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
