"""AWS Backup as boto3 and the AWS CLI see it: vaults, recovery points, their indexes and tags."""

import time
from datetime import timedelta
from typing import Any

import pytest

from simulators.backup_search import AIR_GAPPED_VAULT, RecoveryPointGroup, ScenarioError, Vault
from simulators.backup_search.tests.conftest import (
    NOW,
    POINT,
    ROLE,
    SNAPSHOT,
    Sandbox,
    ask,
    aws,
    json_of,
    last_words,
    named,
    refusal,
)

LISTING = "list_recovery_points_by_backup_vault"
UPDATE = "update_recovery_point_index_settings"


def add(sandbox: Sandbox, *groups: RecoveryPointGroup, vault: str = "daily", **attributes: Any) -> None:
    sandbox.simulator.add_vault(Vault(vault, groups, **attributes))


def code_of(sandbox: Sandbox, operation: str, **params: Any) -> tuple[str, int]:
    error = refusal(getattr(sandbox.backup, operation), **params)
    return error["Code"], error["Status"]


def test_vaults_are_listed_by_name_type_and_in_pages(sandbox: Sandbox) -> None:
    add(sandbox, vault="weekly")
    add(sandbox, RecoveryPointGroup(count=7))
    add(sandbox, RecoveryPointGroup(), vault="island", type=AIR_GAPPED_VAULT)

    pages = sandbox.backup.get_paginator("list_backup_vaults").paginate(PaginationConfig={"PageSize": 1})
    vaults = [vault for page in pages for vault in page["BackupVaultList"]]
    islands = sandbox.backup.list_backup_vaults(ByVaultType=AIR_GAPPED_VAULT)["BackupVaultList"]

    counts = [(vault["BackupVaultName"], vault["NumberOfRecoveryPoints"]) for vault in vaults]
    assert counts == [("daily", 7), ("island", 1), ("weekly", 0)]
    assert vaults[0]["BackupVaultArn"] == "arn:aws:backup:us-east-1:000000000000:backup-vault:daily"
    assert [vault["BackupVaultName"] for vault in islands] == ["island"]
    assert sandbox.backup.list_backup_vaults(ByShared=True)["BackupVaultList"] == []


def test_the_recovery_points_of_a_vault_come_in_pages_each_once(sandbox: Sandbox) -> None:
    add(sandbox, RecoveryPointGroup(count=1500), RecoveryPointGroup(count=1000, index=None))

    pages = sandbox.backup.get_paginator(LISTING).paginate(BackupVaultName="daily")
    rows = [page["RecoveryPoints"] for page in pages]

    assert [len(page) for page in rows] == [1000, 1000, 500]
    assert len({point["RecoveryPointArn"] for page in rows for point in page}) == 2500
    assert sum("IndexStatus" not in point for page in rows for point in page) == 1000


def test_a_page_token_holds_while_recovery_points_come_and_go(sandbox: Sandbox) -> None:
    add(sandbox, named("{i}", count=4))
    vault: dict[str, Any] = {"BackupVaultName": "daily", "MaxResults": 2}
    first = sandbox.backup.list_recovery_points_by_backup_vault(**vault)

    for name in ("1", "3"):
        sandbox.simulator.delete_recovery_point(f"{POINT}:{name}")
    sandbox.simulator.add_recovery_points("daily", named("new"))
    second = sandbox.backup.list_recovery_points_by_backup_vault(**vault, NextToken=first["NextToken"])

    assert last_words(first["RecoveryPoints"] + second["RecoveryPoints"]) == ["1", "2", "4", "new"]
    assert "NextToken" not in second


def test_the_filters_of_a_vault_leave_out_their_bounds(sandbox: Sandbox) -> None:
    add(
        sandbox,
        named("young", created=timedelta(hours=1), source="arn:aws:s3:::a"),
        named("old", created=timedelta(hours=3), source="arn:aws:s3:::b"),
        named("many-{i}", count=3, created=timedelta(hours=2), source="arn:aws:s3:::c-{i:02}"),
        RecoveryPointGroup(resource_type="EBS", created=timedelta(hours=2)),
    )
    hours_ago = {hours: NOW - timedelta(hours=hours) for hours in (1, 2, 3)}

    for names, filters in (
        (["many-4"], {"ByResourceArn": "arn:aws:s3:::c-04"}),
        ([], {"ByResourceArn": "arn:aws:s3:::c-4"}),
        (["young"], {"ByCreatedAfter": hours_ago[2]}),
        (["old"], {"ByCreatedBefore": hours_ago[2]}),
        (
            ["many-3", "many-4", "many-5"],
            {"ByResourceType": "S3", "ByCreatedAfter": hours_ago[3], "ByCreatedBefore": hours_ago[1]},
        ),
        ([], {"ByBackupPlanId": "none"}),
    ):
        assert last_words(sandbox.points("daily", **filters)) == names, filters
    assert len(sandbox.points("daily", ByResourceType="EBS")) == 1


