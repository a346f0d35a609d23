"""What an inventory cannot know, and what goes wrong with it: never COMPLETE, never many mails, always a report."""

import shutil
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.inventory.table import RecoveryPointTable
from simulators.backup_search import RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.integration.test_inventory import BUCKET, INDEXED, NEVER_INDEXED, point_arn, report, search
from tests.invocation import Context, state_change

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil has it


def with_the_inventory(deployment: Deployment) -> Any:
    """Give the report function, freshly started."""
    return deployment.function("report", INVENTORY="ON")


def backup_answers(module: Any, operation: str, change: Callable[..., None]) -> None:
    """Change what AWS Backup answers to an operation."""
    module._backup_vaults()._client.meta.events.register(f"after-call.backup.{operation}", change)


def made(deployment: Deployment, module: Any, search_job: str, context: Any = None) -> dict[str, Any]:
    """Make a report, and give its summary."""
    module.handler({"searchJobIdentifier": search_job}, context or Context())
    summary = deployment.summary(search_job)
    assert summary is not None
    return summary


@pytest.mark.parametrize("inventory", ["ON", "OFF"])
def test_a_backup_that_the_search_names_and_does_not_list_is_a_doubt(deployment: Deployment, inventory: str) -> None:
    deployment.simulator.add_vault(Vault("Default", (RecoveryPointGroup(source=BUCKET, arn=point_arn("one")),)))
    search_job = search(deployment, BackupResourceArns=[point_arn("one"), point_arn("mistyped")])

    deployment.report({"searchJobIdentifier": search_job}, INVENTORY=inventory)

    summary = deployment.summary(search_job)
    assert summary is not None
    assert summary["verdict"] == "PARTIAL"
    assert summary["verdictReasons"] == ["1 of the 2 backups that the search names is not in its list."]


@pytest.mark.parametrize(
    ("operation", "rows"),
    [("ListBackupVaults", "BackupVaultList"), ("ListRecoveryPointsByBackupVault", "RecoveryPoints")],
)
def test_an_inventory_that_found_nothing_of_what_the_search_lists_is_not_complete(
    deployment: Deployment, operation: str, rows: str
) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    backup_answers(module, operation, lambda parsed, **_: parsed.update({rows: []}))

    summary = made(deployment, module, search_job)

    assert (summary["verdict"], summary["inventory"]["status"]) == ("PARTIAL", "PARTIAL")
    assert "None of the 7 backups that the search lists was found" in summary["inventory"]["message"]


def test_listed_backups_that_are_gone_since_are_told_and_no_doubt(deployment: Deployment) -> None:
    gone = RecoveryPointGroup(source=BUCKET, arn=point_arn("gone"))
    deployment.simulator.add_vault(Vault("Default", (INDEXED, gone)))
    search_job = search(deployment)
    deployment.simulator.delete_recovery_point(point_arn("gone"))

    summary = report(deployment, search_job)

    assert (summary["verdict"], summary["inventory"]["inScope"]) == ("COMPLETE", 8)
    assert summary["inventory"]["message"].startswith("1 of the 8 backups that the search lists are in no vault")


def test_a_point_whose_source_aws_does_not_tell_counts_as_in_scope(deployment: Deployment) -> None:
    untold = RecoveryPointGroup(count=3, source=BUCKET, index=None, omit=("ResourceArn",))
    deployment.simulator.add_vault(Vault("Default", (INDEXED, untold)))

    summary = report(deployment, search(deployment, SourceResourceArns=[BUCKET]))

    assert (summary["verdict"], summary["inventory"]["notListed"]) == ("PARTIAL", 3)


def test_tags_that_go_round_in_circles_end(deployment: Deployment) -> None:
    tagged = RecoveryPointGroup(source=BUCKET, tags={"pii": "yes"}, index=None)
    deployment.simulator.add_vault(Vault("Default", (RecoveryPointGroup(source=BUCKET, tags={"pii": "yes"}), tagged)))
    search_job = search(deployment, BackupResourceTags={"pii": "yes"})
    module = with_the_inventory(deployment)
    calls: list[int] = []

    def same_token(parsed: dict[str, Any], **_: object) -> None:
        calls.append(1)
        parsed["NextToken"] = "same"

    backup_answers(module, "ListTags", same_token)

    summary = made(deployment, module, search_job)

    assert len(calls) <= 3
    assert summary["inventory"]["status"] == "PARTIAL"


