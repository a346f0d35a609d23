"""The posture function against the simulator: its rows and sums, its files, its mail, its events."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.handlers.posture_request import IndexEvent, parse
from search_coverage.handlers.report_request import InvalidRequest
from search_coverage.report.posture.rows import SOURCE_COLUMNS
from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from simulators.backup_search.vault import AIR_GAPPED_VAULT
from tests.functions import metrics_in
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

PLAN = {
    "BackupPlanName": "nightly",
    "Rules": [
        {"RuleName": "every-night", "TargetBackupVaultName": "nightly", "Lifecycle": {"DeleteAfterDays": 35}},
        {
            "RuleName": "indexed",
            "TargetBackupVaultName": "nightly",
            "IndexActions": [{"ResourceTypes": ["S3"]}],
        },
    ],
}
INDEX_EVENT: dict[str, Any] = {
    "version": "0",
    "id": "e-1",
    "source": "aws.backup",
    "detail-type": "Recovery Point Index State Change",
    "account": ACCOUNT,
    "region": REGION,
    "time": "2026-11-26T10:00:00Z",
    "resources": ["arn:aws:ec2:us-east-1::snapshot/snap-1"],
    "detail": {"indexStatus": "FAILED", "indexStatusMessage": "failed to create"},
}
NIGHTLY = "11111111-2222-3333-4444-555555555555"


def days(number: float) -> timedelta:
    return timedelta(days=number)


def group(source: str, **members: Any) -> RecoveryPointGroup:
    return RecoveryPointGroup(source=f"arn:aws:s3:::{source}", **members)


@pytest.fixture
def world(simulator: BackupSimulator) -> BackupSimulator:
    """An account with backups of every kind."""
    simulator.add_plan(NIGHTLY, PLAN)
    made: Any = {"plan": NIGHTLY, "rule": "every-night"}
    two_days_ago = datetime.now(UTC) - days(2)  # a copy keeps the date of its original
    simulator.add_vault(
        Vault(
            "nightly",
            (
                group("payroll", count=3, index=None, created=two_days_ago, **made),
                group("payroll", created=days(40)),
                group("invoices", index="FAILED", index_message="Access denied.", created=days(1), **made),
                group("mail", created=days(1), plan=NIGHTLY, rule="indexed"),
                group("mail", index="PENDING", created=days(3)),
                group("being-made", status="CREATING", index=None),
                RecoveryPointGroup(count=2, resource_type="EBS", index=None, created=days(100), **made),
                RecoveryPointGroup(count=2, resource_type="EC2", index=None),
                RecoveryPointGroup(resource_type="RDS", index=None),
            ),
        )
    )
    simulator.add_vault(
        Vault(
            "vault-lock",
            (
                group("payroll", index=None, created=two_days_ago),
                group("cold", move_to_cold_storage_at=days(5), created=days(6)),
            ),
            AIR_GAPPED_VAULT,
        )
    )
    simulator.add_vault(Vault("empty"))
    return simulator


def stored(deployment: Deployment, name: str) -> bytes:
    (key,) = [key for key in deployment.stored() if key.endswith(name)]
    return deployment.read(key)


def summary(deployment: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored(deployment, "/summary.json"))
    return found


def rows(deployment: Deployment) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(stored(deployment, "sources.jsonl.gz")).splitlines()]


def every_backup() -> Iterator[tuple[str, Any]]:
    """Read the vaults as anyone could."""
    backup = boto3.client("backup")
    for vault in backup.list_backup_vaults()["BackupVaultList"]:
        pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(
            BackupVaultName=vault["BackupVaultName"]
        )
        for page in pages:
            yield from ((vault["VaultType"], point) for point in page["RecoveryPoints"])


def test_rows_and_sums_are_those_of_an_independent_count(deployment: Deployment, world: BackupSimulator) -> None:
    deployment.posture()

    counted: Counter[tuple[str, str]] = Counter()
    searchable: Counter[tuple[str, str]] = Counter()
    for vault_type, point in every_backup():
        if point["ResourceType"] in {"S3", "EBS"} and point["Status"] != "CREATING":
            source = point["ResourceType"], point["ResourceArn"]
            counted[source] += 1
            searchable[source] += vault_type == "BACKUP_VAULT" and point.get("IndexStatus") == "ACTIVE"
    found = rows(deployment)
    assert {(row["resource_type"], row["source_resource_arn"]): row["backups"] for row in found} == dict(counted)
    assert {(row["resource_type"], row["source_resource_arn"]): row["searchable"] for row in found} == dict(searchable)
    said = summary(deployment)
    assert (said["backups"]["total"], said["backups"]["searchable"]) == (counted.total(), searchable.total())
    assert sum(vault["total"] for vault in said["vaults"]) == counted.total()
    assert sum(age["total"] for age in said["ages"]) == counted.total()
    assert sum(each["total"] for rule in said["rules"] for each in rule["byResourceType"].values()) == counted.total()
    assert sum(said["bySearchability"].values()) == counted.total()
    assert said["sources"]["total"] == len(counted)


def test_a_posture_says_what_can_be_searched_and_why_the_rest_cannot(
    deployment: Deployment, world: BackupSimulator
) -> None:
    answer = deployment.posture(SEARCHABLE_TARGET="95")

    said = summary(deployment)
    assert said["status"] == "COMPLETE"
    assert said["bySearchability"] == {
        "AIR_GAPPED": 2,
        "INDEX_FAILED": 1,
        "INDEX_MISSING": 5,
        "INDEX_PENDING": 1,
        "SEARCHABLE": 2,
    }
    newest = {row["source_resource_arn"]: row["newest_searchability"] for row in rows(deployment)}
    assert newest["arn:aws:s3:::payroll"] == "INDEX_MISSING"
    assert newest["arn:aws:s3:::mail"] == "SEARCHABLE"
    assert (said["sources"]["total"], said["sources"]["newestSearchable"]) == (6, 1)
    assert said["target"] == {"percent": 95, "missed": True}
    assert said["unreachable"] == [{"vault": "nightly", "backups": 2, "examples": said["unreachable"][0]["examples"]}]
    assert said["leftOut"] == 1
    by_rule = {(rule["planName"], rule["rule"]): rule for rule in said["rules"]}
    assert by_rule["nightly", "every-night"]["indexes"] == []
    assert by_rule["nightly", "every-night"]["sourcesNotSearchable"] == 3
    assert by_rule[None, None]["indexes"] is None
    assert answer["target"] == {"percent": 95, "missed": True}
    (event,) = deployment.put_events()
    assert event["detail-type"] == "Searchability Report Created"
    assert {**event["detail"], "created": True} == answer


def test_csv_and_json_lines_have_the_same_rows_and_the_page_is_there(
    deployment: Deployment, world: BackupSimulator
) -> None:
    deployment.posture()

    table = list(csv.DictReader(io.StringIO(stored(deployment, "sources.csv").decode(), newline="")))
    assert tuple(table[0]) == SOURCE_COLUMNS
    assert [row["newest_backup_arn"] for row in table] == [row["newest_backup_arn"] for row in rows(deployment)]
    page = stored(deployment, "posture.html").decode()
    assert "A search could look into the newest backup of 1 of 6 sources" in page
    assert "aws backup update-backup-plan" in page


def test_one_mail_says_what_helps_most_and_the_next_one_comes_after_a_week_with_a_change(
    deployment: Deployment, world: BackupSimulator
) -> None:
    deployment.posture()
    deployment.posture()

    (mail,) = deployment.messages(deployment.people)
    text = mail["Message"] if isinstance(mail["Message"], str) else json.dumps(mail["Message"])
    assert "1 of 6 sources can be searched" in mail["Subject"]
    assert "SearchabilityReport" in text
    assert summary(deployment)["mail"]["status"] == "SENT"


def test_metrics_are_in_total_and_by_resource_type(
    deployment: Deployment, world: BackupSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.posture()

    blobs = metrics_in(capsys.readouterr().out)
    values = {
        (name, blob.get("resourceType")): blob[name][0] if isinstance(blob[name], list) else blob[name]
        for blob in blobs
        for name in (metric["Name"] for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"])
    }
    assert values["Postures", None] == 1
    assert values["BackupsSearchable", None] == 2
    assert values["BackupsNotSearchable", "EBS"] == 2
    assert values["SearchableShare", "EBS"] == 0
    assert values["NewestSearchableShare", None] == 16.66


def test_a_vault_that_cannot_be_read_makes_the_posture_partial_and_gives_no_share(
    deployment: Deployment, world: BackupSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    world.faults.add("error", operation="ListRecoveryPointsByBackupVault", error_code="AccessDeniedException", times=1)

    deployment.posture()

    said = summary(deployment)
    assert said["status"] == "PARTIAL"
    assert "AccessDeniedException" in said["problems"][0]
    names = {metric["Name"] for blob in metrics_in(capsys.readouterr().out) for metric in _metrics(blob)}
    assert names == {"Postures"}
    assert "This is not the whole picture" in stored(deployment, "posture.html").decode()


def test_without_the_list_of_vaults_there_is_no_posture(deployment: Deployment, world: BackupSimulator) -> None:
    world.faults.add("error", operation="ListBackupVaults", error_code="AccessDeniedException")

    with pytest.raises(AwsCallFailed, match="backup vaults"):
        deployment.posture()

    assert deployment.stored() == []


def test_a_failed_index_becomes_a_metric_and_stands_in_the_next_posture(
    deployment: Deployment, world: BackupSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.posture(INDEX_EVENT) == {"recorded": True}
    assert deployment.posture(INDEX_EVENT) == {"recorded": True}
    assert deployment.posture({**INDEX_EVENT, "detail": {"indexStatus": "ACTIVE"}}) == {"recorded": False}
    assert deployment.posture({**INDEX_EVENT, "account": "999999999999"}) == {"ignored": True}

    names = [metric["Name"] for blob in metrics_in(capsys.readouterr().out) for metric in _metrics(blob)]
    assert names == ["IndexesFailed", "IndexesFailed"]
    deployment.posture()
    assert summary(deployment)["indexFailures"]["count"] == 1
    assert summary(deployment)["indexFailures"]["examples"] == [
        {"recoveryPointArn": INDEX_EVENT["resources"][0], "message": "failed to create", "at": "2026-11-26T10:00:00Z"}
    ]


def test_an_event_from_the_future_counts_as_of_now_so_that_the_next_posture_has_it() -> None:
    now = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    event = parse(INDEX_EVENT, now)

    assert isinstance(event, IndexEvent)
    assert event.at == now


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ([], "a list"),
        ({}, "no members"),
        ({"posture": {"now": True}}, "posture"),
        ({"preflight": {}}, "no searchScope"),
        ({"preflight": {"searchScope": {}, "x": 1}}, "'x'"),
        ({"source": "aws.backup", "detail-type": "Backup Job State Change"}, "Backup Job State Change"),
        (
            {"source": "aws.backup", "detail-type": "Recovery Point Index State Change", "id": "../x", "detail": {}},
            "id",
        ),
    ],
)
def test_another_request_gets_a_sentence(deployment: Deployment, event: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=r"Expected|letters") as refused:
        deployment.function("posture").handler(event, Context())
    assert words in str(refused.value)


def test_a_retry_of_a_request_that_is_done_only_repeats_the_event(
    deployment: Deployment, world: BackupSimulator
) -> None:
    context = Context()
    first = deployment.posture(context=context)
    second = deployment.posture(context=context)

    assert (first["created"], second["created"]) == (True, False)
    assert len(deployment.put_events()) == 2


def test_a_preflight_is_answered_directly(deployment: Deployment, world: BackupSimulator) -> None:
    scope = {"BackupResourceTypes": ["S3"], "SourceResourceArns": ["arn:aws:s3:::payroll"]}

    answer = deployment.posture({"preflight": {"searchScope": scope}})

    assert (answer["inScope"], answer["searchable"], answer["seesAll"]) == (5, 1, False)
    assert answer["bySearchability"] == {"AIR_GAPPED": 1, "INDEX_MISSING": 3, "SEARCHABLE": 1}


def _metrics(blob: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    return found
