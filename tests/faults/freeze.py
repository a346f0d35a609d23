"""Attempts that are frozen or killed at any moment, while the next one is at work.

A first attempt is stopped somewhere: frozen (SIGSTOP) or killed, at a call or at any instant. A second one begins,
sees no sign of life, and takes over. The frozen one wakes (SIGCONT) when the second has ended, or in the middle of
its work. What failed is tried again, as Lambda does; then a sweep looks for what is missing.
"""

import os
import random
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults import stops
from tests.faults.deployed import Deployed, scenario_of
from tests.faults.functions import Running, Special, run_side_by_side
from tests.invocation import Context, state_change

FAILED, FOUND = 7, 10
SCENARIO, COUNTS = scenario_of(20, FAILED, "Access denied. Ask the owner." + "." * 800, results=FOUND)
_CALLS = 29  # about as many as an attempt makes; a stop beyond its last call never comes
_LONGEST_ATTEMPT = 1.2  # seconds, for the stops at any instant
_LONGEST_WAIT = 60.0  # seconds
_HOUR = 3700


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in a play, drawn at random from its number.

    Attributes:
        replay: Whether there is a report already, and it is made again.
        how: How the first attempt stops: one of `stops`, or "frozen at an instant", "killed at an instant".
        call: The call at which it stops.
        seconds: The time after which it stops, if it stops at an instant.
        same_request: Whether the second attempt is for the same request, as with Lambda's retries.
        second: What the second attempt does at one of its calls: "runs through", or one of `stops`. While it is
            held, the first one goes on to its end.
        second_call: That call.
        seconds_ahead: How much the clocks of the two are ahead.
        cold: Which of the two begin in a new execution environment.
        slow_s3: How many seconds S3 takes for each request of either.
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
        """Draw the plan of a play, always the same for a number; the first plays freeze at each call in turn."""
        draw = random.Random(number)  # noqa: S311 - the same plays each time
        at_a_call = (stops.FROZEN_BEFORE, stops.FROZEN_BEFORE, stops.FROZEN_AFTER, stops.KILLED_BEFORE)
        at_an_instant = ("frozen at an instant", "frozen at an instant", "frozen at an instant", "killed at an instant")
        in_turn, is_in_turn = (stops.FROZEN_AFTER, stops.FROZEN_BEFORE), number <= 2 * _CALLS
        return cls(
            number,
            replay=draw.random() < 0.3,
            how=in_turn[number % 2] if is_in_turn else draw.choice(at_a_call if number % 2 else at_an_instant),
            call=(number + 1) // 2 if is_in_turn else draw.randint(1, _CALLS),
            seconds=draw.uniform(0, _LONGEST_ATTEMPT),
            same_request=draw.random() < 0.6,
            second=draw.choice(("runs through", stops.HELD, stops.HELD, stops.KILLED_BEFORE, stops.KILLED_AFTER)),
            second_call=draw.randint(8, _CALLS),
            seconds_ahead=(draw.choice((0.0, -600.0, 600.0)), draw.choice((0.0, -600.0, 600.0))),
            cold=(draw.random() < 0.5, draw.random() < 0.3),
            slow_s3=draw.choice((0.0, 0.0, 0.03)),
            no_sns=not is_in_turn and draw.random() < 0.15,
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


def play(deployed: Deployed, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Play the plays with these numbers, and return what became of each."""
    run_side_by_side(seconds_between_looks=0.06)
    for number in range(first, last + 1):
        yield asdict(_Player(deployed, Plan.draw(number)).play())


class _Player:
    """Plays a plan."""

    def __init__(self, deployed: Deployed, plan: Plan) -> None:
        self._deployed = deployed
        self._plan = plan
        self._play = Play(plan)
        deployed.begin_anew()
        self._search_job = deployed.end_search_job()
        self._event: dict[str, Any] = state_change(self._search_job)

    def play(self) -> Play:
        if self._plan.replay:
            self._deployed.report(self._event)
            self._event = {"searchJobIdentifier": self._search_job, "replay": True}
        first = Context()
        requests = [first, first if self._plan.same_request else Context()]
        self._play.ended += self._two_attempts(requests)
        for request, ended in zip(requests, list(self._play.ended), strict=True):
            if ended not in {"done", "in progress"}:
                self._lambdas_retries(request)
        self._look("after all attempts")
        self._sweep()
        self._look("in the end")
        self._count()
        return self._play

    def _two_attempts(self, requests: list[Context]) -> list[str]:
        first = self._start("first", requests[0])
        self._play.was_stopped = self._wait_for_its_stop(first)
        second = self._start("second", requests[1])
        if self._plan.second == stops.HELD and self._is_stopped_or_ended("second", second):
            self._go_on("first", first)
            first_ended = first.outcome().ended
            self._go_on("second", second)
            return [first_ended, second.outcome().ended]
        second_ended = second.outcome().ended
        self._go_on("first", first)
        return [first.outcome().ended, second_ended]

    def _start(self, name: str, context: Context) -> Running:
        plan, at = self._plan, 0 if name == "first" else 1
        call, how = ((plan.call, plan.how), (plan.second_call, plan.second))[at]
        refused = "sns" if plan.no_sns and name == "first" else ""
        special = Special(name, plan.seconds_ahead[at], plan.cold[at])
        running = self._deployed.functions.start("report", self._event, context, special)
        self._deployed.aws.stop_at(name, stops.Stop(running.process_id, call, how, plan.slow_s3, refused))
        running.go()
        return running

    def _wait_for_its_stop(self, first: Running) -> bool:
        if "instant" not in self._plan.how:
            return self._is_stopped_or_ended("first", first)
        if _has_ended(first, self._plan.seconds):
            return False
        os.kill(first.process_id, signal.SIGSTOP if "frozen" in self._plan.how else signal.SIGKILL)
        return True

    def _is_stopped_or_ended(self, name: str, running: Running) -> bool:
        until = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < until:
            if self._deployed.aws.is_stopped(name):
                return True
            if _has_ended(running, 0.01):
                return False
        raise RuntimeError(f"The {name} attempt neither stopped nor ended.")

    def _go_on(self, name: str, running: Running) -> None:
        self._deployed.aws.go_on(name)
        os.kill(running.process_id, signal.SIGCONT)  # it is not waited for yet, so that its number is its own

    def _lambdas_retries(self, request: Context) -> None:
        for _ in range(2):
            attempt = self._deployed.report(self._event, Context(aws_request_id=request.aws_request_id))
            self._play.ended.append(attempt.error or "done")
            if attempt.ok:
                return
        self._play.wrong.append(f"two retries failed: {attempt.message}")

    def _sweep(self) -> None:
        self._deployed.let_pass(_HOUR)
        self._deployed.sweep()
        for event in self._deployed.announcements(self._search_job):
            self._play.wrong.append("lost until the sweep: the retries left it to a sweep")
            self._deployed.report(event)

    def _look(self, when: str) -> None:
        summary = self._deployed.summary(self._search_job)
        flaws = ["lost: no report"] if summary is None else self._deployed.flaws(summary, COUNTS)
        self._play.wrong += [f"{flaw} {when}" for flaw in flaws]

    def _count(self) -> None:
        play, plan = self._play, self._plan
        self._deployed.count_messages()
        play.digests = self._deployed.digests[self._search_job]
        # One, one more for a replay, and one more for each attempt that stopped and may have published before.
        replays = 0 if not plan.replay else 1 if plan.same_request else 2
        stopped = 1 + (plan.second != "runs through")
        if not 1 <= play.digests <= 1 + replays + stopped:
            play.wrong.append(f"{play.digests} digests")
        if (got := len(self._deployed.entries[self._search_job])) != FAILED:
            play.wrong.append(f"machines got {got} of {FAILED} failed backups")


def _has_ended(running: Running, seconds: float) -> bool:
    return bool(select.select([running.answer], [], [], seconds)[0])
