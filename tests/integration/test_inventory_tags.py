"""A search for EBS by tags: its backups are snapshots, and EC2 knows their tags."""

from typing import Any

import boto3
import pytest

from simulators.backup_search import AIR_GAPPED_VAULT, RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.integration.test_inventory import calls, report, search
from tests.invocation import REGION, Context

PII, BOTH = {"pii": "yes"}, {"pii": "yes", "team": "hr"}


def snapshots(vault: str = "a", **changes: Any) -> RecoveryPointGroup:
    """Give backups of EBS."""
    arn = f"arn:aws:ec2:{REGION}::snapshot/snap-{vault}{{i:08x}}"
    return RecoveryPointGroup(**{"resource_type": "EBS", "arn": arn, **changes})


def reported(deployment: Deployment, tags: dict[str, str]) -> dict[str, Any]:
    """Search EBS by tags, and give the summary of the report."""
    search_job = search(deployment, "EBS", BackupResourceTags=tags)
    deployment.simulator.clear_requests()
    return report(deployment, search_job)


def test_a_search_for_ebs_by_tags_is_complete_where_nothing_else_carries_them(deployment: Deployment) -> None:
    groups = (snapshots(count=3, tags=PII), snapshots(count=450, tags={"pii": "no"}), snapshots(count=2))
    deployment.simulator.add_vault(Vault("Default", groups))

    summary = reported(deployment, PII)

    assert (summary["verdict"], summary["inventory"]["status"]) == ("COMPLETE", "COMPLETE")
    assert (summary["inventory"]["inScope"], summary["inventory"]["notListed"]) == (3, 0)
    assert calls(deployment.simulator).count("DescribeSnapshots") == 3  # 452 of them, 200 per call
    assert "ListTags" not in calls(deployment.simulator)


def test_a_snapshot_with_the_tags_that_was_never_indexed_is_missing(deployment: Deployment) -> None:
    groups = (snapshots(count=3, tags=PII), snapshots(count=4, tags=PII, index=None), snapshots(count=5, index=None))
    deployment.simulator.add_vault(Vault("Default", groups))

    summary = reported(deployment, PII)

    assert (summary["verdict"], summary["excludedByReason"]) == ("PARTIAL", {"INDEX_MISSING": 4})


def test_a_snapshot_with_some_of_the_tags_stays_a_doubt(deployment: Deployment) -> None:
    groups = (snapshots(count=3, tags=BOTH), snapshots(count=2, tags=PII, index=None))
    deployment.simulator.add_vault(Vault("Default", groups))

    summary = reported(deployment, BOTH)

    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "PARTIAL")
    assert "2 backups that the search does not list carry some of its tags" in summary["inventory"]["message"]


def test_a_snapshot_that_ec2_does_not_show_is_a_doubt_and_none_without_tags(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (snapshots(count=3, tags=PII),)))
    deployment.simulator.add_vault(Vault("Island", (snapshots("b", index=None),), AIR_GAPPED_VAULT))

    summary = reported(deployment, PII)

    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "PARTIAL")
    assert "The tags of 1 backups" in summary["inventory"]["message"]


@pytest.mark.parametrize(
    ("effect", "details", "words"),
    [
        ("error", {"error_code": "UnauthorizedOperation"}, "DescribeSnapshots answered UnauthorizedOperation"),
        ("error", {"error_code": "RequestLimitExceeded"}, "DescribeSnapshots answered RequestLimitExceeded"),
        ("broken_json", {}, "Unable to parse response"),
    ],
    ids=["denied", "throttled", "no XML"],
)
def test_tags_of_snapshots_that_cannot_be_read_are_a_doubt_that_says_why(
    deployment: Deployment, effect: str, details: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployment.simulator.add_vault(Vault("Default", (snapshots(count=3, tags=PII), snapshots(count=2, index=None))))
    deployment.simulator.faults.add(effect, operation="DescribeSnapshots", **details)

    summary = reported(deployment, PII)

    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "PARTIAL")
    assert "The tags of 2 backups" in summary["inventory"]["message"]
    assert words in summary["inventory"]["message"]


def test_where_the_scope_has_no_tags_nobody_asks_ec2(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (snapshots(count=3, tags=PII), snapshots(index=None))))
    search_job = search(deployment, "EBS")

    module = deployment.function("report", INVENTORY="ON")
    deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")

    assert "DescribeSnapshots" not in calls(deployment.simulator)
    assert module._snapshots.cache_info().currsize == 0  # the client is not even made


@pytest.mark.parametrize("fault", ["broken_json", "empty_object"])
def test_an_answer_that_does_not_say_the_tags_is_a_doubt_and_none_without_tags(
    deployment: Deployment, fault: str
) -> None:
    # Given backups of S3 that were never indexed, and an AWS whose answer about their tags says nothing
    groups = (RecoveryPointGroup(count=3, tags=PII), RecoveryPointGroup(count=2, tags=PII, index=None))
    deployment.simulator.add_vault(Vault("Default", groups))
    search_job = search(deployment, BackupResourceTags=PII)
    if fault == "broken_json":
        deployment.simulator.faults.add("broken_json", operation="ListTags")
    module = deployment.function("report", INVENTORY="ON")
    if fault == "empty_object":
        vaults = module._backup_vaults()
        vaults._client.meta.events.register(
            "before-parse.backup.ListTags", lambda response_dict, **_: response_dict.update(body=b"{}")
        )

    module.handler({"searchJobIdentifier": search_job}, Context())

    summary = deployment.summary(search_job)
    assert summary
    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "PARTIAL")


def test_a_half_match_stays_a_doubt_when_the_report_is_made_again_and_the_backup_is_gone(
    deployment: Deployment,
) -> None:
    groups = (snapshots(count=3, tags=BOTH), snapshots(count=1, tags=PII, index=None, vault="b"))
    deployment.simulator.add_vault(Vault("Default", groups))
    search_job = search(deployment, "EBS", BackupResourceTags=BOTH)
    assert report(deployment, search_job)["verdict"] == "PARTIAL"

    listed = boto3.client("backup").list_recovery_points_by_backup_vault(BackupVaultName="Default")
    (arn,) = [p["RecoveryPointArn"] for p in listed["RecoveryPoints"] if "snap-b" in p["RecoveryPointArn"]]
    deployment.simulator.delete_recovery_point(arn)
    deployment.report({"searchJobIdentifier": search_job, "replay": True}, INVENTORY="ON")

    summary = deployment.summary(search_job)
    assert summary
    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "COMPLETE")
    assert "Only a new search can be COMPLETE" in summary["verdictReasons"][0]
