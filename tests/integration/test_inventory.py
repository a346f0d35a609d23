"""The list of a search, held against what the vaults really contain."""

import os
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

AWS = Path(sys.executable).with_name("aws")
AIR_GAPPED = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
BUCKET = "arn:aws:s3:::invoices"


def search(deployment: Deployment, resource_type: str = "S3", **scope: Any) -> str:
    """Search as a user does, and wait for the end."""
    client: Any = boto3.client("backupsearch")
    identifier: str = client.start_search_job(
        Name="audit", SearchScope={"BackupResourceTypes": [resource_type], **scope}
    )["SearchJobIdentifier"]
    deployment.simulator.move_clock(timedelta(minutes=10))
    return identifier


def report(deployment: Deployment, search_job: str, context: Context | None = None) -> dict[str, Any]:
    """Make the report with the inventory on, and give its summary."""
    deployment.report({"searchJobIdentifier": search_job}, context, INVENTORY="ON")
    summary = deployment.summary(search_job)
    assert summary is not None
    return summary


def calls(simulator: BackupSimulator) -> list[str]:
    """Name the calls to AWS Backup so far, those of the search left aside."""
    return [r.operation for r in simulator.requests if "SearchJob" not in r.operation]


INDEXED = RecoveryPointGroup(count=7, source=BUCKET)
NEVER_INDEXED = RecoveryPointGroup(count=3, source=BUCKET, index=None)


def test_a_search_whose_whole_list_is_completed_is_partial_if_backups_were_never_indexed(
    deployment: Deployment,
) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))

    search_job = search(deployment)
    summary = report(deployment, search_job)

    assert summary["verdict"] == "PARTIAL"
    assert summary["backups"] == {"listed": 7, "searched": 7, "excluded": 3, "failed": 0}
    assert summary["excludedByReason"] == {"INDEX_MISSING": 3}
    inventory = summary["inventory"]
    assert (inventory["status"], inventory["vaults"], inventory["inScope"], inventory["notListed"]) == (
        "COMPLETE", 1, 10, 3
    )  # fmt: skip
    assert summary["verdictReasons"] == [
        "3 of 10 backups in the scope of the search are not in its list, so it did not look at them."
    ]
    rows = deployment.csv_rows(search_job)
    assert [(row["reason"], row["backup_vault"], row["status"], row["index_status"]) for row in rows] == [
        ("INDEX_MISSING", "Default", "", "")
    ] * 3


def test_the_commands_of_the_report_as_they_stand_make_the_next_search_complete(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    first = search(deployment)
    report(deployment, first)
    commands = [row["remedy"].partition("Command: ")[2] for row in deployment.csv_rows(first)]
    assert len(commands) == 3

    for command in commands:
        words = shlex.split(command)
        assert words[0] == "aws"
        subprocess.run([str(AWS), *words[1:]], check=True, capture_output=True, env=dict(os.environ))
    deployment.simulator.move_clock(timedelta(minutes=10))

    summary = report(deployment, search(deployment))
    assert summary["verdict"] == "COMPLETE"
    assert summary["backups"] == {"listed": 10, "searched": 10, "excluded": 0, "failed": 0}
    assert summary["inventory"]["notListed"] == 0


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (RecoveryPointGroup(index=None), "INDEX_MISSING"),
        (RecoveryPointGroup(index=None, move_to_cold_storage_at=timedelta(hours=2)), "ARCHIVED"),
    ],
    ids=["never indexed", "cold"],
)
def test_what_is_not_listed_has_the_reason_that_the_vault_gives(
    deployment: Deployment, group: RecoveryPointGroup, reason: str
) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, group)))

    assert report(deployment, search(deployment))["excludedByReason"] == {reason: 1}


def test_what_lies_in_an_air_gapped_vault_cannot_be_searched(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    deployment.simulator.add_vault(
        Vault("Vaulted", (RecoveryPointGroup(count=2, index=None, arn=point_arn("e{i}")),), AIR_GAPPED)
    )

    summary = report(deployment, search(deployment))

    assert summary["excludedByReason"] == {"NOT_SUPPORTED": 2}
    assert summary["inventory"]["vaults"] == 2


def point_arn(end: str) -> str:
    """Give the ARN of a recovery point."""
    return f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:{end}"


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        ("PENDING", None, "INDEX_PENDING"),
        ("FAILED", "The role may not call ebs:ListSnapshotBlocks", "INDEX_FAILED"),
        ("DELETING", None, "INDEX_DELETING"),
    ],
)
def test_the_index_says_why_a_listed_backup_was_excluded(
    deployment: Deployment, status: str, message: str | None, reason: str
) -> None:
    group = RecoveryPointGroup(index=status, index_message=message, source=BUCKET)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, group)))

    search_job = search(deployment)
    summary = report(deployment, search_job)

    (row,) = deployment.json_rows(search_job)
    assert (row["reason"], row["backup_vault"], row["index_status"]) == (reason, "Default", status)
    assert row["index_status_message"] == message
    assert summary["inventory"]["notListed"] == 0


