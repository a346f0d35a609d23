"""The main job, deployed: a search job ends, the report is in S3, the failed backups are in the mail."""

import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from search_coverage.names import REPORT_DONE, SERVICE, STATE_CHANGE
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.e2e.conftest import Stack, eventually
from tests.planted_simulator import planted_filters

DENIED = "Access denied. You do not have permission to search the recovery point."
SOME_FAILED = (
    BackupGroup(count=5),
    BackupGroup(count=3, status="FAILED", status_message=DENIED),
    BackupGroup(status="STOPPED"),
)


def start_search_job(stack: Stack, simulator: BackupSimulator, name: str, runs_for: timedelta) -> str:
    """Start a search job as a user does."""
    simulator.add_scenario(Scenario(name, SOME_FAILED, runs_for=runs_for))
    search_job: str = stack.aws.client("backupsearch").start_search_job(
        Name=name, SearchScope=simulator.search_scope(name), ItemFilters=planted_filters("S3")
    )["SearchJobIdentifier"]
    return search_job


def announce(stack: Stack, search_job: str, *, times: int = 1) -> None:
    detail = json.dumps({"searchJobIdentifier": search_job})
    entry = {"Source": SERVICE, "DetailType": STATE_CHANGE, "Detail": detail}
    assert stack.aws.client("events").put_events(Entries=[entry] * times)["FailedEntryCount"] == 0


@pytest.fixture(scope="module", autouse=True)
def search_job_of_a_user(stack: Stack, simulator: BackupSimulator) -> str:
    """A search job that ends after two seconds; the schedule notices it while the other tests run."""
    return start_search_job(stack, simulator, "by-a-user", runs_for=timedelta(seconds=2))


def test_an_event_that_comes_three_times_gives_one_report_and_one_mail(
    stack: Stack, simulator: BackupSimulator
) -> None:
    # Given a search job that ended
    search_job = simulator.finish_job(Scenario("some-failed", SOME_FAILED))

    # When its end is announced three times
    announce(stack, search_job, times=3)

    # Then each of the three comes to its end; those that came at the same time leave it to the first
    done = eventually(lambda: _done(stack, search_job, times=3), seconds=30)
    # And one of them made the report and sent the one mail
    assert [line["report_created"] for line in done if line.get("report_created")] == [True]
    assert len(stack.mails(search_job)) == 1


def _done(stack: Stack, search_job: str, *, times: int) -> list[dict[str, Any]]:
    lines = stack.aws.lambda_logs(stack.outputs["ReportFunctionName"])
    ends = (REPORT_DONE, "report in progress")
    done = [json.loads(line) for line in lines if search_job in line and any(end in line for end in ends)]
    return done if len(done) == times else []


@pytest.mark.parametrize(
    ("fault", "page", "message"),
    [
        pytest.param("token_cycle", None, "page token", id="a-list-that-never-ends"),
        pytest.param("broken_json", 2, "AWS answered without Results", id="a-list-that-breaks-off"),
    ],
)
def test_a_broken_list_fails_three_times_and_ends_in_the_failure_queue_without_a_report(
    stack: Stack, simulator: BackupSimulator, fault: str, page: int | None, message: str
) -> None:
    # Given a search job whose list of backups cannot be read to its end
    search_job = simulator.finish_job(Scenario(fault, (BackupGroup(count=3000),)))
    added = simulator.faults.add(fault, operation="ListSearchJobBackups", page=page)

    # When it is announced
    stack.sweep()

    # Then Lambda's retries fail as well, and the event is kept, with what was wrong
    (record,) = eventually(lambda: stack.failures(search_job), seconds=30)
    simulator.faults.remove(added)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert message in record["responsePayload"]["errorMessage"]
    # And there is nothing that could be mistaken for a report
    assert stack.summary(search_job) is None
    assert stack.received(search_job) == []
    # And an operator can run again what is in the queue
    outcome = stack.invoke(stack.outputs["ReportFunctionName"], record["requestPayload"])
    assert outcome["verdict"] == "COMPLETE"


