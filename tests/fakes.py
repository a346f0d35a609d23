"""In-memory fakes of the ports, and a `World` of them that a use case runs in.

Each fake notes what it is asked in the world's journal, which can make a call fail: ``world.journal.fails["put
summary.json"] = error``.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup, BackupsPage
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.report.files.json_text import compact_json, readable_json
from search_coverage.report.files.keys import search_job_and_name
from search_coverage.report.mail.alert import NotifyOn
from search_coverage.report.mail.messages import Message
from search_coverage.use_cases.no_inventory import NoInventory
from search_coverage.use_cases.notifier import Notifier
from search_coverage.use_cases.ports import (
    AlertsTopic,
    Announcement,
    Lease,
    LeaseLost,
    Refusal,
    ReportEvents,
    SearchJobList,
    SearchJobReader,
    StoredSummary,
)
from search_coverage.use_cases.report_search_job import Outcome, ReportSearchJob
from search_coverage.use_cases.sweep_search_jobs import Sweep, SweepSearchJobs
from tests.examples import JOB_ID, backup, search_job

NOW = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
SEARCHED, FAILED = backup(), backup(status="FAILED", status_message="Access denied")


class Journal:
    """What the fakes were asked, in order.

    Attributes:
        fails: The error of each call that fails.
        does: What else happens before a call.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.does: dict[str, Callable[[], object]] = {}

    def note(self, call: str) -> None:
        self.calls.append(call)
        self.does.get(call, lambda: None)()
        if call in self.fails:
            raise self.fails[call]


@dataclass
class FakeSearch:
    """AWS Backup search: its jobs, and the backups of all of them."""

    journal: Journal
    jobs: dict[str, SearchJob] = field(default_factory=dict)
    backups: list[Backup] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    broken_off: AwsCallFailed | None = None

    def add(self, **changes: Any) -> SearchJob:
        """Add a search job, which is one that ended well but for these changes."""
        job = search_job(**changes)
        self.jobs[job.identifier] = job
        return job

    def search_jobs(self, time_is_up: Callable[[], bool]) -> SearchJobList:
        self.journal.note("list search jobs")
        time_is_up()
        return SearchJobList(list(self.jobs.values()), self.unreadable, self.broken_off)

    def search_job(self, identifier: str) -> SearchJob:
        return self.jobs[identifier]

    def pages_of_backups(self, identifier: str, key_arn: str | None) -> Iterator[BackupsPage]:
        assert key_arn == self.jobs[identifier].encryption_key_arn
        for start in range(0, len(self.backups), 1000):
            page = self.backups[start : start + 1000]
            yield BackupsPage([each.backup_arn for each in page], [each for each in page if each != SEARCHED])
        self.journal.note("end of the list")


@dataclass
class FakeLeases:
    """The leases, of which each is free.

    Attributes:
        lost: Whether another attempt has taken over.
    """

    journal: Journal
    lost: bool = False

    @contextmanager
    def hold(self, search_job: str, request_id: str) -> Iterator[Lease]:
        self.journal.note("acquire")
        try:
            yield self
        finally:
            self.journal.note("release")

    def confirm(self) -> None:
        self.journal.note("confirm")
        if self.lost:
            raise LeaseLost("Another attempt has taken over the report; this one stops here.")


@dataclass(frozen=True)
class Stored:
    """An object in the bucket."""

    body: bytes
    version: str
    request_id: str | None = None


