"""In-memory fakes of the ports: a `World` that the use cases run in."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.search_job import ENDED, SearchJob
from search_coverage.coverage.search_result import SearchResult
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.report.files.json_text import compact_json, readable_json
from search_coverage.report.files.keys import search_job_and_name
from search_coverage.report.mail.alert import NotifyOn
from search_coverage.report.mail.messages import Message
from search_coverage.use_cases import ports
from search_coverage.use_cases.keep_results import KeepResults
from search_coverage.use_cases.no_inventory import NoInventory
from search_coverage.use_cases.notifier import Notifier
from search_coverage.use_cases.report_search_job import Outcome, ReportSearchJob
from search_coverage.use_cases.sweep_search_jobs import Sweep, SweepSearchJobs
from tests.examples import JOB_ID, backup, search_job
from tests.planted import refuse_planted

if TYPE_CHECKING:
    from search_coverage.coverage.errors import AwsCallFailed

NOW = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
SEARCHED, FAILED = backup(), backup(status="FAILED", status_message="Access denied")


@dataclass(frozen=True)
class Stored:
    """An object in the bucket."""

    body: bytes
    version: str
    request_id: str | None = None


@dataclass
class FakeBucket:
    """The bucket, with versions. A write over another object confirms the lease, as the real one does."""

    note: Callable[[str], None]
    name: str = "reports-bucket"
    objects: dict[str, Stored] = field(default_factory=dict)
    versions: Iterator[int] = field(default_factory=count)

    def named(self, name: str) -> Any:
        """Return the JSON of the only object with this name in its folder; None if there is none."""
        found = [each for key, each in self.objects.items() if key.endswith(f"/{name}")]
        return json.loads(found[0].body) if found else None

    def remove_named(self, name: str) -> None:
        """Remove the objects with this name, as a person outside of the product would."""
        self.objects = {key: each for key, each in self.objects.items() if not key.endswith(f"/{name}")}

    def summary(self, key: str) -> ports.StoredSummary | None:
        if (found := self.objects.get(key)) is None:
            return None
        try:
            content = json.loads(found.body)
        except ValueError:
            content = None
        return ports.StoredSummary(content, found.request_id, found.version)

    def has_files_of(self, summary: dict[str, Any]) -> bool:
        there = {key: each.version for key, each in self.objects.items()}
        files = summary["files"].values()
        return all("versionId" not in file or there.get(file["key"]) == file["versionId"] for file in files)

    def put_file(self, key: str, path: Path, content_type: str, lease: ports.Lease) -> str:
        return self._put(key, path.read_bytes(), lease)

    def put_summary(self, key: str, summary: dict[str, Any], request_id: str, lease: ports.Lease) -> None:
        self._put(key, readable_json(summary).encode(), lease, request_id=request_id)
        lease.confirm()

    def put_summary_line(self, key: str, summary: dict[str, Any], lease: ports.Lease, seen: str | None = None) -> str:
        return self._put(key, f"{compact_json(summary)}\n".encode(), lease, seen=seen)

    def put_json(self, key: str, content: dict[str, Any], lease: ports.Lease, seen: str | None = None) -> str:
        return self._put(key, readable_json(content).encode(), lease, seen=seen)

    def keys_after(self, key: str, at_most: int) -> list[str]:
        self.note("list the question")
        folder = f"{key.rpartition('/')[0]}/"
        return sorted(each for each in self.objects if each.startswith(folder) and each > key)[:at_most]

    def get_file(self, key: str, path: Path) -> None:
        self.note("get the previous table")
        path.write_bytes(self.objects[key].body)

    def remove(self, key: str, lease: ports.Lease, etag: str | None = None) -> None:
        self.note(f"remove {_short(key)}")
        found = self.objects.get(key)
        if etag is None or found is None or found.version != etag:
            lease.confirm()
        self.objects.pop(key, None)

    def reported(self, jobs: Iterable[SearchJob], earliest: date) -> set[str]:
        self.note("list reports")
        marks = ("notification-pending.json", "results-pending.json")
        names: dict[str, set[str]] = {name: set() for name in ("summary.json", *marks)}
        for identifier, name in map(search_job_and_name, self.objects):
            names.setdefault(name, set()).add(identifier)
        return names["summary.json"].difference(*(names[mark] for mark in marks))

    def _put(
        self, key: str, body: bytes, lease: ports.Lease, *, request_id: str | None = None, seen: str | None = None
    ) -> str:
        self.note(f"put {_short(key)}")
        if key in self.objects and self.objects[key].version != seen:
            lease.confirm()
        self.objects[key] = Stored(body, f"version-{next(self.versions)}", request_id)
        return self.objects[key].version


def _short(key: str) -> str:
    if key.startswith("questions/"):
        return "question"
    return "line" if key.startswith("summaries/") else key.rpartition("/")[2].replace(f"{JOB_ID}.", "table.")


@dataclass
class FakeSentDigests:
    """The record of the digests that were sent."""

    note: Callable[[str], None]
    records: dict[str, tuple[str, str]] = field(default_factory=dict)

    def message_id(self, key: str, what: str) -> str | None:
        content, message_id = self.records.get(key, ("", ""))
        return message_id if content == what else None

    def record(self, key: str, what: str, message_id: str) -> None:
        refuse_planted((key, what), "the record of a digest")
        self.note("record digest")
        self.records[key] = what, message_id

    def forget(self, key: str) -> None:
        self.note("forget digest")
        self.records.pop(key, None)


@dataclass
class FakeAnnouncements:
    """The record of announcements."""

    note: Callable[[str], None]
    records: dict[str, datetime] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def last(self, identifiers: Iterable[str], time_is_up: Callable[[], bool]) -> tuple[dict[str, datetime], set[str]]:
        return self.records, self.unknown & set(identifiers)

    def record(self, identifier: str, moment: datetime) -> None:
        self.note("record announcement")
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
    """All that the use cases need; it is itself the search, the leases, the topic and the bus.

    Attributes:
        calls: What it was asked, in order; ``fails`` has the error of each call that fails, ``does`` what else happens.
        lease_lost: Whether another attempt has taken over.
        digests: The messages that a person gets as a mail; ``entries`` counts those that only machines get.
        refused: The identifiers of the search jobs of which the bus takes no event.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.does: dict[str, Callable[[], object]] = {}
        self.jobs: dict[str, SearchJob] = {}
        self.tags_of_job: tuple[tuple[str, str], ...] = ()
        self.keep_item_filters = True
        self.keeps_results, self.max_results = False, 1_000
        self.results: list[SearchResult] = []
        self.backups: list[Backup] = []
        self.unreadable: list[str] = []
        self.broken_off: AwsCallFailed | None = None
        self.lease_lost = False
        self.digests: list[Message] = []
        self.entries = 0
        self.reported: list[dict[str, Any]] = []
        self.announced: list[str] = []
        self.refused: set[str] = set()
        self.pauses: list[float] = []
        self.now, self.notify_on = NOW, NotifyOn.EXCLUDED
        self.inventory: AbstractContextManager[ports.ScopeInventory] | None = None
        self.bucket, self.sent = FakeBucket(self.note), FakeSentDigests(self.note)
        self.results_bucket = FakeBucket(self.note, "results-bucket")
        self.announcements = FakeAnnouncements(self.note)
        self._requests = count()

    def note(self, call: str) -> None:
        self.calls.append(call)
        self.does.get(call, lambda: None)()
        if call in self.fails:
            raise self.fails[call]

    # The search

    def add_job(self, **changes: Any) -> SearchJob:
        """Add a search job, which is one that ended well but for these changes."""
        job = search_job(**changes)
        self.jobs[job.identifier] = job
        return job

    def search_jobs(self, time_is_up: Callable[[], bool]) -> ports.SearchJobList:
        self.note("list search jobs")
        return ports.SearchJobList(list(self.jobs.values()), self.unreadable, self.broken_off)

    def search_job(self, identifier: str) -> SearchJob:
        return self.jobs[identifier]

    def tags(self, search_job: Arn) -> tuple[tuple[str, str], ...]:
        self.note("read tags")
        return self.tags_of_job

    def pages_of_backups(self, identifier: str, key_arn: str | None) -> Iterator[BackupsPage]:
        assert key_arn == self.jobs[identifier].encryption_key_arn
        arns = [each.backup_arn for each in self.backups]
        yield BackupsPage(arns, [each for each in self.backups if each.status != SEARCHED.status])
        self.note("end of the list")

    def pages_of_results(self, identifier: str, key_arn: str | None) -> Iterator[list[SearchResult]]:
        for at in range(0, len(self.results), 2):
            yield self.results[at : at + 2]
        self.note("end of the results")

    # The leases, each of which is free

    @contextmanager
    def hold(self, search_job: str, request_id: str) -> Iterator[ports.Lease]:
        self.note("acquire")
        try:
            yield self
        finally:
            self.note("release")

    def confirm(self) -> None:
        self.note("confirm")
        if self.lease_lost:
            raise ports.LeaseLost("Another attempt has taken over the report; this one stops here.")

    # The topic and the bus

    def publish(self, message: Message) -> str:
        refuse_planted(message, "a message")
        kind = message.attributes["kind"].value
        self.note(f"publish {kind}")
        if kind == "digest":
            self.digests.append(message)
        else:
            self.entries += 1
        return f"{kind}-{len(self.digests) + self.entries}"

    def report_created(self, arn: Arn, detail: dict[str, Any]) -> None:
        self.note("put event")
        refuse_planted(detail, "an event")
        self.reported.append(detail)

    def announce(self, jobs: Iterable[SearchJob]) -> Iterator[tuple[list[ports.Announcement], list[ports.Refusal]]]:
        waiting = list(jobs)
        while batch := waiting[:10]:
            del waiting[:10]
            taken = [job for job in batch if job.identifier not in self.refused]
            self.announced += [job.identifier for job in taken]
            refusals = [ports.Refusal(job, "ThrottlingException: Slow down") for job in batch if job not in taken]
            yield [ports.Announcement(job, "event-id") for job in taken], refusals

    # The use cases

    def report(
        self,
        *,
        replay: bool = False,
        request_id: str | None = None,
        seconds_left: Callable[[], float] = lambda: 900.0,
        identifier: str = JOB_ID,
    ) -> Outcome:
        """Report a search job, that of the examples, each time for another request if none is named."""
        request_id = request_id or f"request-{next(self._requests)}"
        return self.reporter().run(identifier, replay=replay, request_id=request_id, seconds_left=seconds_left)

    def reporter(
        self,
        search: ports.SearchJobReader | None = None,
        topic: ports.AlertsTopic | None = None,
        bus: ports.ReportEvents | None = None,
    ) -> ReportSearchJob:
        """Return an environment that reports; an adapter may take the place of a fake."""
        inventory = self.inventory
        return ReportSearchJob(
            search=search or self,
            bucket=self.bucket,
            leases=self,
            notifier=Notifier(topic or self, self.sent, self.notify_on, self.bucket.name),
            bus=bus or self,
            take_inventory=NoInventory if inventory is None else lambda *_: inventory,
            keep_results=KeepResults(self, self.results_bucket, self.max_results) if self.keeps_results else None,
            keep_item_filters=self.keep_item_filters,
            now=lambda: self.now,
        )

    def sweep(
        self,
        later: timedelta = timedelta(0),
        statuses: Iterable[str] = ENDED,
        seconds_left: Callable[[], float] = lambda: 60.0,
    ) -> Sweep:
        """Sweep in a fresh environment, so much later than now."""
        return self.sweeper(statuses, later).run(seconds_left)

    def sweeper(self, statuses: Iterable[str] = ENDED, later: timedelta = timedelta(0)) -> SweepSearchJobs:
        """Return an environment that sweeps."""
        return SweepSearchJobs(
            search=self,
            bucket=self.bucket,
            announcements=self.announcements,
            bus=self,
            statuses=frozenset(statuses),
            now=lambda: self.now + later,
            pause=self.pauses.append,
        )
