"""A whole posture of one company, worked out from its vaults: every reason, plans of every kind, and what changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.posture import Change, IndexFailure, IndexFailures, Posture
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.searchability import Searchability
from search_coverage.report.posture.page import page
from tests.fakes_posture import PostureWorld
from tests.postures import keys, since
from tests.reports import HOSTILE, ROLE

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
CSV_KEY = keys(NOW).csv
DATABASES = "5f2c1a9e-77d0-4c1b-9d7e-1b0a6f0c3e21"
FINANCE = "orgs/0c9d6f52-3a1e-36c8-8f44-6f1f0e2a7b90"
NIGHTLY = "a3b8d1f0-52aa-4b1f-8f5e-0a4f3c9b7d11"
VOLUME = "arn:aws:ec2:us-east-1:000000000000:volume/vol-{:017x}"

_DENIED = "Access denied trying to call ebs:ListSnapshotBlocks on the snapshot."


@dataclass(frozen=True)
class _Source:
    """A source and its backups: one a day.

    Attributes:
        indexed: How many of its newest backups have an index.
        newest: What its newest backup has instead.
    """

    arn: str
    vault: str
    plan: str | None
    rule: str | None
    days: int = 14
    indexed: int = 14
    newest: dict[str, Any] = field(default_factory=dict)

    def points(self, number: int) -> Iterator[RecoveryPoint]:
        kind = "S3" if ":s3:" in self.arn else "EBS"
        for day in range(self.days):
            created = (NOW - timedelta(days=day, hours=2, minutes=number)).timestamp()
            end = f"{number:04x}{day:013x}"
            point = RecoveryPoint(
                arn=f"arn:aws:ec2:us-east-1::snapshot/snap-{end}"
                if kind == "EBS"
                else f"arn:aws:backup:us-east-1:000000000000:recovery-point:{end}",
                vault=self.vault,
                vault_type="LOGICALLY_AIR_GAPPED_BACKUP_VAULT" if self.vault == "vault-lock" else "BACKUP_VAULT",
                resource_type=kind,
                source_resource_arn=self.arn,
                status="COMPLETED",
                created=created,
                completed=created + 900,
                index_status="ACTIVE" if day < self.indexed else None,
                role_arn=ROLE,
                plan_id=self.plan,
                rule=self.rule,
            )
            yield point if day else point._replace(**self.newest)


def _sources() -> Iterator[_Source]:
    for name in ("invoices", "contracts", "payroll", "images", "exports"):
        for number in range(8):
            yield _Source(f"arn:aws:s3:::{name}-{number}", "nightly", NIGHTLY, "every-night", indexed=9)
    for number in range(21):
        yield _Source(VOLUME.format(number), "nightly", NIGHTLY, "volumes")
    for number in range(40, 49):
        yield _Source(VOLUME.format(number), "databases", DATABASES, "hourly", indexed=0)
    for number in range(2):
        yield _Source(f"arn:aws:s3:::database-dumps-{number}", "databases", DATABASES, "hourly", indexed=0)
    for name in ("ledger", "tax", "audit-log", "treasury"):
        yield _Source(f"arn:aws:s3:::{name}", "finance", FINANCE, "daily", indexed=0)
    denied = {"index_status": "FAILED", "index_status_message": _DENIED}
    for number in range(60, 62):
        yield _Source(VOLUME.format(number), "nightly", NIGHTLY, "volumes", newest=denied)
    yield _Source("arn:aws:s3:::mail", "nightly", NIGHTLY, "every-night", newest={"index_status": "PENDING"})
    cold = {"cold_since": (NOW - timedelta(hours=1)).timestamp()}
    yield _Source(VOLUME.format(70), "nightly", None, None, days=1, newest=cold)
    for name in ("board-minutes", "crown-jewels"):
        yield _Source(f"arn:aws:s3:::{name}", "vault-lock", None, None, indexed=0)


def _images() -> Iterator[RecoveryPoint]:
    for number in range(12):
        arn = f"arn:aws:ec2:us-east-1::image/ami-{number:017x}"
        yield RecoveryPoint(arn, "nightly", "BACKUP_VAULT", "EC2", f"{arn}-of", "COMPLETED", NOW.timestamp() - 9000)


def _plan(plan_id: str, name: str, vault: str, **indexed: str) -> BackupPlan:
    rules = [
        {
            "RuleId": f"00000000-0000-0000-0000-{number:012}",
            "RuleName": rule.replace("_", "-"),
            "TargetBackupVaultName": vault,
            "ScheduleExpression": "cron(0 1 ? * * *)",
            "Lifecycle": {"DeleteAfterDays": 35},
            **({"IndexActions": [{"ResourceTypes": [kind]}]} if kind else {}),
        }
        for number, (rule, kind) in enumerate(indexed.items())
    ]
    content = {"BackupPlanName": name, "Rules": rules}
    return BackupPlan(plan_id, f"arn:aws:backup:us-east-1:000000000000:backup-plan:{plan_id}", "v1", content)


PLANS = {
    DATABASES: _plan(DATABASES, "databases", "databases", hourly=""),
    FINANCE: _plan(FINANCE, "finance", "finance", daily=""),
    NIGHTLY: _plan(NIGHTLY, "nightly", "nightly", every_night="S3", volumes="EBS"),
}


@cache
def whole_posture() -> Posture:
    """Return the posture: the newest backups of 61 of 82 sources can be searched, and the target is missed."""
    held = [point for number, source in enumerate(_sources()) for point in source.points(number)]
    world = PostureWorld([*held, *_images()], target=95, now=NOW, backup_plans=PLANS)
    world.take()
    failed = [
        IndexFailure(source.newest.arn, _DENIED, NOW - timedelta(hours=1))
        for source in world.postures[-1].first_sources
        if source.searchability is Searchability.INDEX_FAILED
    ]
    worse = tuple(Change(VOLUME.format(number), Searchability.SEARCHABLE, _FAILED) for number in (60, 61))
    new = tuple(Change(f"arn:aws:s3:::database-dumps-{number}", None, _MISSING) for number in range(2))
    better = tuple(Change(f"arn:aws:s3:::exports-{number}", _MISSING, Searchability.SEARCHABLE) for number in range(8))
    return replace(
        world.postures[-1],
        index_failures=IndexFailures(len(failed), NOW - timedelta(days=7), tuple(failed)),
        since=since(
            share=65.85,
            worse=2,
            new_not_searchable=2,
            better=8,
            examples_worse=worse,
            examples_new=new,
            examples_better=better,
        ),
    )


_FAILED, _MISSING = Searchability.INDEX_FAILED, Searchability.INDEX_MISSING


def hostile_posture() -> Posture:
    """Return the same posture with hostile texts wherever AWS may send a text."""
    whole = whole_posture()
    point = RecoveryPoint(
        arn=f"arn:aws:ec2:us-east-1::snapshot/{HOSTILE}",
        vault=HOSTILE,
        vault_type=HOSTILE,
        resource_type=HOSTILE,
        source_resource_arn=f"arn:aws:s3:::{HOSTILE}",
        index_status="FAILED",
        index_status_message=HOSTILE,
        role_arn=f"arn:aws:iam::000000000000:role/{HOSTILE}",
        plan_id=HOSTILE,
        rule=HOSTILE,
    )
    source, rule = whole.first_sources[0], whole.rules[0]
    plan = BackupPlan(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        {"BackupPlanName": HOSTILE, "Rules": [{"RuleName": HOSTILE, "TargetBackupVaultName": HOSTILE, HOSTILE: 1}]},
    )
    changes = (Change(HOSTILE, None, _MISSING),)
    return replace(
        whole,
        problems=(HOSTILE, HOSTILE),
        notes=(HOSTILE,),
        first_sources=tuple(
            replace(source, source_arn=HOSTILE, newest=point._replace(resource_type=kind), searchability=state)
            for state in Searchability
            for kind in (HOSTILE, "S3", "EBS")
            if state.reason
        ),
        vaults=(replace(whole.vaults[0], name=HOSTILE, type=HOSTILE),),
        rules=tuple(
            replace(rule, plan_id=plan_id, rule=name, by_type={kind: rule.by_type["S3"], "EBS": rule.by_type["EBS"]})
            for plan_id, name, kind in ((HOSTILE, HOSTILE, HOSTILE), (DATABASES, "hourly", HOSTILE), (None, None, "S3"))
        ),
        plans={**whole.plans, HOSTILE: plan},
        failed=(point,),
        unreachable=tuple(replace(each, vault=HOSTILE, examples=(HOSTILE,)) for each in whole.unreachable),
        index_failures=IndexFailures(1, NOW, (IndexFailure(HOSTILE, HOSTILE, NOW),)),
        since=since(worse=1, examples_worse=changes, better=1, examples_better=changes),
    )


def posture_page(posture: Posture) -> str:
    """Return the page of a posture, as it can be read back from its file."""
    return page(posture, CSV_KEY).encode("utf-8", "backslashreplace").decode()