def test_a_search_job_that_still_runs_ends_in_the_failure_queue_and_is_reported_when_it_ends(
    stack: Stack, simulator: BackupSimulator
) -> None:
    # Given a search job that runs, and an event that says otherwise
    search_job = start_search_job(stack, simulator, "running", runs_for=timedelta(hours=1))
    announce(stack, search_job)

    # Then all tries fail, and the event is kept with what was wrong
    (record,) = eventually(lambda: stack.failures(search_job), seconds=30)
    assert "is RUNNING" in record["responsePayload"]["errorMessage"]
    assert stack.summary(search_job) is None

    # When it ends
    simulator.move_clock(timedelta(hours=2))
    stack.sweep()

    # Then it gets its report
    assert eventually(lambda: stack.summary(search_job), seconds=20)["verdict"] == "PARTIAL"


def test_the_next_sweep_replaces_a_lost_summary(stack: Stack, simulator: BackupSimulator) -> None:
    # Given a report without its summary and its records
    search_job = simulator.finish_job(Scenario("lost", (BackupGroup(count=2),)))
    stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": search_job})
    summary = stack.summary(search_job)
    assert summary is not None
    folder = summary["files"]["csv"]["key"].rsplit("/", 1)[0]
    stack.aws.client("s3").delete_object(Bucket=stack.bucket, Key=f"{folder}/summary.json")
    dynamodb, table = stack.aws.client("dynamodb"), stack.outputs["IdempotencyTableName"]
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={"id": item["id"]})

    # When the next sweep comes
    stack.sweep()

    # Then the report is whole again
    eventually(lambda: stack.summary(search_job), seconds=20)


def test_a_wrong_identifier_is_answered_with_a_sentence(stack: Stack) -> None:
    answer = stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": "the-one-from-monday"})

    assert answer["errorMessage"].startswith("searchJobIdentifier is 'the-one-from-monday'; expected the UUID")


def test_the_mail_subscription_is_the_stacks_own_and_asks_for_digests_only(stack: Stack) -> None:
    sns = stack.aws.client("sns")
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=stack.outputs["AlertsTopicArn"])["Subscriptions"]
    (mail,) = [subscription for subscription in subscriptions if subscription["Protocol"] == "email"]

    attributes = sns.get_subscription_attributes(SubscriptionArn=mail["SubscriptionArn"])["Attributes"]

    assert json.loads(attributes["FilterPolicy"]) == {"kind": ["digest"]}


def test_the_functions_call_this_computer_only(stack: Stack) -> None:
    assert stack.aws.endpoint_url.startswith("http://127.0.0.1:")
    assert EmbeddedAws.account_id in stack.outputs["AlertsTopicArn"]


def test_the_schedule_notices_a_search_job_that_ends_and_everything_follows_by_itself(
    stack: Stack, search_job_of_a_user: str
) -> None:
    # Given a search job that a user started
    search_job = search_job_of_a_user

    # When only the schedule runs
    summary = eventually(lambda: stack.summary(search_job), seconds=90)

    # Then the report is whole
    assert summary["verdict"] == "PARTIAL"
    assert summary["backups"] == {"listed": 9, "searched": 5, "excluded": 4, "failed": 3}
    assert summary["searchJob"]["itemFilters"] == planted_filters("S3")
    for file in summary["files"].values():
        assert hashlib.sha256(stack.read(file["key"])).hexdigest() == file["sha256"]
    lines = gzip.decompress(stack.read(summary["files"]["jsonl"]["key"])).splitlines()
    assert len(lines) == 4
    # And the failed backups are published, once
    (message,) = eventually(lambda: stack.received(search_job), seconds=5)
    assert [backup["status_message"] for backup in message["failedBackups"]] == [DENIED] * 3
    (mail,) = stack.mails(search_job)
    assert "3 x Permission denied" in mail