def test_the_recovery_points_of_a_resource_are_those_of_all_vaults(sandbox: Sandbox) -> None:
    for vault in ("here", "there"):
        add(sandbox, named(f"{vault}-{{i}}", count=3, source="arn:aws:s3:::b-{i}"), vault=vault)

    paginator = sandbox.backup.get_paginator("list_recovery_points_by_resource")
    pages = list(paginator.paginate(ResourceArn="arn:aws:s3:::b-2", PaginationConfig={"PageSize": 1}))

    points = [point for page in pages for point in page["RecoveryPoints"]]
    assert last_words(points) == ["here-2", "there-2"]
    assert not {"BackupVaultName", "ResourceType", "ResourceArn", "IamRoleArn"} & set(points[0])


@pytest.mark.parametrize(("resource_type", "vault"), [("S3", None), ("EBS", None), ("EC2", "daily")])
def test_the_recovery_points_of_a_resource_name_their_vault_for_ec2_and_not_for_s3_and_ebs(
    sandbox: Sandbox, resource_type: str, vault: str | None
) -> None:
    add(sandbox, named("one", resource_type=resource_type, source="arn:aws:test:::x"))

    (point,) = sandbox.backup.list_recovery_points_by_resource(ResourceArn="arn:aws:test:::x")["RecoveryPoints"]

    assert point.get("BackupVaultName") == vault


def test_a_snapshot_with_a_slash_and_without_an_account_is_found_by_its_arn(sandbox: Sandbox) -> None:
    add(sandbox, RecoveryPointGroup(arn=SNAPSHOT, resource_type="EBS", index=None))

    described = sandbox.backup.describe_recovery_point(BackupVaultName="daily", RecoveryPointArn=SNAPSHOT)

    assert (described["RecoveryPointArn"], described["ResourceType"]) == (SNAPSHOT, "EBS")
    assert described["CreationDate"] == NOW - timedelta(days=1)
    assert described["StorageClass"] == "WARM"
    assert sandbox.index("daily", SNAPSHOT, "ENABLED") == "PENDING"
    assert ask(sandbox.simulator, "GET", f"/backup-vaults/daily/recovery-points/{SNAPSHOT}").status == 404


def test_storage_turns_cold_at_its_time(sandbox: Sandbox) -> None:
    moves = NOW + timedelta(hours=1)
    add(sandbox, named("one", move_to_cold_storage_at=moves))

    (listed,) = sandbox.points("daily")
    classes = []
    for _ in range(2):
        described = sandbox.backup.describe_recovery_point(BackupVaultName="daily", RecoveryPointArn=f"{POINT}:one")
        classes.append(described["StorageClass"])
        sandbox.move(hours=1)

    assert classes == ["WARM", "COLD"]
    assert listed["CalculatedLifecycle"] == {"MoveToColdStorageAt": moves}
    assert "StorageClass" not in listed


def test_an_index_is_pending_then_active_and_deleting_then_gone(sandbox: Sandbox) -> None:
    add(sandbox, named("one", index="FAILED", index_message="The role may not."))

    statuses = []
    for setting, seconds in ((None, 0), ("ENABLED", 0), ("ENABLED", 5), (None, 0), ("ENABLED", 0), ("DISABLED", 5)):
        statuses.append(sandbox.index("daily", f"{POINT}:one", setting))
        sandbox.move(seconds=seconds)

    assert statuses == ["FAILED", "PENDING", "PENDING", "ACTIVE", "ACTIVE", "DELETING"]
    assert sandbox.index("daily", f"{POINT}:one") is None
    assert "IndexStatus" not in sandbox.points("daily")[0]


