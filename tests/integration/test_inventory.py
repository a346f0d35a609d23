"""The inventory in a report, with vaults behind AWS's own SDK: what is asked, and what the report says."""

import os
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from search_coverage.coverage.errors import AwsCallFailed
from simulators.backup_search import AIR_GAPPED_VAULT, BackupSimulator, RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context, state_change

AWS = Path(sys.executable).with_name("aws")
BUCKET = "arn:aws:s3:::invoices"
INDEXED = RecoveryPointGroup(count=7, source=BUCKET)
NEVER_INDEXED = RecoveryPointGroup(count=3, source=BUCKET, index=None)


def point_arn(end: str) -> str:
    """Return the ARN of a recovery point."""
    return f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:{end}"


def search(deployment: Deployment, resource_type: str = "S3", **scope: Any) -> str:
    """Search as a user does, and wait for the end."""
    client: Any = boto3.client("backupsearch")
    identifier: str = client.start_search_job(
        Name="audit", SearchScope={"BackupResourceTypes": [resource_type], **scope}
    )["SearchJobIdentifier"]
    deployment.simulator.move_clock(timedelta(minutes=10))
    return identifier


def report(deployment: Deployment, search_job: str, inventory: str = "ON") -> dict[str, Any]:
    """Make the report, and return its summary."""
    deployment.report({"searchJobIdentifier": search_job}, INVENTORY=inventory)
    summary = deployment.summary(search_job)
    assert summary is not None
    return summary


def calls(simulator: BackupSimulator) -> list[str]:
    """Name the calls to AWS Backup so far, those of the search left aside."""
    of_the_search = {"ListTagsForResource"}
    return [
        r.operation for r in simulator.requests if "SearchJob" not in r.operation and r.operation not in of_the_search
    ]


def test_backups_that_were_never_indexed_are_in_the_report_and_its_commands_make_the_next_search_complete(
    deployment: Deployment,
) -> None:
    # Given
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    first = search(deployment)

    # When
    summary = report(deployment, first)

    # Then the report says what the search did not look at
    assert summary["verdict"] == "PARTIAL"
    assert summary["backups"] == {"listed": 7, "searched": 7, "excluded": 3, "failed": 0}
    assert summary["excludedByReason"] == {"INDEX_MISSING": 3}
    assert {name: summary["inventory"][name] for name in ("status", "vaults", "inScope", "notListed")} == {
        "status": "COMPLETE",
        "vaults": 1,
        "inScope": 10,
        "notListed": 3,
    }
    rows = deployment.csv_rows(first)
    assert [(row["reason"], row["backup_vault"], row["status"], row["index_status"]) for row in rows] == [
        ("INDEX_MISSING", "Default", "", "")
    ] * 3

    # And its commands, as they stand, put it right
    for row in rows:
        words = shlex.split(row["remedy"].partition("Command: ")[2])
        assert words[0] == "aws"
        subprocess.run([str(AWS), *words[1:]], check=True, capture_output=True, env=dict(os.environ))
    deployment.simulator.move_clock(timedelta(minutes=10))
    again = report(deployment, search(deployment))
    assert (again["verdict"], again["inventory"]["notListed"]) == ("COMPLETE", 0)
    assert again["backups"] == {"listed": 10, "searched": 10, "excluded": 0, "failed": 0}


def test_each_filter_of_the_scope_holds_on_its_own_and_all_together(deployment: Deployment) -> None:
    def group(end: str, **changes: Any) -> RecoveryPointGroup:
        usual: dict[str, Any] = {"source": BUCKET, "index": None, "created": timedelta(days=5), "tags": {"pii": "yes"}}
        return RecoveryPointGroup(arn=point_arn(end), **{**usual, **changes})

    groups = (
        group("wanted"),
        group("too-old", created=timedelta(days=9)),
        group("too-young", created=timedelta(days=2)),
        group("other-source", source="arn:aws:s3:::other"),
        group("other-tags", tags={"pii": "no"}),
        group("other-type", resource_type="EFS"),
    )
    deployment.simulator.add_vault(Vault("Default", groups))
    now = deployment.simulator.account.clock()
    window = {"CreatedAfter": now - timedelta(days=7), "CreatedBefore": now - timedelta(days=3)}
    everything = {"wanted", "too-old", "too-young", "other-source", "other-tags"}

    def not_listed(**scope: Any) -> set[str]:
        search_job = search(deployment, **scope)
        report(deployment, search_job)
        return {row["backup_arn"].rpartition(":")[2] for row in deployment.csv_rows(search_job)}

    assert not_listed() == everything
    assert not_listed(BackupResourceCreationTime=window) == everything - {"too-old", "too-young"}
    assert not_listed(SourceResourceArns=[BUCKET]) == everything - {"other-source"}
    assert not_listed(BackupResourceTags={"pii": "yes"}) == everything - {"other-tags"}
    assert not_listed(BackupResourceArns=[point_arn("wanted")]) == {"wanted"}
    assert not_listed(
        BackupResourceCreationTime=window,
        SourceResourceArns=[BUCKET],
        BackupResourceTags={"pii": "yes"},
        BackupResourceArns=[point_arn(end) for end in everything],
    ) == {"wanted"}


