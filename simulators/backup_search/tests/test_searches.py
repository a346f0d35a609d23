"""What the backup simulator promises of searches and vaults together: one data set is behind both services."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from simulators.backup_search import (
    AIR_GAPPED_VAULT,
    BackupGroup,
    BackupSimulator,
    RecoveryPointGroup,
    Scenario,
    Scope,
    Vault,
    load_scenarios,
    read_scenario,
)
from simulators.backup_search.tests.asking import request

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient
    from mypy_boto3_backupsearch import BackupSearchClient

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/indexer"
DEMO = Path(__file__).parents[3] / "demo" / "scenarios"


@dataclass
class Sandbox:
    """A running simulator with a clock that stands still, and a client of each service."""

    simulator: BackupSimulator
    search: BackupSearchClient
    backup: BackupClient

    def start(self, name: str | None = None, resource_type: str = "S3", **scope: Any) -> str:
        params: dict[str, Any] = {} if name is None else {"Name": name}
        whole: Any = {"BackupResourceTypes": [resource_type], **scope}
        return self.search.start_search_job(SearchScope=whole, **params)["SearchJobIdentifier"]

    def rows(self, identifier: str) -> list[dict[str, Any]]:
        pages = self.search.get_paginator("list_search_job_backups").paginate(SearchJobIdentifier=identifier)
        return [dict(row) for page in pages for row in page["Results"]]

    def found(self, **scope: Any) -> list[str]:
        """Starts a search that ends at once; returns the last words of the ARNs that it lists."""
        return [row["BackupResourceArn"].rpartition(":")[2] for row in self.rows(self.start(**scope))]

    def points(self) -> list[dict[str, Any]]:
        """Returns all recovery points of all vaults."""
        vaults = self.backup.list_backup_vaults()["BackupVaultList"]
        paginator = self.backup.get_paginator("list_recovery_points_by_backup_vault")
        pages = [page for vault in vaults for page in paginator.paginate(BackupVaultName=vault["BackupVaultName"])]
        return [dict(point) for page in pages for point in page["RecoveryPoints"]]

    def tags(self, arn: str) -> dict[str, str]:
        """Returns the tags of a recovery point; none where AWS Backup does not list them."""
        return dict(self.backup.list_tags(ResourceArn=arn)["Tags"]) if arn.startswith("arn:aws:backup:") else {}

    def not_listed(self, identifier: str) -> list[str | None]:
        """Returns the index status of each recovery point that is in a job's scope, but not in its list."""
        job = self.search.get_search_job(SearchJobIdentifier=identifier)
        scope: Any = job["SearchScope"]
        window = scope.get("BackupResourceCreationTime", {})
        listed = {row.get("BackupResourceArn") for row in self.rows(identifier)}
        return [
            point.get("IndexStatus")
            for point in self.points()
            if point["ResourceType"] in scope["BackupResourceTypes"]
            and window.get("CreatedAfter", NOW - timedelta(days=9999)) <= point["CreationDate"]
            and point["CreationDate"] <= window.get("CreatedBefore", job["CreationTime"])
            and point["ResourceArn"] in scope.get("SourceResourceArns", [point["ResourceArn"]])
            and point["RecoveryPointArn"] not in listed
            and scope.get("BackupResourceTags", {}).items() <= self.tags(point["RecoveryPointArn"]).items()
        ]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with BackupSimulator(clock=lambda: NOW, enforce_quotas=False) as simulator:
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        url = simulator.endpoint_url
        search = boto3.client("backupsearch", region_name="us-east-1", endpoint_url=url, config=config)
        backup = boto3.client("backup", region_name="us-east-1", endpoint_url=url, config=config)
        yield Sandbox(simulator, search, backup)
        search.close()
        backup.close()


def named(name: str, **attributes: Any) -> RecoveryPointGroup:
    return RecoveryPointGroup(arn=f"arn:aws:backup:us-east-1:000000000000:recovery-point:{name}", **attributes)


