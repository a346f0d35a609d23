"""An optional member that AWS sends as null is one that AWS does not send: the report is the same, byte for byte."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.backup_vaults import BackupVaults
from simulators.backup_search import RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

BUCKET = "arn:aws:s3:::invoices"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


COPY = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:copy-{{i}}"


def search(deployment: Deployment, **scope: Any) -> str:
    """Search as a user does, and wait for the end."""
    start: Any = boto3.client("backupsearch").start_search_job
    search_job: str = start(SearchScope={"BackupResourceTypes": ["S3"], **scope})["SearchJobIdentifier"]
    deployment.simulator.move_clock(timedelta(minutes=10))
    return search_job


def vaults(deployment: Deployment) -> None:
    """Fill vaults with what makes the report function ask for everything that it ever asks for."""
    tags = {"pii": "yes"}
    groups = (
        RecoveryPointGroup(count=5, source=BUCKET, tags=tags),
        RecoveryPointGroup(count=2, source=BUCKET, tags=tags, search_status="FAILED", search_message="Access denied"),
        RecoveryPointGroup(count=2, source=BUCKET, tags=tags, index="PENDING"),
        RecoveryPointGroup(count=3, source=BUCKET, tags=tags, index=None),
        RecoveryPointGroup(source=BUCKET, tags=tags, index=None, move_to_cold_storage_at=timedelta(hours=2)),
        RecoveryPointGroup(source=BUCKET, tags=tags, index=None, omit=("CompletionDate", "CreationDate", "Status")),
        RecoveryPointGroup(source=BUCKET, index=None, completed=timedelta(seconds=-1), tags=tags),
    )
    deployment.simulator.add_vault(Vault("Default", groups))
    copies = RecoveryPointGroup(count=3, source=BUCKET, index=None, tags={"pii": "no"}, arn=COPY)
    deployment.simulator.add_vault(Vault("Copies", (copies,)))


def files_of_a_report(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, search_job: str) -> dict[str, Any]:
    """Make the report at a fixed time, and return all that is written, but for what no two reports share."""
    module = deployment.function("report", INVENTORY="ON")
    monkeypatch.setattr(module, "_now", lambda: NOW)
    monkeypatch.setattr(module, "report_search_job", dataclasses.replace(module.report_search_job, now=lambda: NOW))
    module.handler({"searchJobIdentifier": search_job, "replay": True}, Context())
    files: dict[str, Any] = {}
    for key in deployment.stored():
        files[key] = deployment.read(key)
        if key.endswith(".json"):
            files[key] = json.loads(files[key])
            files[key].get("notification", files[key]).pop("messageIds", None)
            for file in files[key].get("files", {}).values():
                del file["versionId"]
    return files


@pytest.mark.parametrize("tags", [{}, {"pii": "yes"}], ids=["without tags", "with tags"])
def test_a_whole_report_over_a_wire_with_explicit_nulls_equals_one_without(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tags: dict[str, str]
) -> None:
    vaults(deployment)
    search_job = search(deployment, **({"BackupResourceTags": tags} if tags else {}))
    without = files_of_a_report(deployment, monkeypatch, search_job)
    deployment.simulator.clear_requests()

    deployment.simulator.send_nulls()
    with_nulls = files_of_a_report(deployment, monkeypatch, search_job)

    assert with_nulls == without
    (summary,) = [file for key, file in without.items() if key.endswith("/summary.json")]
    assert summary["inventory"]["notListed"] == (5 if tags else 8)
    asked = {request.operation for request in deployment.simulator.requests}
    assert asked >= {
        "DescribeRecoveryPoint",
        "GetSearchJob",
        "ListBackupVaults",
        "ListRecoveryPointsByBackupVault",
        "ListSearchJobBackups",
        *(["ListTags"] if tags else []),
    }


def test_an_answer_with_explicit_nulls_is_read_as_one_without(deployment: Deployment) -> None:
    vaults(deployment)
    search_job = search(deployment, BackupResourceTags={"pii": "yes"})

    def read() -> list[Any]:
        jobs, held = BackupSearch(boto3.client("backupsearch")), BackupVaults(boto3.client("backup"))
        known = [vault for page in held.vaults() for vault in page]
        points = [
            point
            for vault in known
            for page in held.points_of_vault(vault, resource_type=None, after=None, before=None)
            for point in page
        ]
        return [
            jobs.search_jobs(),
            jobs.search_job(search_job),
            list(jobs.pages_of_backups(search_job)),
            known,
            points,
            [held.with_details(point) for point in points],
            [list(held.tags(point.arn)) for point in points],
        ]

    without = read()
    deployment.simulator.send_nulls()

    assert read() == without


def test_the_simulator_really_sends_nulls(deployment: Deployment) -> None:
    vaults(deployment)
    client = boto3.client("backup")
    bodies: list[dict[str, Any]] = []
    client.meta.events.register(
        "before-parse.backup.*", lambda response_dict, **_: bodies.append(json.loads(response_dict["body"]))
    )

    deployment.simulator.send_nulls()
    client.list_backup_vaults()
    client.list_recovery_points_by_backup_vault(BackupVaultName="Copies")

    assert bodies[0]["BackupVaultList"][0]["EncryptionKeyArn"] is None
    assert (bodies[1]["NextToken"], bodies[1]["RecoveryPoints"][0]["IndexStatus"]) == (None, None)
