"""The adapters that read vaults and snapshots: every answer of AWS is the whole truth, or a sentence."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from search_coverage.aws.backup_vaults import BackupVaults
from search_coverage.aws.snapshots import Snapshots
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.inventory.ports import Vault
from simulators.backup_search import BackupSimulator, RecoveryPointGroup
from simulators.backup_search import Vault as SimulatedVault
from tests.integration.test_inventory import BUCKET, point_arn

DEFAULT = Vault("Default", None, None)
POINT = point_arn("one")
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def vault(sdk_environment: None, simulator: BackupSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault with one recovery point, and an SDK that does not pause between its tries."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    simulator.add_vault(SimulatedVault("Default", (RecoveryPointGroup(source=BUCKET, arn=POINT, tags={"pii": "yes"}),)))


def read_points(vaults: BackupVaults) -> list[RecoveryPoint]:
    pages = vaults.points_of_vault(DEFAULT, resource_type=None, after=None, before=None)
    return [point for page in pages for point in page]


def tags_of_a_snapshot(_: BackupVaults) -> Any:
    return Snapshots(boto3.client("ec2")).tags(["arn:aws:ec2:us-east-1::snapshot/snap-1"])


READS: dict[str, Callable[[BackupVaults], Any]] = {
    "ListBackupVaults": lambda vaults: list(vaults.vaults()),
    "ListRecoveryPointsByBackupVault": read_points,
    "DescribeRecoveryPoint": lambda vaults: vaults.with_details(read_points(vaults)[0]),
    "GetRecoveryPointIndexDetails": lambda vaults: vaults.items_in_index(read_points(vaults)[0]),
    "ListTags": lambda vaults: list(vaults.tags(POINT)),
}
BROKEN = "broken_json"
FAULTS = [
    *((name, code) for name in READS for code in ("AccessDeniedException", "ServiceUnavailableException")),
    *((name, BROKEN) for name in ("ListBackupVaults", "ListRecoveryPointsByBackupVault", "ListTags")),
]
FAULTS_OF_EC2 = [("DescribeSnapshots", fault) for fault in ("UnauthorizedOperation", "RequestLimitExceeded", BROKEN)]


@pytest.mark.parametrize(("operation", "fault"), [*FAULTS, *FAULTS_OF_EC2])
def test_an_empty_answer_is_an_error_that_says_why(simulator: BackupSimulator, operation: str, fault: str) -> None:
    details: dict[str, Any] = {} if fault == BROKEN else {"error_code": fault}
    simulator.faults.add(BROKEN if fault == BROKEN else "error", operation=operation, **details)
    read = {**READS, "DescribeSnapshots": tags_of_a_snapshot}[operation]

    with pytest.raises(AwsCallFailed, match=rf"failed: .*({fault}|Unable to parse|AWS answered without)"):
        read(BackupVaults(boto3.client("backup")))


def test_an_answer_without_tags_is_not_one_of_a_recovery_point_without_tags() -> None:
    client = boto3.client("backup")
    client.meta.events.register(
        "before-parse.backup.ListTags", lambda response_dict, **_: response_dict.update(body=b"{}")
    )

    with pytest.raises(AwsCallFailed, match="AWS answered without Tags"):
        list(BackupVaults(client).tags(POINT))


def test_a_list_of_tags_with_a_repeated_page_token_ends() -> None:
    client, pages = boto3.client("backup"), []

    def same_token(parsed: dict[str, Any], **_: object) -> None:
        pages.append(1)
        parsed["NextToken"] = "same"

    client.meta.events.register("after-call.backup.ListTags", same_token)

    with pytest.raises(AwsCallFailed, match="a second time"):
        list(BackupVaults(client).tags(POINT))
    assert len(pages) <= 3


def test_a_recovery_point_that_was_deleted_has_no_details(simulator: BackupSimulator) -> None:
    vaults = BackupVaults(boto3.client("backup"))
    (found,) = read_points(vaults)
    simulator.delete_recovery_point(POINT)

    assert vaults.with_details(found) is None


def test_aws_narrows_the_list_of_a_vault_as_far_as_it_can(simulator: BackupSimulator) -> None:
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    vaults = BackupVaults(boto3.client("backup"))

    list(vaults.points_of_vault(DEFAULT, resource_type="S3", source=BUCKET, after=noon, before=noon))

    asked = simulator.requests[-1].params
    assert (asked["ByResourceType"], asked["ByResourceArn"], asked["MaxResults"]) == ("S3", BUCKET, 1000)
    # A second more on both sides: AWS does not document whether the bounds are included
    assert (asked["ByCreatedAfter"], asked["ByCreatedBefore"]) == (noon - SECOND, noon + SECOND)
