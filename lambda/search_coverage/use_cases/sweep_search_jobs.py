"""Sweep the search jobs: announce each one that has ended and has no report yet.

Level-triggered: what counts is that the report is missing, not that something happened. The next sweep makes good for
whatever was lost on the way: an event, an invocation, a deployment.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_job import ENDED, SearchJob
from search_coverage.names import SEARCH_JOB_ANNOUNCED, SERVICE
from search_coverage.use_cases.ports import (
    Announcement,
    Announcements,
    Refusal,
    ReportedJobs,
    SearchJobLister,
    StateChangeEvents,
)

ANNOUNCED_AGAIN_AFTER = timedelta(hours=1)
OVERDUE_AFTER = timedelta(hours=1)
# A person's mail subscription is suspended above 10 mails per second (aws-facts.md §5). A batch is 10 events, each of
# which may become a mail: 5 per second leave room for reports that take different times.
_SECONDS_BETWEEN_BATCHES = 2.0
_SECONDS_KEPT_BACK = 10.0
_SECONDS_KEPT_FOR_ANNOUNCING = 25.0
_OLDEST_KNOWN = timedelta(days=8)  # AWS forgets a search job 7 days after its end (aws-facts.md §2)

_REMEMBERED_FOR = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found and did, in search jobs.

    Attributes:
        known: All that AWS lists.
        ended: Those of them that have ended in a way that is to be reported.
        unreported: Those of them without a report.
        announced: Those of them that were announced just now; most others were announced less than an hour ago.
        overdue: Those without a report that ended more than an hour ago, or whose end is not known.
        left_over: What could not be done, in sentences for the operator.
    """

    known: int
    ended: int
    unreported: int
    announced: int
    overdue: int = 0
    left_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SweepSearchJobs:
    """The use case, with what it works on.

    Attributes:
        statuses: The statuses of `ENDED` that are to be reported. A status that AWS adds later, which is not in
            `ENDED`, is always reported.
        now: Returns the current time, aware.
        pause: Waits for some seconds.
        seen_reported: When the report of a search job was last seen in the bucket. Most sweeps find nothing new, and
            this spares them the listing; a report that has vanished is missed after an hour.
    """

    search: SearchJobLister
    bucket: ReportedJobs
    announcements: Announcements
    bus: StateChangeEvents
    statuses: frozenset[str]
    now: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep
    seen_reported: dict[str, datetime] = field(default_factory=dict)

    def run(self, seconds_left: Callable[[], float]) -> Sweep:
        """Sweep once. The oldest jobs are announced first, since AWS forgets them first.

        Args:
            seconds_left: How long the invocation may still run. What does not fit is announced by the next sweep.

        Raises:
            AwsCallFailed: AWS did not do what it was asked. If its list broke off, what was read is announced by then.
        """
        known = self.search.search_jobs(lambda: seconds_left() < _SECONDS_KEPT_FOR_ANNOUNCING)
        ended = [job for job in known.jobs if self._is_to_be_reported(job)]
        unreported = self._without_report(ended)
        due, unknown = self._due(unreported, seconds_left)
        announced, refusals, unrecorded = self._announce(due, seconds_left)
        left_over = (*_left_over(announced, refusals, known.unreadable, unknown), *unrecorded[:1])
        if known.broken_off:
            sentences = f"{known.broken_off} {announced} of the search jobs that were read are announced.", *left_over
            raise AwsCallFailed(" ".join(sentences)) from known.broken_off
        overdue = self._overdue(unreported)
        return Sweep(len(known.jobs), len(ended), len(unreported), announced, overdue, left_over)

    def _is_to_be_reported(self, job: SearchJob) -> bool:
        return job.is_terminal and (job.status in self.statuses or job.status not in ENDED)

    def _without_report(self, jobs: list[SearchJob]) -> list[SearchJob]:
        if not jobs:
            return []
        now = self.now()
        unknown = [job for job in jobs if now - self.seen_reported.get(job.identifier, _NEVER) >= _REMEMBERED_FOR]
        if unknown:
            reported = self.bucket.reported(unknown, earliest=(now - _OLDEST_KNOWN).date())
            self.seen_reported.update(dict.fromkeys((reported & {job.identifier for job in unknown}), now))
            unknown = [job for job in unknown if job.identifier not in reported]
        for forgotten in self.seen_reported.keys() - {job.identifier for job in jobs}:
            del self.seen_reported[forgotten]
        return unknown

    def _overdue(self, jobs: list[SearchJob]) -> int:
        limit = (self.now() - OVERDUE_AFTER).timestamp()
        return sum(_ended_at(job) <= limit for job in jobs)

    def _due(self, jobs: list[SearchJob], seconds_left: Callable[[], float]) -> tuple[list[SearchJob], int]:
        """Return the jobs to announce, oldest first, and of how many it is not known whether they are among them."""
        if not jobs:
            return [], 0
        last, unknown = self.announcements.last(
            (job.identifier for job in jobs), lambda: seconds_left() < _SECONDS_KEPT_BACK
        )
        limit = self.now() - ANNOUNCED_AGAIN_AFTER
        due = [job for job in jobs if job.identifier not in unknown and last.get(job.identifier, _NEVER) <= limit]
        return sorted(due, key=_ended_at), len(unknown)

    def _announce(
        self, jobs: list[SearchJob], seconds_left: Callable[[], float]
    ) -> tuple[int, list[Refusal], list[str]]:
        """Announce the jobs while there is time; return how many, the refusals, and what could not be recorded."""
        announced: int = 0
        refusals: list[Refusal] = []
        unrecorded: list[str] = []
        for taken, refused in self.bus.announce(jobs):
            # Recorded after the event is out: a crash in between repeats an event, and loses none.
            unrecorded += [problem for announcement in taken if (problem := self._record(announcement))]
            announced += len(taken)
            refusals += refused
            if seconds_left() < _SECONDS_KEPT_BACK:
                _logger.warning("no time for more, the next sweep goes on", announced=announced, due=len(jobs))
                break
            if announced + len(refusals) < len(jobs):
                self.pause(_SECONDS_BETWEEN_BATCHES)
        return announced, refusals, unrecorded

    def _record(self, announcement: Announcement) -> str | None:
        """Record an announcement; return why it could not be, which must not keep the others waiting."""
        job, problem = announcement.job, None
        try:
            self.announcements.record(job.identifier, self.now())
        except AwsCallFailed as error:
            problem = f"{error} The next sweep announces it again."
        _logger.info(
            SEARCH_JOB_ANNOUNCED, search_job_id=job.identifier, status=job.status, correlation_id=announcement.event_id
        )
        return problem


def _left_over(announced: int, refusals: list[Refusal], unreadable: list[str], unknown: int) -> list[str]:
    sentences = []
    if refusals:
        errors = "; ".join(sorted({refusal.error for refusal in refusals}))
        sentences.append(
            f"EventBridge refused {len(refusals)} of {len(refusals) + announced} announcements ({errors}). "
            "The next sweep announces them again."
        )
    if unknown:
        sentences.append(
            f"DynamoDB did not say in time when {unknown} search jobs were last announced; the next sweep asks again."
        )
    if unreadable:
        sentences.append(
            f"AWS lists {len(unreadable)} search jobs that cannot be read, so they get no report; the first: "
            f"{unreadable[0][:500]}."
        )
    return sentences


def _ended_at(job: SearchJob) -> float:
    moment = job.completion_time or job.creation_time
    return moment.timestamp() if moment else 0.0