def test_a_search_for_ebs_by_tags_reads_the_tags_of_snapshots_two_hundred_at_a_time(deployment: Deployment) -> None:
    def volumes(end: str, count: int, **changes: Any) -> RecoveryPointGroup:
        arn = f"arn:aws:ec2:{REGION}::snapshot/snap-{end}{{i:08x}}"
        return RecoveryPointGroup(arn=arn, count=count, resource_type="EBS", **changes)

    groups = (
        volumes("a", 3, tags={"pii": "yes"}),
        volumes("b", 450, tags={"pii": "no"}),
        volumes("c", 2),
        volumes("d", 4, tags={"pii": "yes"}, index=None),
        RecoveryPointGroup(count=5, resource_type="EC2", index=None),
    )
    deployment.simulator.add_vault(Vault("Default", groups))
    deployment.simulator.add_vault(Vault("Island", (volumes("e", 1, index=None),), AIR_GAPPED_VAULT))
    search_job = search(deployment, "EBS", BackupResourceTags={"pii": "yes"})
    deployment.simulator.clear_requests()

    summary = report(deployment, search_job)

    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "PARTIAL")
    assert summary["excludedByReason"] == {"INDEX_MISSING": 4}
    assert "The tags of 1 backups" in summary["inventory"]["message"]  # EC2 does not show what is on the island
    assert calls(deployment.simulator).count("DescribeSnapshots") == 3
    assert "ListTags" not in calls(deployment.simulator)
    (held,) = summary["inventory"]["notSearchable"]
    assert (held["vault"], held["backups"], len(held["examples"])) == ("Default", 5, 3)
    assert all(":image/ami-" in arn for arn in held["examples"])


def test_what_the_indexes_say_is_in_the_rows_and_in_the_summary(deployment: Deployment) -> None:
    def backup(end: str, days: int, items: int, **changes: Any) -> RecoveryPointGroup:
        created = timedelta(days=days)
        return RecoveryPointGroup(arn=point_arn(end), source=BUCKET, created=created, items_indexed=items, **changes)

    message = "The role may not call ebs:ListSnapshotBlocks"
    failed = backup("failed", 9, 0, index="FAILED", index_message=message)
    deployment.simulator.add_vault(Vault("Default", (backup("thin", 1, 9_999), backup("before", 5, 20_000), failed)))
    search_job = search(deployment)

    summary = report(deployment, search_job)

    (row,) = deployment.json_rows(search_job)
    assert (row["reason"], row["backup_vault"]) == ("INDEX_FAILED", "Default")
    assert (row["index_status"], row["index_status_message"]) == ("FAILED", message)
    assert summary["inventory"]["thinIndexes"] == [
        {
            "backupArn": point_arn("thin"),
            "sourceResourceArn": BUCKET,
            "vault": "Default",
            "items": 9_999,
            "previousBackupArn": point_arn("before"),
            "previousItems": 20_000,
        }
    ]


def test_a_vault_that_cannot_be_read_makes_the_inventory_partial_and_says_so(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    deployment.simulator.add_vault(Vault("locked"))
    deployment.simulator.faults.add(
        "error",
        operation="ListRecoveryPointsByBackupVault",
        error_code="AccessDeniedException",
        where={"BackupVaultName": "locked"},
    )

    summary = report(deployment, search(deployment))

    assert (summary["verdict"], summary["inventory"]["status"], summary["inventory"]["vaults"]) == (
        "PARTIAL",
        "PARTIAL",
        1,
    )
    assert "Listing the recovery points of vault locked failed" in summary["inventory"]["message"]
    assert summary["backups"]["excluded"] == 3


def test_with_the_inventory_off_the_vaults_are_not_read(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    search_job = search(deployment)
    deployment.simulator.clear_requests()

    summary = report(deployment, search_job, "OFF")

    assert calls(deployment.simulator) == []
    assert (summary["verdict"], summary["inventory"]["status"]) == ("COMPLETE", "OFF")


def test_people_are_notified_once_although_each_attempt_finds_other_backups_in_the_vaults(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = RecoveryPointGroup(source=BUCKET, search_status="FAILED", search_message="x")
    points = [RecoveryPointGroup(source=BUCKET, index=None, arn=point_arn(f"p{number}")) for number in range(5)]
    deployment.simulator.add_vault(Vault("Default", (INDEXED, failed, *points)))
    search_job = search(deployment)
    module = deployment.function("report", INVENTORY="ON")

    def refuse(*_: object) -> None:
        raise AwsCallFailed("S3 does not take summary.json")

    monkeypatch.setattr(type(module.report_search_job.bucket), "put_summary", refuse)
    for number in range(5):
        with pytest.raises(AwsCallFailed):
            module.handler(state_change(search_job), Context())
        deployment.simulator.delete_recovery_point(point_arn(f"p{number}"))

    assert len(deployment.messages(deployment.people)) == 1
