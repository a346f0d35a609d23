"""Search jobs that run and end by the clock. Pure: the time comes in as an argument, nothing waits."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from simulators.backup_search.scenario import Scenario

_KEPT_FOR = timedelta(days=7)  # how long AWS keeps a search job after its end (aws-facts.md §2)


class JobStatus(StrEnum):
    """The statuses that the clock sets; the end status is the scenario's."""

    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJob:
    """One search job. Its state at a time follows from that time alone.

    ``names`` distinguish the ARNs of its backups from those of other scenarios.
    """

    scenario: Scenario
    created_at: datetime
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str | None
    search_scope: Mapping[str, Any]
    item_filters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    encryption_key_arn: str | None = None
    stop_requested_at: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends_at(self) -> datetime:
        """When it ends, or ended."""
        if self.stop_requested_at is not None:
            return self.stop_requested_at + self.scenario.stops_for
        return self.created_at + self.scenario.runs_for

    @property
    def order(self) -> tuple[str, str]:
        """The key that search jobs are sorted by: creation, then identifier."""
        return self.created_at.astimezone(UTC).isoformat(timespec="microseconds"), self.identifier

    def ended(self, now: datetime) -> bool:
        """Return whether it has ended."""
        return now >= self.ends_at

    def status(self, now: datetime) -> str:
        """Return its Status."""
        if self.stop_requested_at is not None:
            return JobStatus.STOPPED if self.ended(now) else JobStatus.STOPPING
        return self.scenario.end_status if self.ended(now) else JobStatus.RUNNING

    def status_message(self, now: datetime) -> str | None:
        """Return its StatusMessage."""
        return self.scenario.status_message if self.ended(now) and self.stop_requested_at is None else None

    def progress(self, now: datetime) -> float:
        """Return how much of the search is done, from 0 to 1; a stopped search makes no progress."""
        until = now if self.stop_requested_at is None else self.stop_requested_at
        if until >= self.created_at + self.scenario.runs_for:
            return 1.0
        return max(0.0, (until - self.created_at) / self.scenario.runs_for)

    def backups_scanned(self, now: datetime) -> int:
        """Return how many rows the search has reached; fewer than all until it has run its time."""
        done, rows = self.progress(now), self.scenario.rows
        return rows if done == 1.0 else min(int(done * rows), max(rows - 1, 0))

    def results_found(self, now: datetime) -> int:
        """Return how many results the search has found; a stopped search keeps those that it had."""
        return int(self.progress(now) * self.scenario.result_count)


class SearchJobs:
    """The search jobs of the account; those that ended too long ago are forgotten."""

    def __init__(self) -> None:
        self._jobs: dict[str, SearchJob] = {}

    def add(self, job: SearchJob) -> SearchJob:
        """Add a job, and replace the one with the same identifier."""
        self._jobs[job.identifier] = job
        return job

    def known(self, now: datetime) -> list[SearchJob]:
        """Return all jobs that are not forgotten, the latest first."""
        return sorted(self._remembered(now).values(), key=lambda job: job.order, reverse=True)

    def find(self, identifier: str, now: datetime) -> SearchJob | None:
        """Return the job; None if there is none or it is forgotten."""
        return self._remembered(now).get(identifier)

    def stop(self, job: SearchJob, now: datetime) -> None:
        """Begin to stop a job, unless it is stopping already."""
        if job.stop_requested_at is None:
            self.add(replace(job, stop_requested_at=now))

    def _remembered(self, now: datetime) -> dict[str, SearchJob]:
        self._jobs = {identifier: job for identifier, job in self._jobs.items() if now < job.ends_at + _KEPT_FOR}
        return self._jobs