def test_a_search_leaves_out_what_was_never_indexed_until_it_is_indexed(sandbox: Sandbox) -> None:
    # Given
    groups = (named("indexed-{i}", count=7), named("not-{i:02}", count=3, index=None))
    sandbox.simulator.add_vault(Vault("daily", groups))

    # When
    first = sandbox.start("find it")
    for point in sandbox.points():
        if "IndexStatus" not in point:
            sandbox.backup.update_recovery_point_index_settings(
                BackupVaultName=point["BackupVaultName"],
                RecoveryPointArn=point["RecoveryPointArn"],
                Index="ENABLED",
                IamRoleArn=point["IamRoleArn"],
            )
    pending = sandbox.start("find it")
    sandbox.simulator.move_clock(timedelta(seconds=5))
    last = sandbox.start("find it")

    # Then
    assert [row["Status"] for row in sandbox.rows(first)] == ["COMPLETED"] * 7
    assert [row.get("StatusMessage") for row in sandbox.rows(pending)][7:] == [
        "The backup index is in status PENDING."
    ] * 3
    assert [row["Status"] for row in sandbox.rows(last)] == ["COMPLETED"] * 10
    assert not any("StatusMessage" in row for row in sandbox.rows(last))
    assert [sandbox.not_listed(identifier) for identifier in (first, last)] == [["ACTIVE"] * 3, []]
    job: dict[str, Any] = dict(sandbox.search.get_search_job(SearchJobIdentifier=last))
    assert job["Status"] == "COMPLETED"
    assert "StatusMessage" not in job
    assert job["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 10


def test_an_index_that_is_not_active_is_listed_with_its_status(sandbox: Sandbox) -> None:
    # Given
    groups = (
        named("failed", index="FAILED", index_message="The role may not read it."),
        named("pending", index="PENDING"),
        named("deleting", index="DELETING"),
        named("denied", search_status="FAILED", search_message="Access denied."),
    )
    sandbox.simulator.add_vault(Vault("daily", groups))

    # When
    identifier = sandbox.start()

    # Then
    assert [(row["Status"], row["StatusMessage"]) for row in sandbox.rows(identifier)] == [
        ("FAILED", "The role may not read it."),
        ("FAILED", "The backup index is in status PENDING."),
        ("FAILED", "The backup index is in status DELETING."),
        ("FAILED", "Access denied."),
    ]
    job = sandbox.search.get_search_job(SearchJobIdentifier=identifier)
    assert (job["Status"], job["StatusMessage"]) == (
        "COMPLETED",
        "The search contained recovery points that could not be scanned.",
    )


def test_air_gapped_cold_and_unfinished_backups_are_never_searched(sandbox: Sandbox) -> None:
    # Given
    hour = timedelta(hours=1)
    groups = (
        named("cold", storage_class="COLD"),
        named("frozen", move_to_cold_storage_at=hour),
        named("creating", status="CREATING"),
        named("unfinished", completed=NOW + hour),
        named("tomorrow", created=NOW + hour),
        named("warm", move_to_cold_storage_at=NOW + hour),
    )
    sandbox.simulator.add_vault(Vault("daily", groups))
    sandbox.simulator.add_vault(Vault("island", (named("far"),), AIR_GAPPED_VAULT))

    # Then
    assert sandbox.found() == ["warm"]


def test_each_part_of_the_scope_narrows_the_search_and_so_do_all_together(sandbox: Sandbox) -> None:
    # Given
    def at(hours: int, **attributes: Any) -> RecoveryPointGroup:
        return named(f"{hours}h-{{i}}", count=2, created=timedelta(hours=hours), **attributes)

    groups = (
        at(1, source="arn:aws:s3:::a", tags={"team": "finance", "stage": "prod"}),
        at(2, source="arn:aws:s3:::b-{i}", tags={"team": "finance"}),
        at(3, source="arn:aws:s3:::a", tags={"team": "law"}),
        RecoveryPointGroup(resource_type="EBS", arn="arn:aws:ec2:us-east-1::snapshot/snap-{i:017x}"),
    )
    sandbox.simulator.add_vault(Vault("daily", groups))
    prefix = "arn:aws:backup:us-east-1:000000000000:recovery-point"
    hours_ago = {hours: NOW - timedelta(hours=hours) for hours in (1, 2, 3)}
    window = {"CreatedAfter": hours_ago[2], "CreatedBefore": hours_ago[1]}

    # Then: the bounds of the window are part of it
    everything = ["1h-1", "1h-2", "2h-3", "2h-4", "3h-5", "3h-6"]
    assert sandbox.found() == everything
    assert sandbox.found(resource_type="EBS") == ["snapshot/snap-00000000000000007"]
    assert sandbox.found(BackupResourceCreationTime={"CreatedAfter": hours_ago[2]}) == everything[:4]
    assert sandbox.found(BackupResourceCreationTime={"CreatedBefore": hours_ago[2]}) == everything[2:]
    assert sandbox.found(SourceResourceArns=["arn:aws:s3:::a", "arn:aws:s3:::b-4"]) == ["1h-1", "1h-2", *everything[3:]]
    assert sandbox.found(BackupResourceArns=[f"{prefix}:{name}" for name in ("3h-5", "2h-3", "2h-5")]) == [
        "2h-3",
        "3h-5",
    ]
    assert sandbox.found(BackupResourceTags={"team": "finance"}) == everything[:4]
    assert sandbox.found(BackupResourceTags={"team": "finance", "stage": "prod"}) == everything[:2]
    assert sandbox.found(
        BackupResourceCreationTime=window,
        SourceResourceArns=["arn:aws:s3:::a", "arn:aws:s3:::b-3"],
        BackupResourceArns=[f"{prefix}:{name}" for name in ("1h-1", "2h-3", "2h-4", "3h-5")],
        BackupResourceTags={"team": "finance"},
    ) == ["1h-1", "2h-3"]


def test_copies_in_several_vaults_are_several_backups(sandbox: Sandbox) -> None:
    # Given
    for vault in ("here", "there"):
        sandbox.simulator.add_vault(Vault(vault, (RecoveryPointGroup(count=2, source="arn:aws:s3:::a"),)))

    # Then
    assert len(set(sandbox.found(SourceResourceArns=["arn:aws:s3:::a"]))) == 4


def test_a_search_is_of_the_time_at_which_it_was_created(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (named("{i}", count=3),)))
    identifier = sandbox.start()

    # When
    sandbox.simulator.delete_recovery_point("arn:aws:backup:us-east-1:000000000000:recovery-point:2")
    sandbox.simulator.add_recovery_points("daily", named("new"))

    # Then
    assert len(sandbox.rows(identifier)) == 3
    assert sandbox.found() == ["1", "3", "new"]