def test_copies_of_one_source_in_two_vaults_are_two_backups(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (RecoveryPointGroup(source=BUCKET, arn=point_arn("one")),)))
    deployment.simulator.add_vault(
        Vault("Copies", (RecoveryPointGroup(source=BUCKET, arn=point_arn("two"), index=None),))
    )

    summary = report(deployment, search(deployment, SourceResourceArns=[BUCKET]))

    assert (summary["inventory"]["inScope"], summary["inventory"]["notListed"]) == (2, 1)


def test_with_few_sources_only_their_recovery_points_are_read_and_rows_have_vault_and_command(
    deployment: Deployment,
) -> None:
    other = RecoveryPointGroup(count=3, source="arn:aws:s3:::other", index=None)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED, other)))
    for number in range(3):
        deployment.simulator.add_vault(Vault(f"Vault-{number}"))
    search_job = search(deployment, SourceResourceArns=[BUCKET])
    deployment.simulator.clear_requests()

    summary = report(deployment, search_job)

    inventory = summary["inventory"]
    assert (inventory["vaults"], inventory["inScope"], inventory["notListed"]) == (4, 10, 3)
    reads = [r for r in deployment.simulator.requests if r.operation == "ListRecoveryPointsByBackupVault"]
    assert [read.params["ByResourceArn"] for read in reads] == [BUCKET] * 4
    assert set(calls(deployment.simulator)) == {
        "ListBackupVaults",
        "ListRecoveryPointsByBackupVault",
        "GetRecoveryPointIndexDetails",
    }
    rows = deployment.csv_rows(search_job)
    assert [row["backup_vault"] for row in rows] == ["Default"] * 3
    assert all("--backup-vault-name Default" in row["remedy"] for row in rows)
    assert all("--iam-role-arn" in row["remedy"] for row in rows)


def test_a_vault_is_read_whole_where_that_takes_fewer_calls_than_its_sources(deployment: Deployment) -> None:
    sources = [f"arn:aws:s3:::bucket-{number}" for number in range(3)]
    small = [RecoveryPointGroup(count=300, source=source, arn=point_arn(f"{source[-1]}-{{i}}")) for source in sources]
    large = [RecoveryPointGroup(count=900, source=source, arn=point_arn(f"l{source[-1]}-{{i}}")) for source in sources]
    deployment.simulator.add_vault(Vault("Small", tuple(small)))
    deployment.simulator.add_vault(Vault("large", tuple(large)))
    search_job = search(deployment, SourceResourceArns=sources)
    deployment.simulator.clear_requests()

    assert report(deployment, search_job)["inventory"]["inScope"] == 3600

    reads = [r.params for r in deployment.simulator.requests if r.operation == "ListRecoveryPointsByBackupVault"]
    by_vault = sorted((given["BackupVaultName"], given.get("ByResourceArn", "")) for given in reads)
    assert by_vault == [("Small", ""), *(("large", source) for source in sources)]


def test_a_copy_that_was_made_after_the_search_is_not_called_missing_and_nobody_asks_for_its_tags(
    deployment: Deployment,
) -> None:
    tags = {"pii": "yes"}
    deployment.simulator.add_vault(Vault("Default", (RecoveryPointGroup(count=7, source=BUCKET, tags=tags),)))
    search_job = search(deployment, SourceResourceArns=[BUCKET], BackupResourceTags=tags)
    copy = RecoveryPointGroup(
        source=BUCKET, created=timedelta(days=1), completed=timedelta(0), index=None, tags=tags, arn=point_arn("copy")
    )
    deployment.simulator.add_vault(Vault("Copies", (copy,)))
    deployment.simulator.clear_requests()

    summary = report(deployment, search_job)

    assert (summary["verdict"], summary["inventory"]["notListed"]) == ("COMPLETE", 0)
    assert "1 made or completed after the search began" in summary["inventory"]["message"]
    assert "ListTags" not in calls(deployment.simulator)


CONTINUOUS = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:continuous:invoices-1a2b3c4d"


