"""The report function, with all its adapters: a subscriber and the bucket's owner see every backup once."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.names import REPORT_CREATED, SERVICE
from search_coverage.report.files.row import COLUMNS
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import Context, state_change

DENIED = "Access denied. You do not have permission to search the recovery point."
NAMELESS = ("BackupResourceArn", "SourceResourceArn", "BackupCreationTime")
EMPTY = (*NAMELESS, "Status", "StatusMessage", "ResourceType", "IndexCreationTime")
EVERY_STATUS = Scenario(
    "every-status",
    (
        BackupGroup(count=1500),
        BackupGroup(count=400, status="FAILED", status_message=DENIED),
        BackupGroup(count=100, status="FAILED"),
        BackupGroup(count=100, status="STOPPED"),
        BackupGroup(count=50, status="RUNNING"),
        BackupGroup(count=50, status="STOPPING"),
        BackupGroup(count=100, status="TIMED_OUT"),
        BackupGroup(count=50, status_message="The index was not complete"),
        BackupGroup(count=50, omit=("Status",)),
        BackupGroup(count=50, omit=NAMELESS, status="FAILED"),
        BackupGroup(count=50, omit=EMPTY),
    ),
)
ONE_FAILED = Scenario("one-failed", (BackupGroup(count=2), BackupGroup(status="FAILED", status_message=DENIED)))


def failed_backups(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bodies = sorted((json.loads(message["Message"]) for message in messages), key=lambda body: body["part"])
    return [backup for body in bodies for backup in body["failedBackups"]]


def test_2500_backups_over_three_pages_agree_to_the_row_everywhere(deployment: Deployment) -> None:
    # Given throttling, which is waited out
    search_job = deployment.simulator.finish_job(EVERY_STATUS)
    deployment.simulator.faults.throttle("ListSearchJobBackups", times=1)

    outcome = deployment.report(state_change(search_job))

    listings = [r for r in deployment.simulator.requests if r.operation == "ListSearchJobBackups"]
    summary = deployment.summary(search_job)
    rows, records = deployment.csv_rows(search_job), deployment.json_rows(search_job)
    assert len(listings) == 3 + 1
    assert summary is not None
    assert outcome["verdict"] == summary["verdict"] == "PARTIAL"
    assert summary["backups"] == {"listed": 2500, "searched": 1500, "excluded": 1000, "failed": 550}
    assert summary["excludedByReason"] == {
        "FAILED_OTHER": 150,
        "INDEX_PENDING": 50,
        "NOT_FINISHED": 200,
        "PERMISSION_DENIED": 400,
        "UNKNOWN_STATUS": 200,
    }
    assert summary["excludedByResourceType"] == {"S3": 950, "UNKNOWN": 50}
    assert len(rows) == len(records) == 1000
    assert [{name: value or "" for name, value in record.items()} for record in records] == rows
    assert tuple(rows[0]) == COLUMNS
    machines = deployment.messages(deployment.machines)
    assert failed_backups(machines) == [record for record in records if record["status"] == "FAILED"]
    assert summary["notification"]["failedBackups"] == 550
    assert sorted(summary["notification"]["messageIds"]) == sorted(message["MessageId"] for message in machines)


def test_the_files_are_the_versions_that_the_summary_vouches_for(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    deployment.report(state_change(search_job))

    summary = deployment.summary(search_job)
    assert summary is not None
    assert set(summary["files"]) == {"csv", "jsonl", "html"}
    for file in summary["files"].values():
        stored = deployment.s3.get_object(Bucket=deployment.bucket, Key=file["key"], VersionId=file["versionId"])
        content = stored["Body"].read()
        assert content == deployment.read(file["key"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
    # And the only other objects are the summary, for people and as a line for Athena, and what leads to it
    vouched_for = {file["key"] for file in summary["files"].values()}
    summaries = sorted(set(deployment.stored()) - vouched_for)
    assert [key.split("/")[0] for key in summaries] == ["questions", "reports", "summaries"]
    assert summaries[0].endswith(f"-{search_job}.json")
    assert summaries[1].endswith(f"/{search_job}/summary.json")
    assert summaries[2].endswith(f"/{search_job}.json")
    assert deployment.report(state_change(search_job))["created"] is False


def test_5000_failed_backups_all_reach_a_subscriber_in_parts_with_one_digest(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(
        Scenario("all-failed", (BackupGroup(count=5000, status="FAILED", status_message=DENIED),))
    )

    deployment.report(state_change(search_job))

    machines = deployment.messages(deployment.machines)
    arns = [backup["backup_arn"] for backup in failed_backups(machines)]
    assert arns == [record["backup_arn"] for record in deployment.json_rows(search_job)]
    assert len(arns) == len(set(arns)) == 5000
    assert all(len(json.dumps(message).encode()) < 256 * 1024 for message in machines)
    assert [message["MessageAttributes"]["kind"]["Value"] for message in machines].count("digest") == 1
    assert len(deployment.messages(deployment.people)) == 1


def test_the_event_of_a_report_is_put_on_the_bus(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    deployment.report(state_change(search_job))

    (event,) = deployment.put_events()
    detail = event["detail"]
    assert (event["source"], event["detail-type"]) == (SERVICE, REPORT_CREATED)
    assert event["resources"] == [detail["searchJobArn"]]
    assert (detail["searchJobIdentifier"], detail["verdict"]) == (search_job, "PARTIAL")
    assert detail["backups"] == {"listed": 3, "searched": 2, "excluded": 1, "failed": 1}
    assert detail["bucket"] == deployment.bucket
    assert detail["summaryKey"] in deployment.stored()


def test_the_same_event_twice_at_once_is_one_digest(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_coverage.aws.report_lease._RENEWED_EVERY_SECONDS", 0.05)
    monkeypatch.setattr("search_coverage.aws.report_lease._SECONDS_BETWEEN_LOOKS", 0.2)
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.simulator.faults.add("delay", operation="ListSearchJobBackups", delay_seconds=1.0)
    first, second = deployment.function("report"), deployment.function("report")
    together = threading.Barrier(2)

    def invoke(module: Any) -> dict[str, Any]:
        together.wait()
        result: dict[str, Any] = module.handler(state_change(search_job), Context())
        return result

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(invoke, (first, second)))

    assert sorted(result["created"] for result in results) == [False, True]
    assert {"searchJobIdentifier": search_job, "created": False, "inProgress": True} in results
    assert deployment.report(state_change(search_job))["created"] is False  # a later one finds what was made
    assert len(deployment.messages(deployment.people)) == 1


@pytest.mark.parametrize("fault", ["broken_json", "truncated_body", "connection_reset", "token_cycle"])
def test_a_list_that_breaks_off_gives_no_report_and_the_retry_gives_a_whole_one(
    deployment: Deployment, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(EVERY_STATUS)
    page = {} if fault == "token_cycle" else {"page": 2}
    broken = deployment.simulator.faults.add(fault, operation="ListSearchJobBackups", **page)

    with pytest.raises(AwsCallFailed, match=f"the backups of search job {search_job}"):
        deployment.report(state_change(search_job))
    assert deployment.stored() == []
    assert deployment.messages(deployment.machines) == []
    assert deployment.put_events() == []

    deployment.simulator.faults.remove(broken)
    assert deployment.report(state_change(search_job))["backups"]["listed"] == 2500
    assert deployment.dynamodb.scan(TableName=deployment.table)["Count"] == 1  # the digest; no lease