def test_one_of_many_recovery_points_changes_and_keeps_its_place(sandbox: Sandbox) -> None:
    add(sandbox, named("{i}", count=5, index=None))

    sandbox.index("daily", f"{POINT}:3", "ENABLED")
    sandbox.simulator.delete_recovery_point(f"{POINT}:4")

    listed = [(point["RecoveryPointArn"][-1], point.get("IndexStatus")) for point in sandbox.points("daily")]
    assert listed == [("1", None), ("2", None), ("3", "PENDING"), ("5", None)]


def test_tags_are_listed_for_what_aws_backup_manages_fully(sandbox: Sandbox) -> None:
    add(sandbox, named("one", tags={"team": "finance"}), RecoveryPointGroup(arn=SNAPSHOT, resource_type="EBS"))

    assert sandbox.backup.list_tags(ResourceArn=f"{POINT}:one")["Tags"] == {"team": "finance"}
    assert code_of(sandbox, "list_tags", ResourceArn=SNAPSHOT) == ("InvalidParameterValueException", 400)
    assert code_of(sandbox, "list_tags", ResourceArn=f"{POINT}:ones") == ("ResourceNotFoundException", 400)


def test_ec2_returns_the_tags_of_snapshots_that_a_filter_names_page_by_page(sandbox: Sandbox) -> None:
    snapshots = "arn:aws:ec2:us-east-1::snapshot/snap-{i:017x}"
    add(sandbox, RecoveryPointGroup(count=7, arn=snapshots, resource_type="EBS", tags={"team": "a<b & c"}))
    far = RecoveryPointGroup(arn="arn:aws:ec2:us-east-1::snapshot/snap-far", resource_type="EBS")
    add(sandbox, far, vault="island", type=AIR_GAPPED_VAULT)
    wanted = [f"snap-{number:017x}" for number in (*range(1, 8), 99)]
    asked: dict[str, Any] = {
        "Filters": [{"Name": "snapshot-id", "Values": [*wanted, "snap-far"]}],
        "OwnerIds": ["self"],
    }

    paginator = sandbox.ec2.get_paginator("describe_snapshots")
    pages = [page["Snapshots"] for page in paginator.paginate(**asked, PaginationConfig={"PageSize": 5})]

    assert [len(page) for page in pages] == [5, 2]
    assert {snapshot["SnapshotId"]: snapshot["Tags"] for page in pages for snapshot in page} == {
        identifier: [{"Key": "team", "Value": "a<b & c"}] for identifier in wanted[:-1]
    }
    too_many = [{"Name": "snapshot-id", "Values": [f"snap-{number}" for number in range(201)]}]
    for refused in ({**asked, "Filters": too_many}, {**asked, "MaxResults": 4}):
        assert refusal(sandbox.ec2.describe_snapshots, **refused)["Code"] == "InvalidParameterValue"


def test_what_does_not_exist_or_is_not_possible_is_refused(sandbox: Sandbox) -> None:
    add(sandbox, named("one"), named("cold", storage_class="COLD", index=None))
    add(sandbox, named("far", index=None), vault="island", type=AIR_GAPPED_VAULT)
    daily, one = {"BackupVaultName": "daily"}, {"RecoveryPointArn": f"{POINT}:one"}
    enabled: dict[str, Any] = {"Index": "ENABLED", "IamRoleArn": ROLE}
    foreign = {"BackupVaultAccountId": "111122223333"}

    for code, operation, params in (
        ("ResourceNotFoundException", LISTING, {"BackupVaultName": "nowhere"}),
        ("ResourceNotFoundException", LISTING, {**daily, **foreign}),
        ("ResourceNotFoundException", "describe_recovery_point", {"BackupVaultName": "island", **one}),
        ("ResourceNotFoundException", UPDATE, {"BackupVaultName": "island", **one, **enabled}),
        ("MissingParameterValueException", UPDATE, {**daily, **one, "Index": "ENABLED"}),
        ("InvalidRequestException", UPDATE, {**daily, "RecoveryPointArn": f"{POINT}:cold", **enabled}),
        (
            "InvalidRequestException",
            UPDATE,
            {"BackupVaultName": "island", "RecoveryPointArn": f"{POINT}:far", **enabled},
        ),
        ("InvalidParameterValueException", LISTING, {**daily, "NextToken": "no"}),
        ("InvalidParameterValueException", LISTING, {**daily, "MaxResults": 1001}),
    ):
        assert code_of(sandbox, operation, **params) == (code, 400), (operation, params)