@pytest.mark.parametrize("status", ["COMPLETED", "CREATING"])
def test_a_continuous_backup_that_was_never_indexed_is_missing_though_aws_updated_it_since(
    deployment: Deployment, status: str
) -> None:
    continuous = RecoveryPointGroup(
        arn=CONTINUOUS, source=BUCKET, index=None, status=status, created=timedelta(days=90), completed=timedelta(0)
    )
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    search_job = search(deployment)
    deployment.simulator.add_recovery_points("Default", continuous)  # as it is by now: completed after the search

    summary = report(deployment, search_job)

    assert (summary["verdict"], summary["excludedByReason"]) == ("PARTIAL", {"INDEX_MISSING": 1})
    (row,) = deployment.csv_rows(search_job)
    assert (row["backup_arn"], row["backup_vault"]) == (CONTINUOUS, "Default")


def test_what_the_inventory_leaves_out_is_counted_and_said(deployment: Deployment) -> None:
    def group(end: str, **changes: Any) -> RecoveryPointGroup:
        return RecoveryPointGroup(**{"source": BUCKET, "index": None, "arn": point_arn(end), **changes})

    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    search_job = search(deployment)
    deployment.simulator.add_recovery_points(
        "Default",
        group("later-{i}", count=2, created=timedelta(0)),
        group("deleting", status="DELETING"),
        group("making", status="CREATING"),
        group("copy", completed=timedelta(0)),
        group("gone", storage_class="COLD", move_to_cold_storage_at=timedelta(days=1)),
    )
    deployment.simulator.faults.add(
        "error",
        operation="DescribeRecoveryPoint",
        error_code="ResourceNotFoundException",
        where={"RecoveryPointArn": point_arn("gone")},
    )

    summary = report(deployment, search_job)

    assert summary["inventory"]["notListed"] == 0
    assert summary["inventory"]["message"] == (
        "Of the backups that match the scope, these are left out: 3 made or completed after the search began, "
        "1 still being made, 1 being deleted, 1 deleted while the inventory was taken."
    )
    # What was there when the search began, and is not in its list, was not searched, whatever becomes of it
    assert summary["verdict"] == "PARTIAL"
    (doubt,) = summary["verdictReasons"]
    assert doubt.startswith("2 backups that match the scope of the search and are not in its list are being deleted")


