"""One data set is behind both services: searches find what the vaults hold, vaults hold what scenarios list."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

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
from simulators.backup_search.tests.conftest import NOW, POINT, Sandbox, ask, last_words, named

DEMO = Path(__file__).parents[3] / "demo" / "scenarios"
HOUR = timedelta(hours=1)


def add(sandbox: Sandbox, *groups: RecoveryPointGroup, vault: str = "daily", **attributes: Any) -> None:
    sandbox.simulator.add_vault(Vault(vault, groups, **attributes))


def found(sandbox: Sandbox, **scope: Any) -> list[str]:
    """Start a search that ends at once; return the last words of the ARNs that it lists."""
    return last_words(sandbox.rows(sandbox.start(**scope)))


def not_listed(sandbox: Sandbox, identifier: str) -> list[str | None]:
    """Return the index status of each recovery point that is in a job's scope, but not in its list."""
    job = sandbox.job(identifier)
    scope = job["SearchScope"]
    window = scope.get("BackupResourceCreationTime", {})
    listed = {row.get("BackupResourceArn") for row in sandbox.rows(identifier)}

    def tags(arn: str) -> Any:
        is_managed = arn.startswith("arn:aws:backup:")  # AWS Backup lists no other tags
        return sandbox.backup.list_tags(ResourceArn=arn)["Tags"].items() if is_managed else {}.items()

    return [
        point.get("IndexStatus")
        for point in sandbox.points()
        if point["ResourceType"] in scope["BackupResourceTypes"]
        and window.get("CreatedAfter", NOW - timedelta(days=9999)) <= point["CreationDate"]
        and point["CreationDate"] <= window.get("CreatedBefore", job["CreationTime"])
        and point["ResourceArn"] in scope.get("SourceResourceArns", [point["ResourceArn"]])
        and point["RecoveryPointArn"] not in listed
        and scope.get("BackupResourceTags", {}).items() <= tags(point["RecoveryPointArn"])
    ]


