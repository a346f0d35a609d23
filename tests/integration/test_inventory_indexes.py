"""What the indexes of searched backups hold, and what no search can reach: told, bounded, and never in the way."""

from datetime import timedelta
from typing import Any

import pytest

from simulators.backup_search import RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.integration.test_inventory import BUCKET, calls, point_arn, report, search

DETAILS = "GetRecoveryPointIndexDetails"


def backup(end: str, days: int, items: int | None, **changes: Any) -> RecoveryPointGroup:
    """Give a backup of so many days ago, with so many items in its index."""
    return RecoveryPointGroup(
        **{
            "arn": point_arn(end),
            "source": BUCKET,
            "created": timedelta(days=days),
            "items_indexed": items,
            **changes,
        }
    )


def searched(deployment: Deployment, *groups: RecoveryPointGroup) -> dict[str, Any]:
    """Search what a vault holds, and give the summary of the report."""
    deployment.simulator.add_vault(Vault("Default", groups))
    search_job = search(deployment)
    deployment.simulator.clear_requests()
    return report(deployment, search_job)


def test_an_index_without_any_item_keeps_a_search_from_complete_and_is_named(deployment: Deployment) -> None:
    summary = searched(deployment, backup("empty", 1, 0))

    assert summary["verdict"] == "PARTIAL"
    assert summary["verdictReasons"] == [
        f"A backup of {BUCKET} was searched, but its index holds nothing ({point_arn('empty')})."
    ]
    assert summary["backups"] == {"listed": 1, "searched": 1, "excluded": 0, "failed": 0}
    assert summary["inventory"]["status"] == "COMPLETE"
    assert summary["inventory"]["thinIndexes"] == [
        {
            "backupArn": point_arn("empty"),
            "sourceResourceArn": BUCKET,
            "vault": "Default",
            "items": 0,
            "previousBackupArn": None,
            "previousItems": None,
        }
    ]


def test_a_fall_of_more_than_half_against_the_backup_before_is_a_doubt_with_both_figures(
    deployment: Deployment,
) -> None:
    older, newer = backup("older", 9, 50, index="ACTIVE"), backup("before", 5, 20_000)

    summary = searched(deployment, older, newer, backup("thin", 1, 9_999))

    assert summary["verdict"] == "PARTIAL"
    (reason,) = summary["verdictReasons"]
    assert reason == (
        f"A backup of {BUCKET} was searched, but its index holds 9,999 items; "
        f"that of the backup before it holds 20,000 ({point_arn('thin')})."
    )
    (thin,) = summary["inventory"]["thinIndexes"]
    assert (thin["previousBackupArn"], thin["previousItems"]) == (point_arn("before"), 20_000)
    assert calls(deployment.simulator).count(DETAILS) == 3


@pytest.mark.parametrize(
    "others",
    [
        (backup("before", 5, 2_000),),
        (backup("of-another", 5, 900_000, source="arn:aws:s3:::other"),),
        (backup("later", 0, 900_000, created=timedelta(hours=1)),),
    ],
    ids=["half", "another source", "a later backup"],
)
def test_a_fall_by_half_or_against_anything_else_is_no_doubt(
    deployment: Deployment, others: tuple[RecoveryPointGroup, ...]
) -> None:
    summary = searched(deployment, backup("fine", 1, 1_000), *others)

    assert (summary["verdict"], summary["inventory"]["message"]) == ("COMPLETE", None)


def test_a_backup_that_was_not_searched_is_excluded_and_not_called_thin(deployment: Deployment) -> None:
    summary = searched(deployment, backup("failed", 1, 0, search_status="FAILED"), backup("fine", 2, 10))

    assert summary["inventory"]["thinIndexes"] == []
    assert calls(deployment.simulator).count(DETAILS) == 1


def test_of_many_thin_indexes_the_first_are_named_and_all_are_counted(deployment: Deployment) -> None:
    summary = searched(deployment, backup("empty-{i}", 1, 0, count=5))

    *named, rest = summary["verdictReasons"]
    assert [point_arn(f"empty-{number}") in reason for number, reason in enumerate(named, 1)] == [True] * 3
    assert rest == (
        "2 more backups that were searched have an index that holds nothing, or less than half of the one before it."
    )
    assert len(summary["inventory"]["thinIndexes"]) == 5


@pytest.mark.parametrize(
    ("sources", "message"), [(20, None), (21, "How much the index holds is known of 20 of the 21 backups")]
)
def test_the_twenty_backups_of_a_search_are_looked_up_with_the_ones_before_them_and_no_more(
    deployment: Deployment, sources: int, message: str | None
) -> None:
    groups = [
        group
        for number in range(sources)
        for group in (
            backup(f"a-{number}", 1, 100, source=f"arn:aws:s3:::{number}"),
            backup(f"b-{number}", 2, 100, source=f"arn:aws:s3:::{number}", search_status="FAILED"),
        )
    ]

    summary = searched(deployment, *groups)

    assert calls(deployment.simulator).count(DETAILS) == 40
    said = summary["inventory"]["message"]
    assert said is None if message is None else said.startswith(message)