def test_the_tags_of_many_are_not_asked_for_where_none_can_be_read(deployment: Deployment) -> None:
    many = RecoveryPointGroup(count=200, source=BUCKET, index=None)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, many)))
    deployment.simulator.faults.add("error", operation="ListTags", error_code="InvalidParameterValueException")
    search_job = search(deployment, BackupResourceTags={"pii": "yes"})
    deployment.simulator.clear_requests()

    summary = report(deployment, search_job)

    assert "The tags of 207 backups" in summary["inventory"]["message"]
    # Four ask side by side, so that a few more may be on their way
    assert 40 <= sum(request.operation == "ListTags" for request in deployment.simulator.requests) <= 43


def test_a_list_of_vaults_that_takes_too_long_is_cut_and_it_says_so(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED,)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    pages: list[int] = []

    def more(parsed: dict[str, Any], **_: object) -> None:
        pages.append(1)
        time.sleep(0.05)
        parsed["NextToken"] = f"token-{len(pages)}"

    client = module._backup_vaults()._client
    client.meta.events.register(
        "before-parameter-build.backup.ListBackupVaults", lambda params, **_: params.pop("NextToken", None) and None
    )
    backup_answers(module, "ListBackupVaults", more)

    summary = made(deployment, module, search_job, Context(seconds_left=3.0))

    assert len(pages) < 100
    assert "There was no time to list the vaults" in summary["inventory"]["message"]


def broken(*_: object, **__: object) -> Any:
    """Stand for a database that is broken."""
    raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("what", ["__init__", "mark_listed", "index_of", "not_listed", "points_listed", "add"])