def test_a_recovery_point_of_the_future_does_not_exist_before(sandbox: Sandbox) -> None:
    add(sandbox, named("one", created=NOW + timedelta(hours=1)))

    before = last_words(sandbox.points("daily"))
    sandbox.move(hours=1)

    assert (before, last_words(sandbox.points("daily"))) == ([], ["one"])


@pytest.mark.parametrize(
    ("vault", "sentence"),
    [
        (Vault("x"), r"vault 'x'.name must look like .*\{2,50\}\$, not 'x'"),
        (Vault("daily", type="SAFE"), "vault 'daily'.type must be one of BACKUP_VAULT, LOGICALLY"),
        (Vault("daily", (RecoveryPointGroup(index="GONE"),)), r"recovery_points\[1\].index must be one of PENDING"),
        (Vault("daily", (RecoveryPointGroup(status="GONE"),)), r"recovery_points\[1\].status must be one of COMPLETED"),
        (Vault("daily", (RecoveryPointGroup(omit=("Arn",)),)), r"recovery_points\[1\].omit must be one of Recovery"),
        (Vault("daily", (RecoveryPointGroup(count=-1),)), "count must be greater than or equal to 0, not -1"),
        (
            Vault("daily", (RecoveryPointGroup(source="b-{i:3f}"),)),
            r"source must hold no placeholder but \{i\}, \{i:04\} and \{i:017x\}, not 'b-\{i:3f\}'",
        ),
        (Vault("daily", (RecoveryPointGroup(storage_class="HOT"),)), "storage_class must be one of WARM, COLD, not"),
    ],
)
def test_a_vault_that_is_not_possible_is_refused_in_words(sandbox: Sandbox, vault: Vault, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        sandbox.simulator.add_vault(vault)


def test_several_recovery_points_need_several_arns() -> None:
    with pytest.raises(ScenarioError, match=r"arn must hold \{i\} where count is more than 1, not 'arn:one'"):
        RecoveryPointGroup(count=2, arn="arn:one")


def test_a_vault_keeps_its_type(sandbox: Sandbox) -> None:
    add(sandbox)

    with pytest.raises(ScenarioError, match="vault 'daily' exists already, and its type is BACKUP_VAULT"):
        add(sandbox, type=AIR_GAPPED_VAULT)
    with pytest.raises(KeyError, match="nowhere"):
        sandbox.simulator.add_recovery_points("nowhere")
    with pytest.raises(KeyError, match="arn:none"):
        sandbox.simulator.delete_recovery_point("arn:none")


def test_a_page_of_a_million_recovery_points_takes_milliseconds(sandbox: Sandbox) -> None:
    for number in range(200):
        old = RecoveryPointGroup(count=5, created=timedelta(days=9), index=None)
        add(sandbox, RecoveryPointGroup(count=4995), old, vault=f"vault-{number:03}")
    last = sandbox.points("vault-199", ByCreatedBefore=NOW - timedelta(days=8))[-1]
    path = "/backup-vaults/vault-100/recovery-points/"
    ask(sandbox.simulator, "GET", path)

    for target in (
        path,
        f"{path}?createdBefore=2026-11-12T00:00:00Z",
        f"/backup-vaults/vault-199/recovery-points/{last['RecoveryPointArn']}",
    ):
        durations = []
        for _ in range(5):
            began = time.perf_counter()
            reply = ask(sandbox.simulator, "GET", target)
            durations.append(time.perf_counter() - began)
            assert reply.status == 200
        assert min(durations) < 0.02, target


def test_the_aws_cli_reads_vaults_and_enables_an_index(sandbox: Sandbox) -> None:
    add(sandbox, RecoveryPointGroup(arn=SNAPSHOT, resource_type="EBS", index=None))
    backup, vault = (sandbox.simulator.endpoint_url, "backup"), ("--backup-vault-name", "daily")
    enabled = ("--recovery-point-arn", SNAPSHOT, "--index", "ENABLED", "--iam-role-arn", ROLE)

    listed = json_of(aws(*backup, "list-recovery-points-by-backup-vault", *vault))
    updated = json_of(aws(*backup, "update-recovery-point-index-settings", *vault, *enabled))

    assert [row["RecoveryPointArn"] for row in listed["RecoveryPoints"]] == [SNAPSHOT]
    assert (updated["IndexStatus"], updated["Index"]) == ("PENDING", "ENABLED")
    assert sandbox.index("daily", SNAPSHOT) == "PENDING"