@dataclass
class FakeBucket:
    """The bucket, with versions. A write over another object confirms the lease, as the real one does."""

    journal: Journal
    name: str = "reports-bucket"
    objects: dict[str, Stored] = field(default_factory=dict)
    versions: Iterator[int] = field(default_factory=count)

    def named(self, name: str) -> Any:
        """Give the JSON of the only object with this name in its folder; None if there is none."""
        found = [each for key, each in self.objects.items() if key.endswith(f"/{name}")]
        return json.loads(found[0].body) if found else None

    def remove_named(self, name: str) -> None:
        """Remove the objects with this name, as somebody from outside."""
        self.objects = {key: each for key, each in self.objects.items() if not key.endswith(f"/{name}")}

    def summary(self, key: str) -> StoredSummary | None:
        if (found := self.objects.get(key)) is None:
            return None
        try:
            content = json.loads(found.body)
        except ValueError:
            content = None
        return StoredSummary(content, found.request_id, found.version)

    def has_files_of(self, summary: dict[str, Any]) -> bool:
        there = {key: each.version for key, each in self.objects.items()}
        files = summary["files"].values()
        return all("versionId" not in file or there.get(file["key"]) == file["versionId"] for file in files)

    def put_file(self, key: str, path: Path, content_type: str, lease: Lease) -> str:
        return self._put(key, path.read_bytes(), lease)

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: Lease) -> None:
        self._put(key, readable_json(summary).encode(), lease, request_id)
        lease.confirm()

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: Lease, seen: str | None = None) -> str:
        return self._put(key, f"{compact_json(summary)}\n".encode(), lease, seen=seen)

    def put_notification_pending(self, key: str, why: str, lease: Lease) -> None:
        self._put(key, readable_json({"why": why}).encode(), lease)

    def remove(self, key: str, lease: Lease, etag: str | None = None) -> None:
        self.journal.note(f"remove {_short(key)}")
        found = self.objects.get(key)
        if etag is None or found is None or found.version != etag:
            lease.confirm()
        self.objects.pop(key, None)

    def reported(self, jobs: Iterable[SearchJob], earliest: date) -> set[str]:
        self.journal.note("list reports")
        names: dict[str, set[str]] = {}
        for key in self.objects:
            identifier, name = search_job_and_name(key)
            names.setdefault(name, set()).add(identifier)
        return names.get("summary.json", set()) - names.get("notification-pending.json", set())

    def _put(self, key: str, body: bytes, lease: Lease, request_id: str | None = None, seen: str | None = None) -> str:
        self.journal.note(f"put {_short(key)}")
        if key in self.objects and self.objects[key].version != seen:
            lease.confirm()
        self.objects[key] = Stored(body, f"version-{next(self.versions)}", request_id)
        return self.objects[key].version


def _short(key: str) -> str:
    return "line" if key.startswith("summaries/") else key.rpartition("/")[2].replace(f"{JOB_ID}.", "table.")


@dataclass
class FakeTopic:
    """The topic, and what was published to it.

    Attributes:
        digests: The texts of the mails, of which a person gets every one.
        entries: How many other messages there are, which only machines get.
    """

    journal: Journal
    digests: list[str] = field(default_factory=list)
    entries: int = 0

    def publish(self, message: Message) -> str:
        kind = message.attributes["kind"].value
        self.journal.note(f"publish {kind}")
        if kind == "digest":
            self.digests.append(json.loads(message.body)["email"])
        else:
            self.entries += 1
        return f"{kind}-{len(self.digests) + self.entries}"


@dataclass
class FakeSentDigests:
    """The record of the digests that were sent."""

    journal: Journal
    records: dict[str, tuple[str, str]] = field(default_factory=dict)

    def message_id(self, key: str, what: str) -> str | None:
        content, message_id = self.records.get(key, ("", ""))
        return message_id if content == what else None

    def record(self, key: str, what: str, message_id: str) -> None:
        self.journal.note("record digest")
        self.records[key] = what, message_id

    def forget(self, key: str) -> None:
        self.journal.note("forget digest")
        self.records.pop(key, None)