def test_a_broken_table_costs_the_inventory_and_not_the_report(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    excluded = RecoveryPointGroup(count=500, source=BUCKET, search_status="FAILED", search_message="x")
    deployment.simulator.add_vault(Vault("Default", (INDEXED, excluded, NEVER_INDEXED)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    monkeypatch.setattr(RecoveryPointTable, what, property(broken) if what == "points_listed" else broken)

    summary = made(deployment, module, search_job)

    assert summary["inventory"]["status"] == "UNAVAILABLE"
    assert "disk I/O error" in summary["inventory"]["message"]
    assert summary["backups"]["listed"] == 507
    assert sum("the inventory is given up" in record.message for record in caplog.records) == 1


def test_a_client_that_cannot_be_made_costs_the_inventory_and_not_the_report(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    monkeypatch.setattr(module, "_backup_vaults", broken)

    assert made(deployment, module, search_job)["inventory"]["status"] == "UNAVAILABLE"


def test_the_table_takes_a_share_of_the_disk_and_gives_it_back_when_that_is_full(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = RecoveryPointGroup(count=3000, source=BUCKET, index=None)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, many)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    closed: list[bool] = []
    close = RecoveryPointTable.close

    def close_and_look(table: RecoveryPointTable) -> None:
        close(table)
        closed.append(table._file.exists())

    monkeypatch.setattr(RecoveryPointTable, "close", close_and_look)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 2_000_000))

    summary = made(deployment, module, search_job)

    assert summary["inventory"]["status"] == "UNAVAILABLE"
    assert "full" in summary["inventory"]["message"]
    assert closed == [False]


def test_a_comparison_for_which_there_is_no_time_is_cut_and_counted(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = RecoveryPointGroup(count=600, source=BUCKET, index=None)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, many)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    not_listed = RecoveryPointTable.not_listed

    def slowly(table: RecoveryPointTable) -> Any:
        for point in not_listed(table):
            time.sleep(0.01)
            yield point

    monkeypatch.setattr(RecoveryPointTable, "not_listed", slowly)

    summary = made(deployment, module, search_job, Context(seconds_left=6.0))

    inventory = summary["inventory"]
    assert inventory["status"] == "PARTIAL"
    assert 0 < inventory["notListed"] == summary["backups"]["excluded"] < 600
    assert f"no time to name {600 - inventory['notListed']} more backups" in inventory["message"]
    assert inventory["inScope"] == 607


def test_people_are_told_once_though_each_attempt_finds_something_else_in_the_vaults(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = RecoveryPointGroup(source=BUCKET, search_status="FAILED", search_message="x")
    points = [RecoveryPointGroup(source=BUCKET, index=None, arn=point_arn(f"p{number}")) for number in range(5)]
    deployment.simulator.add_vault(Vault("Default", (INDEXED, failed, *points)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)

    def refuse(*_: object) -> None:
        raise AwsCallFailed("S3 does not take summary.json")

    monkeypatch.setattr(type(module.report_search_job.bucket), "put_summary", refuse)
    for number in range(5):
        with pytest.raises(AwsCallFailed):
            module.handler(state_change(search_job), Context())
        deployment.simulator.delete_recovery_point(point_arn(f"p{number}"))

    assert len(deployment.messages(deployment.people)) == 1


def test_a_source_that_cannot_be_read_is_not_a_vault_that_was_and_the_scope_is_at_least_what_is_known(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    deployment.simulator.faults.add(
        "error",
        operation="ListRecoveryPointsByBackupVault",
        error_code="InvalidParameterValueException",
        where={"ByResourceArn": BUCKET},
    )
    search_job = search(deployment, SourceResourceArns=[BUCKET])

    summary = report(deployment, search_job)

    assert (summary["inventory"]["vaults"], summary["inventory"]["inScope"]) == (0, 7)
    (page,) = [key for key in deployment.stored() if key.endswith("report.html")]
    assert "In scope at least 7 · listed 7 · searched 7" in deployment.read(page).decode()


def test_when_details_of_many_are_missing_it_says_so_also_after_another_note(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search_coverage.inventory.details._CALLS_AT_MOST", 100)
    cold = RecoveryPointGroup(
        count=150, source=BUCKET, index=None, storage_class="COLD", move_to_cold_storage_at=timedelta(1)
    )
    deployment.simulator.add_vault(Vault("Default", (INDEXED, cold)))
    deployment.simulator.faults.add(
        "error", operation="DescribeRecoveryPoint", error_code="InvalidParameterValueException", times=1
    )

    summary = report(deployment, search(deployment, SourceResourceArns=[BUCKET]))

    assert "of 50 backups that the search does not list were not looked up" in summary["inventory"]["message"]
    assert "DescribeRecoveryPoint answered" in summary["inventory"]["message"]
    assert summary["inventory"]["notListed"] == 150


def test_what_is_planned_for_cold_storage_is_cold_only_if_aws_says_so(deployment: Deployment) -> None:
    planned = RecoveryPointGroup(
        source=BUCKET, index=None, move_to_cold_storage_at=timedelta(hours=2), arn=point_arn("planned")
    )
    deployment.simulator.add_vault(Vault("Default", (INDEXED, planned)))
    search_job = search(deployment)
    module = with_the_inventory(deployment)
    backup_answers(module, "DescribeRecoveryPoint", lambda parsed, **_: parsed.update(StorageClass="WARM"))

    assert made(deployment, module, search_job)["excludedByReason"] == {"INDEX_MISSING": 1}


def test_what_was_still_being_made_when_the_search_started_is_left_out_if_aws_says_so(deployment: Deployment) -> None:
    deployment.simulator.add_vault(Vault("Default", (INDEXED, NEVER_INDEXED)))
    search_job, another = search(deployment), search(deployment)
    module = with_the_inventory(deployment)
    later = deployment.simulator.account.clock() + timedelta(days=1)

    def completed_later(parsed: dict[str, Any], **_: object) -> None:
        for row in parsed["RecoveryPoints"]:
            row["CompletionDate"] = later.timestamp()

    # Of a list's date nobody is sure what it means
    backup_answers(module, "ListRecoveryPointsByBackupVault", completed_later)
    assert made(deployment, module, search_job)["inventory"]["notListed"] == 3
    # Of a description's there is no doubt
    backup_answers(module, "DescribeRecoveryPoint", lambda parsed, **_: parsed.update(CompletionDate=later))
    summary = made(deployment, module, another)
    assert (summary["verdict"], summary["inventory"]["notListed"]) == ("COMPLETE", 0)
