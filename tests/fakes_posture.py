"""An account in memory whose postures are taken: its vaults, its bucket, and the people who get the mails."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.posture import Posture
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.report.files.json_text import readable_json
from search_coverage.report.mail.messages import Message
from search_coverage.report.posture.keys import PostureKeys
from search_coverage.report.posture.mail import posture_message
from search_coverage.use_cases import ports
from search_coverage.use_cases.posture_mail import PostureMail, PostureMailOn, Write
from search_coverage.use_cases.take_posture import Place, PostureOutcome, TakePosture
from tests.fakes import FakeBucket, Stored
from tests.fakes_inventory import FakeVaults, points

HERE = Place("000000000000", "us-east-1")
FIRST = datetime(2026, 11, 2, 3, tzinfo=UTC)

Through = Callable[[str, Any], Any]
"""Puts something in front of a port, which has this name."""


@dataclass
class FakePostureBucket(FakeBucket):
    """`posture_ports.PostureStore` in memory, which keeps all versions."""

    replaced: dict[tuple[str, str], Stored] = field(default_factory=dict)

    def json(self, key: str) -> Any:
        """Return the JSON of an object; None if there is none."""
        found = self.objects.get(key)
        return json.loads(found.body) if found else None

    def stored_json(self, key: str) -> ports.StoredJson | None:
        found = self.summary(key)
        if found is None:
            return None
        content = found.content if isinstance(found.content, dict) else None
        return ports.StoredJson(content, found.request_id, found.etag)

    def keys_between(self, prefix: str, after: str, before: str = "") -> Iterator[str]:
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after and not (before and key >= before):
                yield key

    def get_file(self, key: str, path: Path, version_id: str | None = None) -> None:
        found = self.objects.get(key)
        if version_id and (found is None or found.version != version_id):
            found = self.replaced.get((key, version_id))
        if found is None:
            raise AwsCallFailed(f"Reading s3://{self.name}/{key} failed: GetObject answered NoSuchKey: gone.")
        path.write_bytes(found.body)

    def put_once(self, key: str, content: dict[str, Any]) -> None:
        self.objects.setdefault(key, Stored(readable_json(content).encode(), f"version-{next(self.versions)}"))

    def _put(self, key: str, body: bytes, lease: ports.Lease, **known: Any) -> str:
        if key in self.objects:
            self.replaced[key, self.objects[key].version] = self.objects[key]
        return super()._put(key, body, lease, **known)


@dataclass
class PostureWorld:
    """All that a posture is taken of; it is itself the plans, the leases, the lease, the topic and the bus.

    Attributes:
        held: What is in the vaults.
        mails: When each was published, and its message.
        sns_refuses: Whether SNS takes nothing.
        through: What each attempt has in front of its ports.
    """

    held: list[RecoveryPoint] = field(default_factory=list)
    mail_on: PostureMailOn = PostureMailOn.ON_CHANGE
    target: int | None = None
    now: datetime = FIRST
    backup_plans: dict[str, BackupPlan] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    sns_refuses: bool = False
    through: Through = lambda _name, port: port
    write: Write = posture_message
    bucket: FakePostureBucket = field(default_factory=lambda: FakePostureBucket(lambda _call: None))
    mails: list[tuple[datetime, Message]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    postures: list[Posture] = field(default_factory=list)
    _requests: Iterator[int] = field(default_factory=count)

    @property
    def keys(self) -> PostureKeys:
        """The keys of today's posture."""
        return PostureKeys.of(HERE.account, HERE.region, self.now)

    @property
    def summary(self) -> Any:
        """Today's summary; None without one."""
        return self.bucket.json(self.keys.summary)

    @property
    def record(self) -> Any:
        """The record of the last mail; None without one."""
        return self.bucket.json(self.keys.last_mail)

    def days_pass(self, days: float) -> None:
        self.now += timedelta(days=days)

    def hold_sources(self, **index_of: str | None) -> None:
        """Let the vault hold one backup of each of these buckets, with the status of its index."""
        self.held = []
        for name, index in index_of.items():
            self.add_backup(name, index)

    def add_backup(self, name: str | None, index: str | None, *, hours: float = 1, vault: str = "Default") -> None:
        """Let a vault hold a backup of a bucket, made so many hours ago."""
        created = self.now.timestamp() - hours * 3600
        self.held += points(
            end=f"{vault}-{name}-{created}",
            vault=vault,
            source_resource_arn=name and f"arn:aws:s3:::{name}",
            index_status=index,
            created=created,
            completed=created,
        )

    def take(self, request_id: str | None = None) -> PostureOutcome:
        """Take the posture, each time for another request if none is named."""
        through = self.through
        vaults, store = FakeVaults(self.held, denied=self.denied), through("bucket", self.bucket)
        use_case = TakePosture(
            vaults=through("vaults", vaults),
            plans=through("plans", self),
            store=store,
            leases=through("leases", self),
            mail=PostureMail(store, through("topic", self), self.mail_on, self.write, lambda: self.now),
            bus=through("bus", self),
            page=self._page,
            target=self.target,
            now=lambda: self.now,
        )
        return use_case.run(HERE, request_id or f"request-{next(self._requests)}", lambda: 900.0)

    def _page(self, posture: Posture, csv_key: str) -> str:
        self.postures.append(posture)
        return f"The page of {csv_key}"

    # The ports

    def plan(self, plan_id: str) -> BackupPlan | None:
        return self.backup_plans.get(plan_id)

    def hold(self, name: str, request_id: str) -> AbstractContextManager[ports.Lease]:
        return self._held()

    @contextmanager
    def _held(self) -> Iterator[ports.Lease]:
        yield self.through("lease", self)

    def confirm(self) -> None:
        """The lease is held."""

    def publish(self, message: Message) -> str:
        if self.sns_refuses:
            raise ports.NotPublished("Publishing failed: Publish answered KMSDisabled: The key is disabled.")
        self.mails.append((self.now, message))
        return f"message-{len(self.mails)}"

    def posture_created(self, detail: dict[str, Any]) -> None:
        self.events.append(detail)
