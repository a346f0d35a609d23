"""Search jobs that run and end by the clock. Pure: the time comes in as an argument, nothing waits."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from simulators.backup_search.scenario import Scenario

Clock = Callable[[], datetime]
"""Gives the time: an aware datetime in UTC."""

KEPT_FOR = timedelta(days=7)
"""How long AWS keeps a search job after its end (aws-facts.md §2)."""


class JobStatus(StrEnum):
    """The statuses that the clock gives; the end status is the scenario's."""

    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJob:
    """One search job. What it is at a time follows from that time alone.

    Attributes:
        scenario: What becomes of it.
        created_at: Its creation, UTC.
        identifier: Its UUID.
        name: Its Name; None for none.
        search_scope: SearchScope as it was asked for.
        item_filters: ItemFilters as they were asked for.
        encryption_key_arn: EncryptionKeyArn as it was asked for.
        stop_requested_at: When StopSearchJob was called; None if never.
        names: What sets the backups of its scenario apart from those of others, in their ARNs.
    """

    scenario: Scenario
    created_at: datetime
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str | None
    search_scope: Mapping[str, Any]
    item_filters: Mapping[str, Any] = field(default_factory=dict)
    encryption_key_arn: str | None = None
    stop_requested_at: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends_at(self) -> datetime:
        """When it ends, or ended."""
        if self.stop_requested_at is not None:
            return self.stop_requested_at + self.scenario.stops_for
        return self.created_at + self.scenario.runs_for

    def ended(self, now: datetime) -> bool:
        """Tells whether it has ended."""
        return now >= self.ends_at

    def status(self, now: datetime) -> str:
        """Returns its Status."""
        if self.stop_requested_at is not None:
            return JobStatus.STOPPED if self.ended(now) else JobStatus.STOPPING
        return self.scenario.end_status if self.ended(now) else JobStatus.RUNNING

    def status_message(self, now: datetime) -> str | None:
        """Returns its StatusMessage."""
        return self.scenario.status_message if self.ended(now) and self.stop_requested_at is None else None

    def progress(self, now: datetime) -> float:
        """Returns how much of the search is done, from 0 to 1; a stopped search does not go on."""
        until = now if self.stop_requested_at is None else self.stop_requested_at
        if until >= self.created_at + self.scenario.runs_for:
            return 1.0
        return max(0.0, (until - self.created_at) / self.scenario.runs_for)

    def backups_scanned(self, now: datetime) -> int:
        """Returns how many rows of the list the search has got to; fewer than all until it has run its time."""
        done = self.progress(now)
        return (
            self.scenario.rows if done == 1.0 else min(int(done * self.scenario.rows), max(self.scenario.rows - 1, 0))
        )


class SearchJobs:
    """The search jobs of the account; those that ended too long ago are forgotten."""

    def __init__(self) -> None:
        self._jobs: dict[str, SearchJob] = {}

    def add(self, job: SearchJob) -> SearchJob:
        """Adds a job, or puts it in the place of the one with the same identifier."""
        self._jobs[job.identifier] = job
        return job

    def known(self, now: datetime) -> list[SearchJob]:
        """Returns all jobs that are still known, the latest first."""
        self._forget(now)
        return sorted(self._jobs.values(), key=order, reverse=True)

    def find(self, identifier: str, now: datetime) -> SearchJob | None:
        """Returns the job, or None if there is none (any more)."""
        self._forget(now)
        return self._jobs.get(identifier)

    def stop(self, job: SearchJob, now: datetime) -> SearchJob:
        """Returns the job as it is once it was asked to stop; one that is stopping already stays as it is."""
        return job if job.stop_requested_at is not None else self.add(replace(job, stop_requested_at=now))

    def _forget(self, now: datetime) -> None:
        self._jobs = {identifier: job for identifier, job in self._jobs.items() if now < job.ends_at + KEPT_FOR}


def order(job: SearchJob) -> tuple[str, str]:
    """Returns what search jobs are sorted by: their creation, then their identifier."""
    return job.created_at.astimezone(UTC).isoformat(timespec="microseconds"), job.identifier
