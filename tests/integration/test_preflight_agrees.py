"""What a preflight calls searchable is what the search then covers: over 200 random worlds."""

import random
from datetime import timedelta
from typing import Any

import boto3
import pytest

from search_coverage.aws.backup_vaults import BackupVaults
from search_coverage.aws.snapshots import Snapshots
from search_coverage.coverage.preflight import PreflightResult
from search_coverage.coverage.scope_request import scope_of
from search_coverage.coverage.verdict import InventoryStatus
from search_coverage.use_cases.preflight import Preflight
from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Scenario, Vault
from simulators.backup_search.vault import AIR_GAPPED_VAULT, BACKUP_VAULT
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION

WORLDS = 200
REPORTED_EVERY = 20
NAME = "world"
CONTINUOUS = "arn:aws:backup:{region}:{account}:recovery-point:continuous:{i:06}-"


def days(number: float) -> timedelta:
    return timedelta(days=number)


def group(draw: random.Random, serial: int) -> RecoveryPointGroup:
    kind = draw.choice(["S3", "S3", "S3", "EBS", "EBS", "EC2", "RDS"])
    moves = draw.choice([None, None, None, days(3), days(-3)])
    is_continuous = kind == "S3" and draw.random() < 0.15
    source = f"arn:aws:s3:::bucket-{draw.randint(1, 4)}" if kind == "S3" else None
    return RecoveryPointGroup(
        count=draw.choice([1, 1, 2, 3, 9]),
        resource_type=kind,
        source=source,
        arn=f"{CONTINUOUS}{serial}" if is_continuous else None,
        created=days(draw.choice([0.5, 1, 2, 7, 30, 90])),
        completed=days(0.2) if draw.random() < 0.3 else None,
        status=draw.choice(["COMPLETED"] * 6 + ["PARTIAL", "CREATING", "DELETING", "AVAILABLE"]),
        index=draw.choice(["ACTIVE", "ACTIVE", "ACTIVE", None, None, "PENDING", "FAILED", "DELETING"]),
        move_to_cold_storage_at=moves,
        # What EC2 archives outside of AWS Backup has no date.
        storage_class="COLD" if moves is None and draw.random() < 0.15 else "WARM",
        tags=draw.choice([{}, {"stage": "prod"}, {"stage": "prod", "team": "a"}, {"stage": "test"}]),
        omit=draw.choice([(), (), (), ("IndexStatusMessage",), ("IamRoleArn",), ("CompletionDate",)]),
    )


def world(draw: random.Random) -> tuple[Vault, ...]:
    vaults = []
    for number in range(draw.randint(1, 3)):
        kind = draw.choice([BACKUP_VAULT, BACKUP_VAULT, BACKUP_VAULT, AIR_GAPPED_VAULT])
        groups = tuple(group(draw, 10 * number + each) for each in range(draw.randint(0, 4)))
        vaults.append(Vault(f"{kind[:6]}-{number}", groups, kind))  # a vault never changes its type
    return tuple(vaults)


def scope(draw: random.Random, now: Any) -> dict[str, Any]:
    kind = draw.choice(["S3", "S3", "EBS"])
    found: dict[str, Any] = {"BackupResourceTypes": [kind]}
    if draw.random() < 0.3:
        found["BackupResourceCreationTime"] = {"CreatedAfter": now - days(draw.choice([1.5, 10, 60]))}
    if draw.random() < 0.2:
        found.setdefault("BackupResourceCreationTime", {})["CreatedBefore"] = now - days(draw.choice([0.7, 1.5]))
    if kind == "S3" and draw.random() < 0.3:
        found["SourceResourceArns"] = [f"arn:aws:s3:::bucket-{number}" for number in draw.sample(range(1, 6), 2)]
    if draw.random() < 0.2:
        found["BackupResourceTags"] = {"stage": "prod"}
    return found


def as_json(given: dict[str, Any]) -> dict[str, Any]:
    window = given.get("BackupResourceCreationTime", {})
    return {**given, "BackupResourceCreationTime": {name: moment.isoformat() for name, moment in window.items()}}


@pytest.fixture
def preflight(sdk_environment: None, simulator: BackupSimulator) -> Preflight:
    """A preflight by the clock of the simulator."""
    vaults, snapshots = BackupVaults(boto3.client("backup")), Snapshots(boto3.client("ec2"))
    return Preflight(lambda: vaults, lambda: snapshots, simulator.account.clock)


def covered(simulator: BackupSimulator, search: Any, given: dict[str, Any]) -> tuple[str, set[str]]:
    """Search, and return the search job and what it looked into."""
    search_job = search.start_search_job(Name=NAME, SearchScope=given)["SearchJobIdentifier"]
    simulator.move_clock(timedelta(seconds=1))
    rows = [
        row
        for page in search.get_paginator("list_search_job_backups").paginate(SearchJobIdentifier=search_job)
        for row in page["Results"]
    ]
    return search_job, {row["BackupResourceArn"] for row in rows if row["Status"] == "COMPLETED"}


def test_what_a_preflight_calls_searchable_is_what_the_search_covers(
    deployment: Deployment, preflight: Preflight, simulator: BackupSimulator
) -> None:
    search = boto3.client("backupsearch")
    sees_all = searchable = missed = 0
    for number in range(WORLDS):
        draw = random.Random(number)  # noqa: S311 - the same worlds each time
        simulator.add_scenario(Scenario(NAME, vaults=world(draw)))
        given = scope(draw, simulator.account.clock())

        result = preflight.run(scope_of(as_json(given)), ACCOUNT, REGION, 60)
        search_job, looked_into = covered(simulator, search, given)

        assert set(result.first_searchable) == looked_into, number
        assert result.counts.searchable == len(looked_into)
        sees_all, searchable = sees_all + result.sees_all, searchable + len(looked_into)
        missed += result.counts.not_searchable
        if number % REPORTED_EVERY == 0:
            compare_with_the_report(deployment, search_job, result)
    # And the worlds are not all alike
    assert min(sees_all, searchable, missed) > 10


def compare_with_the_report(deployment: Deployment, search_job: str, result: PreflightResult) -> None:
    deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")
    summary = deployment.summary(search_job)
    assert summary
    if result.status is InventoryStatus.COMPLETE:
        assert summary["inventory"]["inScope"] == result.counts.backups
        assert summary["backups"]["searched"] == result.counts.searchable
    if result.sees_all:
        assert summary["verdict"] == "COMPLETE"