@dataclass
class FakeBus:
    """The bus, and the events on it.

    Attributes:
        refuses: The identifiers of the search jobs whose state change it refuses.
    """

    journal: Journal
    reports: list[dict[str, Any]] = field(default_factory=list)
    state_changes: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        self.journal.note("put event")
        self.reports.append(detail)

    def announce(self, jobs: Iterable[SearchJob]) -> Iterator[tuple[list[Announcement], list[Refusal]]]:
        waiting = list(jobs)
        while batch := waiting[:10]:
            del waiting[:10]
            taken = [job for job in batch if job.identifier not in self.refuses]
            self.state_changes += [job.identifier for job in taken]
            refusals = [Refusal(job, "ThrottlingException: Slow down") for job in batch if job not in taken]
            yield [Announcement(job, "event-id") for job in taken], refusals


@dataclass
class FakeAnnouncements:
    """The record of announcements."""

    journal: Journal
    records: dict[str, datetime] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def last(self, identifiers: Iterable[str], time_is_up: Callable[[], bool]) -> tuple[dict[str, datetime], set[str]]:
        return self.records, self.unknown & set(identifiers)

    def record(self, identifier: str, moment: datetime) -> None:
        self.journal.note("record announcement")
        self.records[identifier] = moment


class FakeInventory(NoInventory):
    """An inventory that found these backups in scope, which the list lacks."""

    def __init__(self, *not_listed: Exclusion) -> None:
        self._exclusions = not_listed

    def not_listed(self, _seconds: float) -> Iterator[Exclusion]:
        return iter(self._exclusions)

    def result(self, listed: int) -> Inventory:
        found = len(self._exclusions)
        return Inventory(InventoryStatus.COMPLETE, vaults=1, in_scope=listed + found, not_listed=found)


class World:
    """All that the use cases need; its members are what a test prepares, and looks at."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.search = FakeSearch(self.journal)
        self.leases = FakeLeases(self.journal)
        self.bucket = FakeBucket(self.journal)
        self.topic = FakeTopic(self.journal)
        self.sent = FakeSentDigests(self.journal)
        self.bus = FakeBus(self.journal)
        self.announcements = FakeAnnouncements(self.journal)
        self.inventory: AbstractContextManager[Any] | None = None
        self.notify_on = NotifyOn.EXCLUDED
        self.now = NOW
        self.pauses: list[float] = []
        self._requests = count()

    def report(
        self,
        *,
        replay: bool = False,
        request_id: str | None = None,
        seconds_left: Callable[[], float] = lambda: 900.0,
    ) -> Outcome:
        """Report the search job of the examples, each time for another request if none is named."""
        request_id = request_id or f"request-{next(self._requests)}"
        return self.reporter().run(JOB_ID, replay=replay, request_id=request_id, seconds_left=seconds_left)

    def reporter(
        self,
        search: SearchJobReader | None = None,
        topic: AlertsTopic | None = None,
        bus: ReportEvents | None = None,
    ) -> ReportSearchJob:
        """Give an environment that reports; an adapter may take the place of a fake."""
        inventory = self.inventory
        return ReportSearchJob(
            search=search or self.search,
            bucket=self.bucket,
            leases=self.leases,
            notifier=Notifier(topic or self.topic, self.sent, self.notify_on, self.bucket.name),
            bus=bus or self.bus,
            take_inventory=NoInventory if inventory is None else lambda *_: inventory,
            now=lambda: self.now,
        )

    def sweep(
        self,
        later: timedelta = timedelta(0),
        statuses: Iterable[str] = ("COMPLETED", "FAILED", "STOPPED"),
        seconds_left: Callable[[], float] = lambda: 60.0,
    ) -> Sweep:
        """Sweep in a fresh environment, so much later than now."""
        return self.sweeper(statuses, later).run(seconds_left)

    def sweeper(
        self, statuses: Iterable[str] = ("COMPLETED", "FAILED", "STOPPED"), later: timedelta = timedelta(0)
    ) -> SweepSearchJobs:
        """Give an environment that sweeps."""
        return SweepSearchJobs(
            self.search,
            self.bucket,
            self.announcements,
            self.bus,
            frozenset(statuses),
            now=lambda: self.now + later,
            pause=self.pauses.append,
        )
