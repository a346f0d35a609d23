"""The posture, deployed: its schedule takes it, and an index that fails becomes a metric and stands in the next one."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from search_coverage.names import INDEX_FAILURES, POSTURE, SUMMARY_JSON, Metric
from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.e2e.conftest import Stack, eventually

PAYROLL = "arn:aws:s3:::payroll"
NO_RIGHTS = "The role may not read the bucket."
POINT = f"arn:aws:backup:{EmbeddedAws.region}:{EmbeddedAws.account_id}:recovery-point:payroll"


@pytest.fixture(scope="module", autouse=True)
def vault(simulator: BackupSimulator) -> None:
    """A vault with a backup that was never indexed, old enough where other tests have moved the simulator's clock."""
    backup = RecoveryPointGroup(source=PAYROLL, arn=POINT, created=timedelta(days=30), index=None)
    simulator.add_vault(Vault("payroll", (backup,)))


@pytest.fixture
def schedule(stack: Stack) -> Iterator[dict[str, Any]]:
    """The schedule of postures, once a minute instead of once a day."""
    scheduler = stack.aws.client("scheduler")
    found = scheduler.get_schedule(Name=stack.outputs["PostureScheduleName"])
    kept = ("Name", "FlexibleTimeWindow", "Target", "State", "ScheduleExpression")
    schedule = {name: found[name] for name in kept}
    scheduler.update_schedule(**{**schedule, "ScheduleExpression": "rate(1 minute)"})
    yield schedule
    scheduler.update_schedule(**schedule)


def summary(stack: Stack) -> dict[str, Any] | None:
    keys = [key for key in stack.stored_keys(POSTURE) if key.endswith(f"/{SUMMARY_JSON}")]
    return json.loads(stack.read(keys[-1])) if keys else None


def posture_with_failures(stack: Stack) -> dict[str, Any] | None:
    """Take a posture, and return it if it has indexes that failed: one of the same second is of the next posture."""
    assert stack.invoke(stack.outputs["PostureFunctionName"], {"posture": {}})["created"]
    said = summary(stack)
    return said if said and said["indexFailures"]["count"] else None


def row_of(stack: Stack, source: str) -> dict[str, str]:
    said = summary(stack)
    assert said
    rows = csv.DictReader(io.StringIO(stack.read(said["files"]["csv"]["key"]).decode(), newline=""))
    return next(row for row in rows if row["source_resource_arn"] == source)


def test_the_schedule_takes_a_posture_and_everything_follows_by_itself(
    stack: Stack, simulator: BackupSimulator, schedule: dict[str, Any]
) -> None:
    # When only the schedule runs
    assert schedule["ScheduleExpression"] == "rate(1 day)"
    before = summary(stack)
    said = eventually(lambda: found if (found := summary(stack)) != before else None, seconds=90)

    # Then the posture is whole
    assert said["status"] == "COMPLETE"
    assert said["vaultsRead"] == len(simulator.account.vaults.all())
    assert {file["key"] for file in said["files"].values()} <= set(stack.stored_keys())
    assert row_of(stack, PAYROLL)["newest_searchability"] == "INDEX_MISSING"
    # And it is mailed, since it is the first one
    assert said["mail"]["status"] == "SENT"
    folder = said["files"]["html"]["key"].rpartition("/")[0]
    (mail,) = [mail for mail in stack.aws.mails() if folder in mail.text]
    assert mail.subject.startswith("Search Coverage:")


def test_an_index_that_fails_becomes_a_metric_and_stands_in_the_next_posture(
    stack: Stack, simulator: BackupSimulator
) -> None:
    # Given an index that AWS Backup cannot make
    simulator.fail_indexes(PAYROLL, message=NO_RIGHTS)
    backup = stack.aws.client("backup")
    point = {"BackupVaultName": "payroll", "RecoveryPointArn": POINT}
    backup.update_recovery_point_index_settings(**point, Index="ENABLED", IamRoleArn="arn:aws:iam::000000000000:role/r")

    # When it has failed, and AWS Backup's event has come
    eventually(lambda: backup.get_recovery_point_index_details(**point)["IndexStatus"] == "FAILED", seconds=20)
    eventually(lambda: stack.stored_keys(INDEX_FAILURES), seconds=20)

    # Then it is counted
    log = stack.aws.lambda_logs(stack.outputs["PostureFunctionName"])
    counted = [json.loads(line) for line in log if "CloudWatchMetrics" in line and Metric.INDEXES_FAILED in line]
    assert [metrics[Metric.INDEXES_FAILED] for metrics in counted] == [[1.0]]
    # And the next posture names it
    said = eventually(lambda: posture_with_failures(stack), seconds=20)
    assert said["indexFailures"]["count"] == 1
    assert [(each["recoveryPointArn"], each["message"]) for each in said["indexFailures"]["examples"]] == [
        (POINT, NO_RIGHTS)
    ]
    row = row_of(stack, PAYROLL)
    assert (row["newest_searchability"], row["newest_index_status_message"]) == ("INDEX_FAILED", NO_RIGHTS)


def test_a_preflight_is_answered_by_the_function(stack: Stack) -> None:
    scope = {"BackupResourceTypes": ["S3"], "SourceResourceArns": [PAYROLL]}

    answer = stack.invoke(stack.outputs["PostureFunctionName"], {"preflight": {"searchScope": scope}})

    assert (answer["inScope"], answer["searchable"]) == (1, 0)


def test_anything_else_is_refused_with_a_sentence(stack: Stack) -> None:
    answer = stack.invoke(stack.outputs["PostureFunctionName"], {"postures": {}})

    assert answer["errorMessage"].startswith("The event has postures. Expected")
