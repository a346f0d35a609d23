"""What the backup simulator promises of vaults: boto3 and the AWS CLI see AWS Backup, a million recovery points too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from simulators.backup_search import AIR_GAPPED_VAULT, BackupSimulator, RecoveryPointGroup, ScenarioError, Vault
from simulators.backup_search.simulation import Simulation
from simulators.backup_search.tests.asking import request

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/indexer"
SNAPSHOT = "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000001"
POINT = "arn:aws:backup:us-east-1:000000000000:recovery-point:one"
MODEL = ServiceModel(create_loader().load_service_model("backup", "service-2"), "backup")


@dataclass
class Sandbox:
    """A running simulator with a clock that stands still, and a client that does not retry."""

    simulator: BackupSimulator
    client: BackupClient

    def points(self, vault: str, **filters: Any) -> list[dict[str, Any]]:
        paginator = self.client.get_paginator("list_recovery_points_by_backup_vault")
        pages = paginator.paginate(BackupVaultName=vault, **filters)
        return [dict(point) for page in pages for point in page["RecoveryPoints"]]

    def arns(self, vault: str, **filters: Any) -> list[str]:
        return [point["RecoveryPointArn"].rpartition(":")[2] for point in self.points(vault, **filters)]

    def index(self, vault: str, arn: str) -> str | None:
        details = self.client.get_recovery_point_index_details(BackupVaultName=vault, RecoveryPointArn=arn)
        return details.get("IndexStatus")

    def enable(self, vault: str, arn: str) -> str:
        answer = self.client.update_recovery_point_index_settings(
            BackupVaultName=vault, RecoveryPointArn=arn, Index="ENABLED", IamRoleArn=ROLE
        )
        return answer["IndexStatus"]

    def refused(self, operation: str, **params: Any) -> tuple[str, int]:
        with pytest.raises(ClientError) as caught:
            getattr(self.client, operation)(**params)
        response: dict[str, Any] = dict(caught.value.response)
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with BackupSimulator(clock=lambda: NOW) as simulator:
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        client = boto3.client("backup", region_name="us-east-1", endpoint_url=simulator.endpoint_url, config=config)
        yield Sandbox(simulator, client)
        client.close()


def named(name: str, **attributes: Any) -> RecoveryPointGroup:
    return RecoveryPointGroup(arn=f"arn:aws:backup:us-east-1:000000000000:recovery-point:{name}", **attributes)


def test_vaults_are_listed_by_name_type_and_in_pages(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("weekly"))
    sandbox.simulator.add_vault(Vault("daily", (RecoveryPointGroup(count=7),)))
    sandbox.simulator.add_vault(Vault("island", (RecoveryPointGroup(),), AIR_GAPPED_VAULT))

    # When
    pages = sandbox.client.get_paginator("list_backup_vaults").paginate(PaginationConfig={"PageSize": 1})
    vaults = [vault for page in pages for vault in page["BackupVaultList"]]
    islands = sandbox.client.list_backup_vaults(ByVaultType="LOGICALLY_AIR_GAPPED_BACKUP_VAULT")["BackupVaultList"]

    # Then
    counts = [(vault["BackupVaultName"], vault["NumberOfRecoveryPoints"]) for vault in vaults]
    assert counts == [("daily", 7), ("island", 1), ("weekly", 0)]
    assert vaults[0]["BackupVaultArn"] == "arn:aws:backup:us-east-1:000000000000:backup-vault:daily"
    assert [vault["BackupVaultName"] for vault in islands] == ["island"]
    assert sandbox.client.list_backup_vaults(ByShared=True)["BackupVaultList"] == []


def test_the_recovery_points_of_a_vault_come_in_pages_each_once(sandbox: Sandbox) -> None:
    # Given
    groups = (RecoveryPointGroup(count=1500), RecoveryPointGroup(count=1000, index=None))
    sandbox.simulator.add_vault(Vault("daily", groups))

    # When
    pages = sandbox.client.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName="daily")
    rows = [page["RecoveryPoints"] for page in pages]

    # Then
    assert [len(page) for page in rows] == [1000, 1000, 500]
    assert len({point["RecoveryPointArn"] for page in rows for point in page}) == 2500
    assert sum("IndexStatus" not in point for page in rows for point in page) == 1000


def test_a_page_token_holds_while_recovery_points_come_and_go(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (named("{i}", count=4),)))
    first = sandbox.client.list_recovery_points_by_backup_vault(BackupVaultName="daily", MaxResults=2)

    # When
    sandbox.simulator.delete_recovery_point("arn:aws:backup:us-east-1:000000000000:recovery-point:1")
    sandbox.simulator.delete_recovery_point("arn:aws:backup:us-east-1:000000000000:recovery-point:3")
    sandbox.simulator.add_recovery_points("daily", named("new"))
    second = sandbox.client.list_recovery_points_by_backup_vault(
        BackupVaultName="daily", MaxResults=2, NextToken=first["NextToken"]
    )

    # Then
    arns = [
        point["RecoveryPointArn"].rpartition(":")[2] for page in (first, second) for point in page["RecoveryPoints"]
    ]
    assert arns == ["1", "2", "4", "new"]
    assert "NextToken" not in second


def test_the_filters_of_a_vault_leave_out_their_bounds(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(
        Vault(
            "daily",
            (
                named("young", created=timedelta(hours=1), source="arn:aws:s3:::a"),
                named("old", created=timedelta(hours=3), source="arn:aws:s3:::b"),
                named("many-{i}", count=3, created=timedelta(hours=2), source="arn:aws:s3:::c-{i:02}"),
                RecoveryPointGroup(resource_type="EBS", created=timedelta(hours=2)),
            ),
        )
    )

    # Then
    hours_ago = {hours: NOW - timedelta(hours=hours) for hours in (1, 2, 3)}
    assert sandbox.arns("daily", ByResourceArn="arn:aws:s3:::c-04") == ["many-4"]
    assert sandbox.arns("daily", ByResourceArn="arn:aws:s3:::c-4") == []
    assert sandbox.arns("daily", ByCreatedAfter=hours_ago[2]) == ["young"]
    assert sandbox.arns("daily", ByCreatedBefore=hours_ago[2]) == ["old"]
    middle = {"ByCreatedAfter": hours_ago[3], "ByCreatedBefore": hours_ago[1]}
    assert sandbox.arns("daily", ByResourceType="S3", **middle) == ["many-3", "many-4", "many-5"]
    assert len(sandbox.arns("daily", ByResourceType="EBS")) == 1
    assert sandbox.arns("daily", ByBackupPlanId="none") == []


def test_the_recovery_points_of_a_resource_are_those_of_all_vaults(sandbox: Sandbox) -> None:
    # Given
    for vault in ("here", "there"):
        sandbox.simulator.add_vault(Vault(vault, (named(f"{vault}-{{i}}", count=3, source="arn:aws:s3:::b-{i}"),)))

    # When
    paginator = sandbox.client.get_paginator("list_recovery_points_by_resource")
    pages = list(paginator.paginate(ResourceArn="arn:aws:s3:::b-2", PaginationConfig={"PageSize": 1}))

    # Then
    points = [point for page in pages for point in page["RecoveryPoints"]]
    assert [point["RecoveryPointArn"].rpartition(":")[2] for point in points] == ["here-2", "there-2"]
    assert not {"BackupVaultName", "ResourceType", "ResourceArn", "IamRoleArn"} & set(points[0])


def test_of_a_resource_the_vault_is_told_for_ec2_and_not_for_s3_and_ebs(sandbox: Sandbox) -> None:
    # Given
    for kind in ("S3", "EBS", "EC2"):
        group = named(kind, resource_type=kind, source=f"arn:aws:test:::{kind}")
        sandbox.simulator.add_vault(Vault("daily", (group,)))

    # When
    told = {
        kind: sandbox.client.list_recovery_points_by_resource(ResourceArn=f"arn:aws:test:::{kind}")["RecoveryPoints"]
        for kind in ("S3", "EBS", "EC2")
    }

    # Then
    assert {kind: points[0].get("BackupVaultName") for kind, points in told.items()} == {
        "S3": None,
        "EBS": None,
        "EC2": "daily",
    }


def test_a_snapshot_with_a_slash_and_without_an_account_is_found_by_its_arn(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (RecoveryPointGroup(arn=SNAPSHOT, resource_type="EBS", index=None),)))

    # When
    described = sandbox.client.describe_recovery_point(BackupVaultName="daily", RecoveryPointArn=SNAPSHOT)

    # Then
    assert (described["RecoveryPointArn"], described["ResourceType"]) == (SNAPSHOT, "EBS")
    assert described["CreationDate"] == NOW - timedelta(days=1)
    assert described["StorageClass"] == "WARM"
    assert sandbox.enable("daily", SNAPSHOT) == "PENDING"
    assert sandbox.index("daily", SNAPSHOT) == "PENDING"


def test_storage_turns_cold_at_its_time(sandbox: Sandbox) -> None:
    # Given
    moves = NOW + timedelta(hours=1)
    sandbox.simulator.add_vault(Vault("daily", (named("one", move_to_cold_storage_at=moves),)))

    # When
    (listed,) = sandbox.points("daily")
    classes = []
    for _ in range(2):
        described = sandbox.client.describe_recovery_point(BackupVaultName="daily", RecoveryPointArn=POINT)
        classes.append(described["StorageClass"])
        sandbox.simulator.move_clock(timedelta(hours=1))

    # Then
    assert classes == ["WARM", "COLD"]
    assert listed["CalculatedLifecycle"] == {"MoveToColdStorageAt": moves}
    assert "StorageClass" not in listed


def test_an_index_is_pending_then_active_and_deleting_then_gone(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (named("one", index="FAILED", index_message="The role may not."),)))

    # When
    statuses = [sandbox.index("daily", POINT), sandbox.enable("daily", POINT), sandbox.enable("daily", POINT)]
    sandbox.simulator.move_clock(timedelta(seconds=5))
    statuses += [sandbox.index("daily", POINT), sandbox.enable("daily", POINT)]
    sandbox.client.update_recovery_point_index_settings(
        BackupVaultName="daily", RecoveryPointArn=POINT, Index="DISABLED"
    )
    statuses.append(sandbox.index("daily", POINT))
    sandbox.simulator.move_clock(timedelta(seconds=5))
    statuses.append(sandbox.index("daily", POINT))

    # Then
    assert statuses == ["FAILED", "PENDING", "PENDING", "ACTIVE", "ACTIVE", "DELETING", None]
    assert "IndexStatus" not in sandbox.points("daily")[0]


def test_only_one_of_many_changes_and_is_listed_in_its_place(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (named("{i}", count=5, index=None),)))

    # When
    sandbox.enable("daily", "arn:aws:backup:us-east-1:000000000000:recovery-point:3")
    sandbox.simulator.delete_recovery_point("arn:aws:backup:us-east-1:000000000000:recovery-point:4")

    # Then
    listed = [(point["RecoveryPointArn"][-1], point.get("IndexStatus")) for point in sandbox.points("daily")]
    assert listed == [("1", None), ("2", None), ("3", "PENDING"), ("5", None)]


def test_tags_are_there_for_what_aws_backup_manages_fully(sandbox: Sandbox) -> None:
    # Given
    points = (named("one", tags={"team": "finance"}), RecoveryPointGroup(arn=SNAPSHOT, resource_type="EBS"))
    sandbox.simulator.add_vault(Vault("daily", points))

    # Then
    assert sandbox.client.list_tags(ResourceArn=POINT)["Tags"] == {"team": "finance"}
    assert sandbox.refused("list_tags", ResourceArn=SNAPSHOT) == ("InvalidParameterValueException", 400)
    assert sandbox.refused("list_tags", ResourceArn=f"{POINT}s") == ("ResourceNotFoundException", 400)


def test_ec2_gives_the_tags_of_snapshots_that_a_filter_names_page_by_page(sandbox: Sandbox) -> None:
    # Given
    group = RecoveryPointGroup(
        count=7, arn="arn:aws:ec2:us-east-1::snapshot/snap-{i:017x}", resource_type="EBS", tags={"team": "a<b & c"}
    )
    sandbox.simulator.add_vault(Vault("daily", (group,)))
    island = RecoveryPointGroup(arn="arn:aws:ec2:us-east-1::snapshot/snap-far", resource_type="EBS")
    sandbox.simulator.add_vault(Vault("island", (island,), AIR_GAPPED_VAULT))
    client: Any = boto3.client("ec2", region_name="us-east-1", endpoint_url=sandbox.simulator.endpoint_url)
    wanted = [f"snap-{number:017x}" for number in (*range(1, 8), 99)]
    filters = [{"Name": "snapshot-id", "Values": [*wanted, "snap-far"]}]

    # When
    paginator = client.get_paginator("describe_snapshots").paginate(
        Filters=filters, OwnerIds=["self"], PaginationConfig={"PageSize": 5}
    )
    pages = [page["Snapshots"] for page in paginator]

    # Then
    assert [len(page) for page in pages] == [5, 2]
    assert {snapshot["SnapshotId"]: snapshot["Tags"] for page in pages for snapshot in page} == {
        identifier: [{"Key": "team", "Value": "a<b & c"}] for identifier in wanted[:-1]
    }
    too_many = [{"Name": "snapshot-id", "Values": [f"snap-{number}" for number in range(201)]}]
    for refused in (
        {"Filters": too_many, "OwnerIds": ["self"]},
        {"Filters": filters, "OwnerIds": ["self"], "MaxResults": 4},
    ):
        with pytest.raises(ClientError) as error:
            client.describe_snapshots(**refused)
        assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_what_is_not_there_or_cannot_be_is_refused(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (named("one"), named("cold", storage_class="COLD", index=None))))
    sandbox.simulator.add_vault(Vault("island", (named("far", index=None),), AIR_GAPPED_VAULT))
    update = "update_recovery_point_index_settings"
    enabled: dict[str, Any] = {"Index": "ENABLED", "IamRoleArn": ROLE}

    # Then
    missing = ("ResourceNotFoundException", 400)
    listing = "list_recovery_points_by_backup_vault"
    assert sandbox.refused(listing, BackupVaultName="nowhere") == missing
    assert sandbox.refused(listing, BackupVaultName="daily", BackupVaultAccountId="111122223333") == missing
    for operation, more in (("describe_recovery_point", {}), (update, enabled)):
        assert sandbox.refused(operation, BackupVaultName="island", RecoveryPointArn=POINT, **more) == missing
    no_role = sandbox.refused(update, BackupVaultName="daily", RecoveryPointArn=POINT, Index="ENABLED")
    assert no_role == ("MissingParameterValueException", 400)
    for vault, name in (("daily", "cold"), ("island", "far")):
        arn = f"arn:aws:backup:us-east-1:000000000000:recovery-point:{name}"
        error = sandbox.refused(update, BackupVaultName=vault, RecoveryPointArn=arn, **enabled)
        assert error == ("InvalidRequestException", 400)
    assert sandbox.refused(listing, BackupVaultName="daily", NextToken="no")[0] == "InvalidParameterValueException"
    assert sandbox.refused(listing, BackupVaultName="daily", MaxResults=1001)[0] == "InvalidParameterValueException"


def test_a_recovery_point_of_the_future_is_not_there_before(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (named("one", created=NOW + timedelta(hours=1)),)))

    # When
    before = sandbox.arns("daily")
    sandbox.simulator.move_clock(timedelta(hours=1))

    # Then
    assert (before, sandbox.arns("daily")) == ([], ["one"])


def test_every_output_and_every_error_satisfies_botocores_own_parser(sandbox: Sandbox) -> None:
    # Given
    group = named("{i}", count=2, index="FAILED", index_message="why", status_message="m", created=timedelta(days=2))
    sandbox.simulator.add_vault(Vault("daily", (group,)))
    arn = "arn:aws:backup:us-east-1:000000000000:recovery-point:1"
    point = {"BackupVaultName": "daily", "RecoveryPointArn": arn}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "DescribeRecoveryPoint": ("describe_recovery_point", point),
        "GetRecoveryPointIndexDetails": ("get_recovery_point_index_details", point),
        "ListBackupVaults": ("list_backup_vaults", {"MaxResults": 1}),
        "ListRecoveryPointsByBackupVault": (
            "list_recovery_points_by_backup_vault",
            {"BackupVaultName": "daily", "MaxResults": 1},
        ),
        "ListRecoveryPointsByResource": ("list_recovery_points_by_resource", {"ResourceArn": "arn:aws:s3:::b"}),
        "ListTags": ("list_tags", {"ResourceArn": arn}),
        "UpdateRecoveryPointIndexSettings": (
            "update_recovery_point_index_settings",
            {**point, "Index": "ENABLED", "IamRoleArn": ROLE},
        ),
    }
    for operation, (method, params) in calls.items():
        model = MODEL.operation_model(operation)
        # When: it answers
        response = getattr(sandbox.client, method)(**params)
        response.pop("ResponseMetadata")

        # Then
        assert model.output_shape is not None
        report = ParamValidator().validate(response, model.output_shape)
        assert not report.has_errors(), report.generate_report()

        # And when it fails, also with what every service may answer
        codes = {shape.name for shape in model.error_shapes} | {"AccessDeniedException", "ThrottlingException"}
        for code in codes:
            sandbox.simulator.faults.add("error", operation=operation, error_code=code, times=1)
            statuses = {"AccessDeniedException": 403, "ServiceUnavailableException": 500}
            assert sandbox.refused(method, **params) == (code, statuses.get(code, 400))


def test_a_fault_may_be_for_one_vault_only(sandbox: Sandbox) -> None:
    # Given
    listing = "ListRecoveryPointsByBackupVault"
    for name in ("open", "locked", "busy"):
        sandbox.simulator.add_vault(Vault(name, (RecoveryPointGroup(count=2),)))
    faults = sandbox.simulator.faults
    faults.add("error", operation=listing, error_code="AccessDeniedException", where={"BackupVaultName": "locked"})
    faults.throttle(listing, where={"BackupVaultName": "busy"}, page=2, retry_after_seconds=3)

    # When
    page = sandbox.client.list_recovery_points_by_backup_vault(BackupVaultName="busy", MaxResults=1)
    throttled: dict[str, Any] = {"BackupVaultName": "busy", "MaxResults": 1, "NextToken": page["NextToken"]}

    # Then
    assert len(sandbox.points("open")) == 2
    method = "list_recovery_points_by_backup_vault"
    assert sandbox.refused(method, BackupVaultName="locked") == ("AccessDeniedException", 403)
    assert sandbox.refused(method, **throttled) == ("ThrottlingException", 400)


def test_a_page_token_of_a_vault_can_come_back_again(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (RecoveryPointGroup(count=9),)))
    sandbox.simulator.faults.add("token_cycle", operation="ListRecoveryPointsByBackupVault")

    # When
    first = sandbox.client.list_recovery_points_by_backup_vault(BackupVaultName="daily", MaxResults=1)
    second = sandbox.client.list_recovery_points_by_backup_vault(
        BackupVaultName="daily", MaxResults=1, NextToken=first["NextToken"]
    )

    # Then
    assert second["NextToken"] == first["NextToken"]


def test_an_error_code_happens_only_to_services_that_have_it(sandbox: Sandbox) -> None:
    # Given: a fault for every operation, with an error that AWS Backup search alone knows
    sandbox.simulator.faults.add("error", error_code="ServiceQuotaExceededException")

    # Then
    assert sandbox.client.list_backup_vaults()["BackupVaultList"] == []
    assert sandbox.simulator.answer(request("GET", "/search-jobs")).status == 402


@pytest.mark.parametrize(
    ("vault", "sentence"),
    [
        (Vault("x"), r"vault 'x'.name must look like .*\{2,50\}\$, not 'x'"),
        (Vault("daily", type="SAFE"), "vault 'daily'.type must be one of BACKUP_VAULT, LOGICALLY"),
        (Vault("daily", (RecoveryPointGroup(index="GONE"),)), r"recovery_points\[1\].index must be one of PENDING"),
        (Vault("daily", (RecoveryPointGroup(status="GONE"),)), r"recovery_points\[1\].status must be one of COMPLETED"),
        (Vault("daily", (RecoveryPointGroup(omit=("Arn",)),)), r"recovery_points\[1\].omit must be one of Recovery"),
    ],
)
def test_a_vault_that_cannot_be_is_refused_in_words(sandbox: Sandbox, vault: Vault, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        sandbox.simulator.add_vault(vault)


def test_a_vault_keeps_its_type(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily"))

    # Then
    with pytest.raises(ScenarioError, match="vault 'daily' exists already, and its type is BACKUP_VAULT"):
        sandbox.simulator.add_vault(Vault("daily", type=AIR_GAPPED_VAULT))
    with pytest.raises(KeyError, match="nowhere"):
        sandbox.simulator.add_recovery_points("nowhere")
    with pytest.raises(KeyError, match="arn:none"):
        sandbox.simulator.delete_recovery_point("arn:none")


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"count": -1}, "count must be greater than or equal to 0, not -1"),
        ({"count": 2, "arn": "arn:one"}, "arn must hold {i} where count is more than 1, not 'arn:one'"),
        ({"source": "b-{i:3f}"}, "source must hold no placeholder but {i}, {i:04} and {i:017x}, not 'b-{i:3f}'"),
        ({"storage_class": "HOT"}, "storage_class must be one of WARM, COLD, not 'HOT'"),
    ],
)
def test_recovery_points_that_cannot_be_are_refused_in_words(attributes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Simulation().add_vault(Vault("daily", (RecoveryPointGroup(**attributes),)))
    assert sentence in str(caught.value)


def test_a_page_of_a_million_recovery_points_takes_milliseconds(sandbox: Sandbox) -> None:
    # Given
    for number in range(200):
        groups = (RecoveryPointGroup(count=4995), RecoveryPointGroup(count=5, created=timedelta(days=9), index=None))
        sandbox.simulator.add_vault(Vault(f"vault-{number:03}", groups))
    (last,) = sandbox.points("vault-199", ByCreatedBefore=NOW - timedelta(days=8))[-1:]
    path = "/backup-vaults/vault-100/recovery-points/"
    sandbox.simulator.answer(request("GET", path))

    # When
    durations: dict[str, list[float]] = {"page": [], "filtered": [], "one": []}
    for _ in range(5):
        for what, asked in (
            ("page", request("GET", path)),
            ("filtered", request("GET", f"{path}?createdBefore=2026-11-12T00:00:00Z")),
            ("one", request("GET", f"/backup-vaults/vault-199/recovery-points/{last['RecoveryPointArn']}")),
        ):
            began = time.perf_counter()
            reply = sandbox.simulator.answer(asked)
            durations[what].append(time.perf_counter() - began)
            assert reply.status == 200

    # Then
    assert {what: min(took) < 0.02 for what, took in durations.items()} == dict.fromkeys(durations, True)


def test_the_aws_cli_reads_vaults_and_enables_an_index(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.add_vault(Vault("daily", (RecoveryPointGroup(arn=SNAPSHOT, resource_type="EBS", index=None),)))

    def aws(*arguments: str) -> dict[str, Any]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
        environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
        environment |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        environment |= {"AWS_ENDPOINT_URL_BACKUP": sandbox.simulator.endpoint_url}
        command = [sys.executable, "-m", "awscli", "backup", *arguments]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
        assert result.returncode == 0, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    # When
    point = ("--backup-vault-name", "daily", "--recovery-point-arn", SNAPSHOT)
    listed = aws("list-recovery-points-by-backup-vault", "--backup-vault-name", "daily")
    updated = aws("update-recovery-point-index-settings", *point, "--index", "ENABLED", "--iam-role-arn", ROLE)

    # Then
    assert [row["RecoveryPointArn"] for row in listed["RecoveryPoints"]] == [SNAPSHOT]
    assert (updated["IndexStatus"], updated["Index"]) == ("PENDING", "ENABLED")
    assert sandbox.index("daily", SNAPSHOT) == "PENDING"