def test_a_search_with_nothing_in_its_scope_fails_at_once(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (RecoveryPointGroup(count=3, index=None),)))

    # When
    identifier = sandbox.start("anything")

    # Then
    assert sandbox.search.get_search_job(SearchJobIdentifier=identifier)["Status"] == "FAILED"
    assert sandbox.rows(identifier) == []


@pytest.mark.parametrize(("enforce_quotas", "listed"), [(True, 20), (False, 25)])
def test_a_search_can_be_made_to_take_only_so_many_recovery_points(enforce_quotas: bool, listed: int) -> None:
    # Given
    body = json.dumps({"SearchScope": {"BackupResourceTypes": ["S3"]}}).encode()
    with BackupSimulator(enforce_quotas=enforce_quotas, recovery_points_per_search_job=20) as simulator:
        simulator.add_vault(Vault("daily", (RecoveryPointGroup(count=15), RecoveryPointGroup(count=10))))

        # When
        identifier = json.loads(simulator.answer(request("PUT", "/search-jobs", body=body)).body)["SearchJobIdentifier"]
        page = json.loads(simulator.answer(request("GET", f"/search-jobs/{identifier}/backups")).body)

    # Then
    assert len(page["Results"]) == listed


def test_a_search_of_a_million_recovery_points_lists_page_by_page(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("huge", (RecoveryPointGroup(count=1_000_000),)))

    # When
    identifier = sandbox.start()
    page = sandbox.search.list_search_job_backups(SearchJobIdentifier=identifier)

    # Then
    job = sandbox.search.get_search_job(SearchJobIdentifier=identifier)
    assert job["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 1_000_000
    assert len(page["Results"]) == 1000


def test_a_scenario_with_vaults_and_no_backups_searches_the_vaults(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_scenario(
        read_scenario(
            """
            name: audit
            runs_for: 60
            scope: {source_arns: ["arn:aws:s3:::ledger"]}
            vaults:
              - name: daily
                recovery_points:
                  - {count: 7, source: "arn:aws:s3:::ledger"}
                  - {count: 3, source: "arn:aws:s3:::ledger", index: NONE, created: 2 days ago}
                  - {count: 9, source: "arn:aws:s3:::other"}
            """,
            origin="test.yaml",
        )
    )

    # When
    scope: Any = sandbox.simulator.search_scope("audit")
    identifier = sandbox.search.start_search_job(Name="audit", SearchScope=scope)["SearchJobIdentifier"]
    running = sandbox.search.get_search_job(SearchJobIdentifier=identifier)["Status"]
    sandbox.simulator.move_clock(timedelta(seconds=60))

    # Then
    assert running == "RUNNING"
    assert [row["Status"] for row in sandbox.rows(identifier)] == ["COMPLETED"] * 7
    assert sandbox.not_listed(identifier) == [None] * 3
    assert len(sandbox.rows(sandbox.simulator.finish_job("audit"))) == 7


SCENARIOS = {
    "few": Scenario("few", (BackupGroup(count=3),)),
    "mixed": Scenario(
        "mixed",
        (
            BackupGroup(count=2, created=timedelta(days=5)),
            BackupGroup(status="FAILED", status_message="Access denied."),
            BackupGroup(count=4, source="arn:aws:s3:::one-bucket", created=timedelta(days=2)),
        ),
    ),
    "many": Scenario("many", (BackupGroup(count=2500), BackupGroup(count=30, created=timedelta(days=2)))),
    "snapshots": Scenario("snapshots", (BackupGroup(count=60),), resource_type="EBS"),
    "none": Scenario("none", end_status="FAILED"),
    "same ARN": Scenario("same ARN", (BackupGroup(count=3, backup_arn="arn:aws:backup:::recovery-point:x"),)),
    "anonymous": Scenario("anonymous", (BackupGroup(), BackupGroup(count=4, omit=("BackupResourceArn",)))),
}


def test_the_vaults_hold_what_a_scenario_lists_and_its_scope_means_just_that(sandbox: Sandbox) -> None:
    # Given: several jobs of several scenarios in one account
    jobs = [
        (name, sandbox.simulator.finish_job(scenario, ended_ago=timedelta(hours=hours)))
        for hours, (name, scenario) in enumerate([*SCENARIOS.items(), *SCENARIOS.items()])
    ]

    # Then
    points = {point["RecoveryPointArn"]: point for point in sandbox.points()}
    for name, identifier in jobs:
        assert sandbox.not_listed(identifier) == [], name
        listed = [row["BackupResourceArn"] for row in sandbox.rows(identifier) if "BackupResourceArn" in row]
        assert {arn for arn in listed if arn not in points} == set(), name
    assert len(points) == 3 + 7 + 2530 + 60 + 0 + 1 + 1


@pytest.mark.parametrize(
    ("group", "status"),
    [
        (BackupGroup(), "ACTIVE"),
        (BackupGroup(status="FAILED", status_message="Access denied."), "ACTIVE"),
        (BackupGroup(status="FAILED", status_message="The backup index is in status PENDING."), "PENDING"),
        (BackupGroup(status="FAILED", status_message="Index creation failed."), "FAILED"),
        (BackupGroup(status="FAILED", status_message="The index is being deleted."), "DELETING"),
        (BackupGroup(status="FAILED", status_message="The backup has no index."), None),
        (BackupGroup(listed=False), None),
        (BackupGroup(listed=False, index="PENDING"), "PENDING"),
        (BackupGroup(index="NONE"), None),
    ],
)
def test_the_index_in_the_vault_fits_the_row(sandbox: Sandbox, group: BackupGroup, status: str | None) -> None:
    # When
    sandbox.simulator.finish_job(Scenario("one", (group,)))

    # Then
    (point,) = sandbox.points()
    assert point.get("IndexStatus") == status
    assert point["BackupVaultName"] == "Default"


def test_backups_that_are_not_listed_are_in_scope_and_in_the_vault_only(sandbox: Sandbox) -> None:
    # Given
    text = """
        name: partly
        backups:
          - {count: 7, source: "arn:aws:s3:::b-{i}", vault: nightly}
          - {count: 3, source: "arn:aws:s3:::b-{i}", vault: nightly, listed: false}
          - {count: 1, source: "arn:aws:s3:::b-{i}", vault: nightly}
    """

    # When
    identifier = sandbox.simulator.finish_job(read_scenario(text, origin="test.yaml"))

    # Then
    assert [row["SourceResourceArn"][-1] for row in sandbox.rows(identifier)] == list("12345678")
    assert sandbox.not_listed(identifier) == [None] * 3
    assert {point["BackupVaultName"] for point in sandbox.points()} == {"nightly"}
    job = sandbox.search.get_search_job(SearchJobIdentifier=identifier)
    assert job["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 8


def test_the_vaults_of_a_scenario_of_a_million_backups_are_not_made_before_they_are_read(sandbox: Sandbox) -> None:
    # When
    sandbox.simulator.finish_job(Scenario("huge", (BackupGroup(count=1_000_000),)))
    page = sandbox.backup.list_recovery_points_by_backup_vault(BackupVaultName="Default")

    # Then
    (vault,) = sandbox.backup.list_backup_vaults()["BackupVaultList"]
    assert vault["NumberOfRecoveryPoints"] == 1_000_000
    assert len(page["RecoveryPoints"]) == 1000


def test_a_scope_is_what_the_scenario_says(sandbox: Sandbox) -> None:
    # Given
    scope = Scope(
        created_after=timedelta(days=30),
        source_arns=("arn:aws:ec2:{region}:{account}:volume/vol-1",),
        backup_arns=("arn:aws:ec2:{region}::snapshot/snap-1",),
        tags={"team": "law"},
    )
    scenario = Scenario("narrow", (BackupGroup(),), resource_type="EBS", scope=scope)

    # When
    identifier = sandbox.simulator.finish_job(scenario)

    # Then
    assert sandbox.search.get_search_job(SearchJobIdentifier=identifier)["SearchScope"] == {
        "BackupResourceTypes": ["EBS"],
        "BackupResourceCreationTime": {"CreatedAfter": NOW - timedelta(days=30)},
        "SourceResourceArns": ["arn:aws:ec2:us-east-1:000000000000:volume/vol-1"],
        "BackupResourceArns": ["arn:aws:ec2:us-east-1::snapshot/snap-1"],
        "BackupResourceTags": {"team": "law"},
    }


def test_no_scenario_of_the_demo_has_backups_in_the_scope_of_another_one(sandbox: Sandbox) -> None:
    # Given
    scenarios = load_scenarios(DEMO)
    for scenario in scenarios:
        sandbox.simulator.add_scenario(scenario)

    # When: all of them are started as the demo does it
    jobs = {}
    for scenario in scenarios:
        scope: Any = sandbox.simulator.search_scope(scenario)
        jobs[scenario.name] = sandbox.search.start_search_job(Name=scenario.name, SearchScope=scope)
    sandbox.simulator.move_clock(timedelta(hours=1))

    # Then
    counts = {name: len(sandbox.not_listed(job["SearchJobIdentifier"])) for name, job in jobs.items()}
    assert {name: count for name, count in counts.items() if count} == {"no-index-anywhere": 6, "quarterly-audit": 3}