def test_more_than_forty_lookups_are_not_made_and_it_says_so(deployment: Deployment) -> None:
    summary = searched(deployment, backup("{i}", 1, 100, count=50))

    assert calls(deployment.simulator).count(DETAILS) == 40
    assert summary["verdict"] == "COMPLETE"
    assert summary["inventory"]["message"] == (
        "How much the index holds is known of 40 of the 50 backups that were searched "
        "(at most 40 indexes are looked up)."
    )


@pytest.mark.parametrize("error", ["AccessDeniedException", "ServiceUnavailableException"])
def test_an_index_that_cannot_be_looked_up_costs_neither_report_nor_verdict_and_is_said(
    deployment: Deployment, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployment.simulator.faults.add(
        "error", operation=DETAILS, error_code=error, where={"RecoveryPointArn": point_arn("denied")}
    )

    summary = searched(deployment, backup("denied", 1, 100), backup("fine", 2, 100))

    assert (summary["verdict"], summary["inventory"]["status"]) == ("COMPLETE", "COMPLETE")
    message = summary["inventory"]["message"]
    assert f"Reading the index of recovery point {point_arn('denied')} failed" in message
    assert error in message
    assert "known of 1 of the 2 backups" in message


def test_where_no_index_can_be_looked_up_it_says_so_once_and_why(deployment: Deployment) -> None:
    deployment.simulator.faults.add("error", operation=DETAILS, error_code="AccessDeniedException")

    summary = searched(deployment, backup("{i}", 1, 100, count=20))

    assert summary["verdict"] == "COMPLETE"
    assert "known of 0 of the 20 backups" in summary["inventory"]["message"]
    assert summary["inventory"]["message"].count("AccessDeniedException") == 1


def test_a_number_that_aws_does_not_tell_is_not_taken_for_none(deployment: Deployment) -> None:
    summary = searched(deployment, backup("untold", 1, None))

    assert summary["verdict"] == "COMPLETE"
    assert "known of 0 of the 1 backups" in summary["inventory"]["message"]


INSTANCE = RecoveryPointGroup(resource_type="EC2", index=None)
VOLUME = RecoveryPointGroup(resource_type="EBS")


def test_backups_of_instances_in_the_window_of_a_search_for_ebs_are_counted_by_vault(deployment: Deployment) -> None:
    def instances(count: int, days: int, **changes: Any) -> RecoveryPointGroup:
        return RecoveryPointGroup(
            **{"resource_type": "EC2", "index": None, "count": count, "created": timedelta(days=days), **changes}
        )

    groups = (VOLUME, instances(5, 3), instances(2, 30), instances(1, 3, status="DELETING"))
    deployment.simulator.add_vault(Vault("Default", groups))
    deployment.simulator.add_vault(Vault("Empty"))
    deployment.simulator.add_vault(Vault("Other", (instances(1, 3),)))
    week = {"CreatedAfter": deployment.simulator.account.clock() - timedelta(days=7)}
    search_job = search(deployment, "EBS", BackupResourceCreationTime=week)
    deployment.simulator.add_recovery_points("Other", instances(1, 0))

    summary = report(deployment, search_job)

    default, other = summary["inventory"]["notSearchable"]
    assert (default["vault"], default["backups"], len(default["examples"])) == ("Default", 5, 3)
    assert (other["vault"], other["backups"], len(other["examples"])) == ("Other", 1, 1)
    assert all(":image/ami-" in arn for arn in default["examples"])
    assert (summary["verdict"], summary["backups"]["excluded"]) == ("COMPLETE", 0)


def test_a_search_for_s3_counts_no_instances(deployment: Deployment) -> None:
    summary = searched(deployment, backup("one", 1, 100), INSTANCE)

    assert summary["inventory"]["notSearchable"] == []
    assert calls(deployment.simulator).count("ListRecoveryPointsByBackupVault") == 1


def test_instances_that_cannot_be_counted_are_said_and_change_no_verdict(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployment.simulator.add_vault(Vault("Default", (VOLUME, INSTANCE)))
    deployment.simulator.faults.add(
        "error",
        operation="ListRecoveryPointsByBackupVault",
        error_code="ServiceUnavailableException",
        where={"ByResourceType": "EC2"},
    )

    summary = report(deployment, search(deployment, "EBS"))

    assert (summary["verdict"], summary["inventory"]["notSearchable"]) == ("COMPLETE", [])
    assert "The backups of EC2 instances in 1 vault could not be counted" in summary["inventory"]["message"]