def test_what_came_after_the_search_began_is_said_and_no_doubt(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    search_job = search(deployment)
    deployment.simulator.add_recovery_points(
        "Default", RecoveryPointGroup(source=BUCKET, index=None, arn=point_arn("later"), created=timedelta(0))
    )

    summary = report(deployment, search_job)

    assert summary["verdict"] == "COMPLETE"
    assert "1 made or completed after the search began" in summary["inventory"]["message"]


def test_a_copy_whose_completion_the_list_does_not_tell_is_asked_for_it(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    search_job = search(deployment)
    copy = RecoveryPointGroup(
        source=BUCKET, completed=timedelta(0), index=None, arn=point_arn("copy"), omit=("CompletionDate",)
    )
    deployment.simulator.add_recovery_points("Default", copy)
    answer = boto3.client("backup").describe_recovery_point(
        BackupVaultName="Default", RecoveryPointArn=point_arn("copy")
    )
    assert "CompletionDate" in answer

    assert report(deployment, search_job)["inventory"]["notListed"] == 0


def test_what_the_search_lists_is_not_left_out_though_it_is_being_deleted_by_now(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    search_job = search(deployment)
    listed = boto3.client("backup").list_recovery_points_by_backup_vault(BackupVaultName="Default")["RecoveryPoints"]
    for point in listed:
        deployment.simulator.delete_recovery_point(point["RecoveryPointArn"])
    deployment.simulator.add_recovery_points(
        "Default",
        *(
            RecoveryPointGroup(source=BUCKET, arn=point["RecoveryPointArn"], status="DELETING", created=timedelta(1))
            for point in listed
        ),
    )

    summary = report(deployment, search_job)

    assert (summary["verdict"], summary["inventory"]["message"]) == ("COMPLETE", None)


def test_each_filter_of_the_scope_holds_on_its_own_and_all_together(deployment: Deployment) -> None:
    def group(end: str, **changes: Any) -> RecoveryPointGroup:
        usual: dict[str, Any] = {"source": BUCKET, "index": None, "created": timedelta(days=5), "tags": {"pii": "yes"}}
        return RecoveryPointGroup(arn=point_arn(end), **{**usual, **changes})

    deployment.simulator.add_vault(
        Vault(
            "Default",
            (
                group("wanted"),
                group("too-old", created=timedelta(days=9)),
                group("too-young", created=timedelta(days=2)),
                group("other-source", source="arn:aws:s3:::other"),
                group("other-tags", tags={"pii": "no"}),
                group("other-type", resource_type="EFS"),
            ),
        )
    )
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


def test_snapshots_of_ebs_whose_arn_has_no_account_are_compared_too(deployment: Deployment) -> None:
    deployment.simulator.add_vault(
        Vault(
            "Default",
            (
                RecoveryPointGroup(count=2, resource_type="EBS"),
                RecoveryPointGroup(count=1, resource_type="EBS", index=None),
            ),
        )
    )

    search_job = search(deployment, "EBS")
    summary = report(deployment, search_job)

    (row,) = deployment.csv_rows(search_job)
    assert row["backup_arn"].startswith(f"arn:aws:ec2:{REGION}::snapshot/")
    assert (summary["inventory"]["inScope"], summary["inventory"]["notListed"]) == (3, 1)


def test_what_was_made_after_the_start_or_deleted_since_is_not_called_missing(deployment: Deployment) -> None:
    gone = RecoveryPointGroup(index=None, arn=point_arn("gone"))
    deployment.simulator.add_vault(Vault("Default", (INDEXED, gone)))
    search_job = search(deployment)
    deployment.simulator.add_recovery_points(
        "Default", RecoveryPointGroup(created=timedelta(0), index=None, arn=point_arn("later"))
    )
    deployment.simulator.delete_recovery_point(point_arn("gone"))

    summary = report(deployment, search_job)

    assert summary["verdict"] == "COMPLETE"
    assert summary["inventory"]["notListed"] == 0


@pytest.mark.parametrize("error", ["AccessDeniedException", "ServiceUnavailableException"])
def test_a_vault_that_cannot_be_read_makes_the_inventory_partial_and_says_so(
    deployment: Deployment, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    deployment.simulator.add_vault(Vault("locked"))
    deployment.simulator.faults.add(
        "error",
        operation="ListRecoveryPointsByBackupVault",
        error_code=error,
        where={"BackupVaultName": "locked"},
    )

    summary = report(deployment, search(deployment))

    assert summary["verdict"] == "PARTIAL"
    assert summary["inventory"]["status"] == "PARTIAL"
    assert "vault locked" in summary["inventory"]["message"]
    assert summary["inventory"]["vaults"] == 1
    assert summary["backups"]["excluded"] == 3
    assert any("The inventory of the vaults is PARTIAL" in reason for reason in summary["verdictReasons"])


def test_without_the_list_of_vaults_the_report_is_written_and_never_complete(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    deployment.simulator.faults.add("error", operation="ListBackupVaults", error_code="ServiceUnavailableException")

    summary = report(deployment, search(deployment))

    assert summary["verdict"] == "PARTIAL"
    assert summary["inventory"]["status"] == "UNAVAILABLE"
    assert summary["inventory"]["inScope"] is None


def test_an_inventory_that_takes_longer_than_its_share_ends_and_says_so(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (RecoveryPointGroup(count=9000),)))
    deployment.simulator.faults.add("delay", operation="ListRecoveryPointsByBackupVault", delay_seconds=0.4)

    search_job = search(deployment)
    summary = report(deployment, search_job, Context(seconds_left=6.0))

    assert summary["inventory"]["status"] == "PARTIAL"
    assert "no time to read vault Default to its end" in summary["inventory"]["message"]
    assert summary["backups"]["listed"] == 9000


def test_tags_that_cannot_be_read_leave_it_open_whether_a_backup_was_meant(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (NEVER_INDEXED,)))
    deployment.simulator.faults.add("error", operation="ListTags", error_code="InvalidParameterValueException")

    summary = report(deployment, search(deployment, BackupResourceTags={"pii": "yes"}))

    assert summary["inventory"]["status"] == "PARTIAL"
    assert "The tags of 3 backups" in summary["inventory"]["message"]
    assert summary["inventory"]["notListed"] == 0


def test_with_the_inventory_off_nobody_asks_the_vaults(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    search_job = search(deployment)
    deployment.simulator.clear_requests()

    deployment.report({"searchJobIdentifier": search_job})

    assert calls(deployment.simulator) == []
    summary = deployment.summary(search_job)
    assert summary is not None
    assert (summary["verdict"], summary["inventory"]["status"]) == ("COMPLETE", "OFF")