def test_a_search_leaves_out_what_was_never_indexed_until_it_is_indexed(sandbox: Sandbox) -> None:
    add(sandbox, named("indexed-{i}", count=7), named("not-{i:02}", count=3, index=None))

    first = sandbox.start("find it")
    for point in sandbox.points():
        if "IndexStatus" not in point:
            sandbox.index(point["BackupVaultName"], point["RecoveryPointArn"], "ENABLED")
    pending = sandbox.start("find it")
    sandbox.move(seconds=5)
    last = sandbox.start("find it")

    assert [row["Status"] for row in sandbox.rows(first)] == ["COMPLETED"] * 7
    messages = [row.get("StatusMessage") for row in sandbox.rows(pending)]
    assert messages == [None] * 7 + ["The backup index is in status PENDING."] * 3
    assert [(row["Status"], row.get("StatusMessage")) for row in sandbox.rows(last)] == [("COMPLETED", None)] * 10
    assert [not_listed(sandbox, identifier) for identifier in (first, last)] == [["ACTIVE"] * 3, []]
    job = sandbox.job(last)
    assert (job["Status"], job.get("StatusMessage")) == ("COMPLETED", None)
    assert job["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 10


def test_an_index_that_is_not_active_is_listed_with_its_status(sandbox: Sandbox) -> None:
    add(
        sandbox,
        named("failed", index="FAILED", index_message="The role may not read it."),
        named("pending", index="PENDING"),
        named("deleting", index="DELETING"),
        named("denied", search_status="FAILED", search_message="Access denied."),
    )

    identifier = sandbox.start()

    assert [(row["Status"], row["StatusMessage"]) for row in sandbox.rows(identifier)] == [
        ("FAILED", "The role may not read it."),
        ("FAILED", "The backup index is in status PENDING."),
        ("FAILED", "The backup index is in status DELETING."),
        ("FAILED", "Access denied."),
    ]
    job = sandbox.job(identifier)
    not_all = "The search contained recovery points that could not be scanned."
    assert (job["Status"], job["StatusMessage"]) == ("COMPLETED", not_all)


def test_air_gapped_cold_and_unfinished_backups_are_never_searched(sandbox: Sandbox) -> None:
    add(
        sandbox,
        named("cold", storage_class="COLD"),
        named("frozen", move_to_cold_storage_at=HOUR),
        named("creating", status="CREATING"),
        named("unfinished", completed=NOW + HOUR),
        named("tomorrow", created=NOW + HOUR),
        named("warm", move_to_cold_storage_at=NOW + HOUR),
    )
    add(sandbox, named("far"), vault="island", type=AIR_GAPPED_VAULT)

    assert found(sandbox) == ["warm"]


def test_each_part_of_the_scope_narrows_the_search_and_so_do_all_together(sandbox: Sandbox) -> None:
    def at(hours: int, **attributes: Any) -> RecoveryPointGroup:
        return named(f"{hours}h-{{i}}", count=2, created=timedelta(hours=hours), **attributes)

    add(
        sandbox,
        at(1, source="arn:aws:s3:::a", tags={"team": "finance", "stage": "prod"}),
        at(2, source="arn:aws:s3:::b-{i}", tags={"team": "finance"}),
        at(3, source="arn:aws:s3:::a", tags={"team": "law"}),
        RecoveryPointGroup(resource_type="EBS", arn="arn:aws:ec2:us-east-1::snapshot/snap-{i:017x}"),
    )
    everything = ["1h-1", "1h-2", "2h-3", "2h-4", "3h-5", "3h-6"]

    # The bounds of the window are part of it
    def arns(*names: str) -> list[str]:
        return [f"{POINT}:{name}" for name in names]

    all_together = {
        "BackupResourceCreationTime": {"CreatedAfter": NOW - 2 * HOUR, "CreatedBefore": NOW - HOUR},
        "SourceResourceArns": ["arn:aws:s3:::a", "arn:aws:s3:::b-3"],
        "BackupResourceArns": arns("1h-1", "2h-3", "2h-4", "3h-5"),
        "BackupResourceTags": {"team": "finance"},
    }
    cases: list[tuple[list[str], dict[str, Any]]] = [
        (everything, {}),
        (["snapshot/snap-00000000000000007"], {"resource_type": "EBS"}),
        (everything[:4], {"BackupResourceCreationTime": {"CreatedAfter": NOW - 2 * HOUR}}),
        (everything[2:], {"BackupResourceCreationTime": {"CreatedBefore": NOW - 2 * HOUR}}),
        (["1h-1", "1h-2", *everything[3:]], {"SourceResourceArns": ["arn:aws:s3:::a", "arn:aws:s3:::b-4"]}),
        (["2h-3", "3h-5"], {"BackupResourceArns": arns("3h-5", "2h-3", "2h-5")}),
        (everything[:4], {"BackupResourceTags": {"team": "finance"}}),
        (everything[:2], {"BackupResourceTags": {"team": "finance", "stage": "prod"}}),
        (["1h-1", "2h-3"], all_together),
    ]
    for names, scope in cases:
        assert found(sandbox, **scope) == names, scope


def test_copies_in_several_vaults_are_several_backups(sandbox: Sandbox) -> None:
    for vault in ("here", "there"):
        add(sandbox, RecoveryPointGroup(count=2, source="arn:aws:s3:::a"), vault=vault)

    assert len(set(found(sandbox, SourceResourceArns=["arn:aws:s3:::a"]))) == 4


def test_a_search_is_of_the_time_at_which_it_was_created(sandbox: Sandbox) -> None:
    add(sandbox, named("{i}", count=3))
    identifier = sandbox.start()

    sandbox.simulator.delete_recovery_point(f"{POINT}:2")
    sandbox.simulator.add_recovery_points("daily", named("new"))

    assert len(sandbox.rows(identifier)) == 3
    assert found(sandbox) == ["1", "3", "new"]


def test_a_search_with_nothing_in_its_scope_fails_at_once(sandbox: Sandbox) -> None:
    add(sandbox, RecoveryPointGroup(count=3, index=None))

    identifier = sandbox.start("anything")

    assert (sandbox.status(identifier), sandbox.rows(identifier)) == ("FAILED", [])


@pytest.mark.parametrize(("enforce_quotas", "listed"), [(True, 20), (False, 25)])
def test_a_search_can_be_made_to_take_only_so_many_recovery_points(enforce_quotas: bool, listed: int) -> None:
    body = json.dumps({"SearchScope": {"BackupResourceTypes": ["S3"]}}).encode()
    with BackupSimulator(enforce_quotas=enforce_quotas, recovery_points_per_search_job=20) as simulator:
        simulator.add_vault(Vault("daily", (RecoveryPointGroup(count=15), RecoveryPointGroup(count=10))))

        identifier = json.loads(ask(simulator, "PUT", "/search-jobs", body).body)["SearchJobIdentifier"]
        page = json.loads(ask(simulator, "GET", f"/search-jobs/{identifier}/backups").body)

    assert len(page["Results"]) == listed


def test_a_search_of_a_million_recovery_points_lists_page_by_page(sandbox: Sandbox) -> None:
    add(sandbox, RecoveryPointGroup(count=1_000_000))

    identifier = sandbox.start()
    page = sandbox.search.list_search_job_backups(SearchJobIdentifier=identifier)

    assert sandbox.job(identifier)["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 1_000_000
    assert len(page["Results"]) == 1000


def test_a_scenario_with_vaults_and_no_backups_searches_the_vaults(sandbox: Sandbox) -> None:
    text = """
        name: audit
        runs_for: 60
        scope: {source_arns: ["arn:aws:s3:::ledger"]}
        vaults:
          - name: daily
            recovery_points:
              - {count: 7, source: "arn:aws:s3:::ledger"}
              - {count: 3, source: "arn:aws:s3:::ledger", index: NONE, created: 2 days ago}
              - {count: 9, source: "arn:aws:s3:::other"}
    """
    sandbox.simulator.add_scenario(read_scenario(text, origin="test.yaml"))

    job = sandbox.search.start_search_job(Name="audit", SearchScope=sandbox.simulator.search_scope("audit"))
    running = sandbox.status(job["SearchJobIdentifier"])
    sandbox.move(seconds=60)

    assert running == "RUNNING"
    assert [row["Status"] for row in sandbox.rows(job["SearchJobIdentifier"])] == ["COMPLETED"] * 7
    assert not_listed(sandbox, job["SearchJobIdentifier"]) == [None] * 3
    assert len(sandbox.rows(sandbox.simulator.finish_job("audit"))) == 7


MIXED = (
    BackupGroup(count=2, created=timedelta(days=5)),
    BackupGroup(status="FAILED", status_message="Access denied."),
    BackupGroup(count=4, source="arn:aws:s3:::one-bucket", created=timedelta(days=2)),
)
SCENARIOS = (
    Scenario("few", (BackupGroup(count=3),)),
    Scenario("mixed", MIXED),
    Scenario("many", (BackupGroup(count=2500), BackupGroup(count=30, created=timedelta(days=2)))),
    Scenario("snapshots", (BackupGroup(count=60),), resource_type="EBS"),
    Scenario("none", end_status="FAILED"),
    Scenario("same ARN", (BackupGroup(count=3, backup_arn="arn:aws:backup:::recovery-point:x"),)),
    Scenario("anonymous", (BackupGroup(), BackupGroup(count=4, omit=("BackupResourceArn",)))),
)


def test_the_vaults_hold_what_a_scenario_lists_and_its_scope_covers_only_that(sandbox: Sandbox) -> None:
    # Several jobs of several scenarios in one account
    jobs = [
        (scenario.name, sandbox.simulator.finish_job(scenario, ended_ago=timedelta(hours=hours)))
        for hours, scenario in enumerate([*SCENARIOS, *SCENARIOS])
    ]

    points = {point["RecoveryPointArn"]: point for point in sandbox.points()}
    for name, identifier in jobs:
        assert not_listed(sandbox, identifier) == [], name
        listed = {row["BackupResourceArn"] for row in sandbox.rows(identifier) if "BackupResourceArn" in row}
        assert listed <= points.keys(), name
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
    sandbox.simulator.finish_job(Scenario("one", (group,)))

    (point,) = sandbox.points()
    assert (point.get("IndexStatus"), point["BackupVaultName"]) == (status, "Default")


def test_backups_that_are_not_listed_are_in_scope_and_in_the_vault_only(sandbox: Sandbox) -> None:
    text = """
        name: partly
        backups:
          - {count: 7, source: "arn:aws:s3:::b-{i}", vault: nightly}
          - {count: 3, source: "arn:aws:s3:::b-{i}", vault: nightly, listed: false}
          - {count: 1, source: "arn:aws:s3:::b-{i}", vault: nightly}
    """

    identifier = sandbox.simulator.finish_job(read_scenario(text, origin="test.yaml"))

    assert [row["SourceResourceArn"][-1] for row in sandbox.rows(identifier)] == list("12345678")
    assert not_listed(sandbox, identifier) == [None] * 3
    assert {point["BackupVaultName"] for point in sandbox.points()} == {"nightly"}
    assert sandbox.job(identifier)["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 8


def test_the_vaults_of_a_scenario_of_a_million_backups_are_not_made_before_they_are_read(sandbox: Sandbox) -> None:
    sandbox.simulator.finish_job(Scenario("huge", (BackupGroup(count=1_000_000),)))
    page = sandbox.backup.list_recovery_points_by_backup_vault(BackupVaultName="Default")

    (vault,) = sandbox.backup.list_backup_vaults()["BackupVaultList"]
    assert vault["NumberOfRecoveryPoints"] == 1_000_000
    assert len(page["RecoveryPoints"]) == 1000


def test_a_scope_is_what_the_scenario_says(sandbox: Sandbox) -> None:
    scope = Scope(
        created_after=timedelta(days=30),
        source_arns=("arn:aws:ec2:{region}:{account}:volume/vol-1",),
        backup_arns=("arn:aws:ec2:{region}::snapshot/snap-1",),
        tags={"team": "law"},
    )

    identifier = sandbox.simulator.finish_job(Scenario("narrow", (BackupGroup(),), resource_type="EBS", scope=scope))

    assert sandbox.job(identifier)["SearchScope"] == {
        "BackupResourceTypes": ["EBS"],
        "BackupResourceCreationTime": {"CreatedAfter": NOW - timedelta(days=30)},
        "SourceResourceArns": ["arn:aws:ec2:us-east-1:000000000000:volume/vol-1"],
        "BackupResourceArns": ["arn:aws:ec2:us-east-1::snapshot/snap-1"],
        "BackupResourceTags": {"team": "law"},
    }


def test_no_scenario_of_the_demo_has_backups_in_the_scope_of_another_one(sandbox: Sandbox) -> None:
    scenarios = load_scenarios(DEMO)
    for scenario in scenarios:
        sandbox.simulator.add_scenario(scenario)

    # All of them are started as the demo does it
    jobs = {}
    for scenario in scenarios:
        scope = sandbox.simulator.search_scope(scenario)
        jobs[scenario.name] = sandbox.search.start_search_job(Name=scenario.name, SearchScope=scope)
    sandbox.move(hours=1)

    counts = {name: len(not_listed(sandbox, job["SearchJobIdentifier"])) for name, job in jobs.items()}
    assert {name: count for name, count in counts.items() if count} == {"no-index-anywhere": 6, "quarterly-audit": 3}
