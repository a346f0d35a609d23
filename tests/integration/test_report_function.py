"""The report function: every backup of a search job ends up where it belongs, or nothing does."""

import hashlib
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from itertools import chain
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from search_coverage.handlers.environment import EnvironmentInvalid
from search_coverage.report.files.row import COLUMNS
from search_coverage.use_cases.deadline import TimeRunningOut
from search_coverage.use_cases.ports import SearchJobUnknown
from search_coverage.use_cases.report_search_job import SearchJobNotEnded
from simulators.backup_search import BackupGroup, BackupSimulator, Progress, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import Context, state_change

DENIED = "Access denied. You do not have permission to search the recovery point."

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
        BackupGroup(count=50, omit=("BackupResourceArn", "SourceResourceArn", "BackupCreationTime"), status="FAILED"),
        BackupGroup(
            count=50,
            omit=(
                "Status",
                "StatusMessage",
                "ResourceType",
                "BackupResourceArn",
                "SourceResourceArn",
                "IndexCreationTime",
                "BackupCreationTime",
            ),
        ),
    ),
)
ONE_FAILED = Scenario("one-failed", (BackupGroup(count=2), BackupGroup(status="FAILED", status_message=DENIED)))
ALL_SEARCHED = Scenario("all-searched", (BackupGroup(count=3),))


def failed_backups(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bodies = sorted((json.loads(message["Message"]) for message in messages), key=lambda body: body["part"])
    return [backup for body in bodies for backup in body["failedBackups"]]


def test_2500_backups_over_three_pages_agree_to_the_row_everywhere(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(EVERY_STATUS)

    outcome = deployment.report(state_change(search_job))

    listings = [r for r in deployment.simulator.requests if r.operation == "ListSearchJobBackups"]
    summary = deployment.summary(search_job)
    rows, records = deployment.csv_rows(search_job), deployment.json_rows(search_job)
    assert len(listings) == 3
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


def test_the_files_are_those_that_the_summary_vouches_for(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    deployment.report(state_change(search_job))

    summary = deployment.summary(search_job)
    assert summary is not None
    assert set(summary["files"]) == {"csv", "jsonl", "html"}
    for file in summary["files"].values():
        content = deployment.read(file["key"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
    # And besides there is only the summary, for people and as a line for Athena
    vouched_for = {file["key"] for file in summary["files"].values()}
    summaries = sorted(set(deployment.stored()) - vouched_for)
    assert [key.split("/")[0] for key in summaries] == ["reports", "summaries"]
    assert summaries[0].endswith(f"/{search_job}/summary.json")
    assert summaries[1].endswith(f"/{search_job}.json")


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


def test_the_same_news_three_times_is_one_report_and_one_digest(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    outcomes = [deployment.report(state_change(search_job, f"event-{number}")) for number in range(3)]

    assert len(deployment.messages(deployment.people)) == 1
    assert [outcome.pop("created") for outcome in outcomes] == [True, False, False]
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_the_same_news_twice_at_once_is_one_digest_and_the_other_leaves_it_at_that(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_deleted_idempotency_record_makes_no_second_digest(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))

    deployment.forget_idempotency()
    again = deployment.report(state_change(search_job))

    assert again["created"] is False
    assert again["verdict"] == "PARTIAL"
    assert len(deployment.messages(deployment.people)) == 1


def test_a_replay_writes_and_notifies_again(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report({"searchJobIdentifier": search_job})

    replayed = deployment.report({"searchJobIdentifier": search_job, "replay": True})

    assert replayed["created"] is True
    assert len(deployment.messages(deployment.people)) == 2


def test_a_replay_that_fails_leaves_no_mark_on_files_it_does_not_vouch_for(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report({"searchJobIdentifier": search_job})
    module = deployment.function("report")

    def refuse_the_page(request: Any, **_: object) -> None:
        if request.url.endswith("report.html"):
            raise ValueError("S3 does not take report.html")

    module.report_search_job.bucket._client.meta.events.register("before-send.s3.PutObject", refuse_the_page)
    with pytest.raises(AwsCallFailed, match=r"does not take report\.html"):
        module.handler({"searchJobIdentifier": search_job, "replay": True}, Context())

    assert deployment.summary(search_job) is None
    assert deployment.sweep()["announced"] == 1


def test_a_replay_that_cannot_read_the_list_leaves_the_earlier_report_as_it_was(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report({"searchJobIdentifier": search_job})
    before = deployment.summary(search_job)
    deployment.simulator.faults.add("broken_json", operation="ListSearchJobBackups")

    with pytest.raises(AwsCallFailed):
        deployment.report({"searchJobIdentifier": search_job, "replay": True})

    assert deployment.summary(search_job) == before


def test_a_retry_of_a_replay_does_not_replay_again(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    replay = {"searchJobIdentifier": search_job, "replay": True}
    invocation = Context()
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:9")
    with pytest.raises(AwsCallFailed, match="Search Coverage Report Created"):
        deployment.report(replay, invocation)

    monkeypatch.delenv("AWS_ENDPOINT_URL_EVENTBRIDGE")
    retried = deployment.report(replay, invocation)

    assert retried["created"] is False
    assert len(deployment.messages(deployment.people)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"FailedEntryCount": 0, "Entries": []},
        {"FailedEntryCount": 0, "Entries": [{}]},
        {"FailedEntryCount": 0, "Entries": [None]},
        {"FailedEntryCount": 0, "Entries": [{"ErrorCode": "InternalFailure"}]},
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]},
    ],
)
def test_news_that_the_bus_did_not_surely_take_are_tried_again(deployment: Deployment, answer: dict[str, Any]) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")

    class Bus:
        def put_events(self, **_: object) -> dict[str, Any]:
            return answer

    module.report_search_job.bus._client = Bus()
    with pytest.raises(AwsCallFailed, match=r"was refused: (PutEvents|InternalFailure)"):
        module.handler(state_change(search_job), Context())


def test_the_news_of_a_report_is_put_on_the_bus(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    deployment.report(state_change(search_job))

    (event,) = deployment.put_events()
    assert event["source"] == "search-coverage"
    assert event["detail-type"] == "Search Coverage Report Created"
    assert event["resources"] == [event["detail"]["searchJobArn"]]
    assert event["detail"]["searchJobIdentifier"] == search_job
    assert event["detail"]["verdict"] == "PARTIAL"
    assert event["detail"]["backups"] == {"listed": 3, "searched": 2, "excluded": 1, "failed": 1}
    assert event["detail"]["bucket"] == deployment.bucket
    assert event["detail"]["summaryKey"] in deployment.stored()


def test_news_that_could_not_be_put_goes_out_with_the_retry(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:9")
    with pytest.raises(AwsCallFailed, match="Search Coverage Report Created"):
        deployment.report(state_change(search_job))

    monkeypatch.delenv("AWS_ENDPOINT_URL_EVENTBRIDGE")
    retried = deployment.report(state_change(search_job))

    assert retried["created"] is False
    assert len(deployment.put_events()) == 1
    assert len(deployment.messages(deployment.people)) == 1


@pytest.mark.parametrize(
    ("notify_on", "scenario", "mails"),
    [
        ("FAILED", ALL_SEARCHED, 0),
        ("FAILED", Scenario("stopped", (BackupGroup(status="STOPPED"),), end_status="STOPPED"), 0),
        ("FAILED", Scenario("nothing", (), end_status="FAILED"), 1),
        ("EXCLUDED", Scenario("stopped", (BackupGroup(status="STOPPED"),), end_status="STOPPED"), 1),
        ("EXCLUDED", ALL_SEARCHED, 0),
        ("ALWAYS", ALL_SEARCHED, 1),
    ],
)
def test_people_are_told_when_they_asked_to_be(
    deployment: Deployment, notify_on: str, scenario: Scenario, mails: int
) -> None:
    search_job = deployment.simulator.finish_job(scenario)

    deployment.report(state_change(search_job), NOTIFY_ON=notify_on)

    assert len(deployment.messages(deployment.people)) == mails
    assert deployment.summary(search_job) is not None


def test_a_search_of_which_everything_was_searched_is_complete(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ALL_SEARCHED)

    assert deployment.report(state_change(search_job))["verdict"] == "COMPLETE"
    summary = deployment.summary(search_job)
    assert summary is not None
    assert summary["verdictReasons"] == []
    assert deployment.csv_rows(search_job) == []


def test_a_list_shorter_than_what_aws_set_out_to_scan_is_not_complete(deployment: Deployment) -> None:
    short = Scenario("short", (BackupGroup(count=20),), progress=Progress(recovery_points_to_scan=27))
    search_job = deployment.simulator.finish_job(short)

    assert deployment.report(state_change(search_job))["verdict"] == "PARTIAL"


def assert_nothing_was_written(deployment: Deployment, search_job: str) -> None:
    assert deployment.summary(search_job) is None
    assert deployment.messages(deployment.machines) == []
    assert deployment.put_events() == []


@pytest.mark.parametrize("cycle_length", [1, 2])
def test_a_page_token_that_comes_back_gives_no_report(deployment: Deployment, cycle_length: int) -> None:
    search_job = deployment.simulator.finish_job(Scenario("long", (BackupGroup(count=4500),)))
    deployment.simulator.faults.add("token_cycle", operation="ListSearchJobBackups", cycle_length=cycle_length)

    with pytest.raises(AwsCallFailed, match="page token"):
        deployment.report(state_change(search_job))

    assert_nothing_was_written(deployment, search_job)


@pytest.mark.parametrize("fault", ["broken_json", "truncated_body", "connection_reset"])
def test_a_list_that_breaks_off_gives_no_report_and_the_retry_gives_a_whole_one(
    deployment: Deployment, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(EVERY_STATUS)
    broken = deployment.simulator.faults.add(fault, operation="ListSearchJobBackups", page=2)

    with pytest.raises(AwsCallFailed, match=f"Listing the backups of search job {search_job}"):
        deployment.report(state_change(search_job))
    assert_nothing_was_written(deployment, search_job)

    deployment.simulator.faults.remove(broken)
    assert deployment.report(state_change(search_job))["backups"]["listed"] == 2500


def test_throttling_is_waited_out(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(EVERY_STATUS)
    deployment.simulator.faults.throttle("ListSearchJobBackups", times=3)

    assert deployment.report(state_change(search_job))["backups"]["listed"] == 2500


def test_a_search_job_that_still_runs_gets_no_report(deployment: Deployment) -> None:
    deployment.simulator.add_scenario(Scenario("slow", (BackupGroup(count=3),), runs_for=timedelta(hours=1)))
    search_job = start(deployment.simulator, "slow")

    with pytest.raises(SearchJobNotEnded, match="is RUNNING"):
        deployment.report(state_change(search_job))

    assert_nothing_was_written(deployment, search_job)


def start(simulator: BackupSimulator, name: str) -> str:
    client = boto3.client("backupsearch", endpoint_url=simulator.endpoint_url)
    identifier: str = client.start_search_job(Name=name, SearchScope={"BackupResourceTypes": ["S3"]})[
        "SearchJobIdentifier"
    ]
    return identifier


def test_time_that_runs_out_gives_no_report(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(EVERY_STATUS)

    with pytest.raises(TimeRunningOut, match="Only 20 s are left while reading the list"):
        deployment.report(state_change(search_job), Context(seconds_left=1200, seconds_a_look=295))

    assert_nothing_was_written(deployment, search_job)


def test_a_search_job_that_aws_forgot_is_said_to_be_forgotten(deployment: Deployment) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"

    with pytest.raises(SearchJobUnknown, match="forgets a search job 7 days after its end"):
        deployment.report({"searchJobIdentifier": unknown})


@pytest.mark.parametrize(
    "body",
    [
        b'{"Results": [null]}',
        b'{"Results": {}}',
        b'{"Results": "x"}',
        b'{"Results": [{"Status": "FAILED", "StatusMessage": {"is": "no text"}}]}',
        b'{"Results": [{"BackupCreationTime": 1e18}]}',
        b"[1]",
        b"null",
        b"\xff",
        b'{"Results": [{"BackupCreationTime": "soon"}]}',
    ],
)
def test_an_answer_of_another_shape_gives_a_sentence_and_no_report(deployment: Deployment, body: bytes) -> None:
    search_job = deployment.simulator.finish_job(ALL_SEARCHED)
    module = deployment.function("report")
    client = module.report_search_job.search._client
    answer: Any = AWSResponse("http://127.0.0.1", 200, HTTPHeaders(), BytesIO(body))
    answer._content = body
    client.meta.events.register("before-send.backupsearch.ListSearchJobBackups", lambda **_: answer)

    with pytest.raises(AwsCallFailed, match=f"Listing the backups of search job {search_job} failed"):
        module.handler({"searchJobIdentifier": search_job}, Context())

    assert_nothing_was_written(deployment, search_job)


FOREIGN = {"source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {}}


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (None, "The event is nothing, not a JSON object. Expected"),
        ([], "The event is a list, not a JSON object. Expected"),
        ({}, "searchJobIdentifier is missing; expected the UUID"),
        (FOREIGN, "source 'aws.backup' and detail-type 'Backup Job State Change'. Expected an EventBridge event"),
        ({**state_change("x"), "detail": "x"}, "detail of the event is a str, not a JSON object"),
        (state_change("not-a-uuid"), "searchJobIdentifier is 'not-a-uuid'; expected the UUID"),
        ({"searchJobIdentifier": 7}, "searchJobIdentifier is '7'; expected the UUID"),
        ({"searchJobId": "x"}, "unknown member 'searchJobId'"),
        ({"searchJobIdentifier": "x", "replay": "yes"}, "replay is 'yes'; it takes true or false"),
    ],
)
def test_an_event_that_is_not_ours_is_refused_with_a_sentence(
    deployment: Deployment, event: object, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SearchCoverageError) as refused:
        deployment.report(event)

    assert sentence in str(refused.value)
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert line.getMessage() == str(refused.value)
    assert line.exc_info is None


@pytest.mark.parametrize(
    "variable", ["REPORT_BUCKET", "ALERTS_TOPIC_ARN", "EVENT_BUS_NAME", "IDEMPOTENCY_TABLE", "NOTIFY_ON"]
)
def test_a_missing_variable_is_named_at_init(deployment: Deployment, variable: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=f"{variable} of this function is not set"):
        deployment.function("report", **{variable: ""})


def test_a_wrong_variable_is_named_at_init_with_what_is_allowed(deployment: Deployment) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"NOTIFY_ON .* 'NEVER'; allowed is FAILED, EXCLUDED, ALWAYS"):
        deployment.function("report", NOTIFY_ON="NEVER")
    with pytest.raises(EnvironmentInvalid, match=r"INVENTORY .* 'MAYBE'; allowed is ON, OFF"):
        deployment.function("report", INVENTORY="MAYBE")
    with pytest.raises(
        EnvironmentInvalid, match=r"SEARCH_JOB_STATUSES .* 'RUNNING'; allowed is COMPLETED, FAILED, STOPPED"
    ):
        deployment.function("watch", SEARCH_JOB_STATUSES="COMPLETED, RUNNING")


def test_an_inventory_that_breaks_is_no_reason_to_trust_and_none_to_give_no_report(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ALL_SEARCHED)

    def disk_is_full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("search_coverage.inventory.table.RecoveryPointTable.add", disk_is_full)
    assert deployment.report(state_change(search_job), INVENTORY="ON")["verdict"] == "PARTIAL"
    summary = deployment.summary(search_job)
    assert summary is not None
    assert summary["inventory"]["status"] == "UNAVAILABLE"
    assert "disk is full" in summary["inventory"]["message"]


def test_the_metrics_count_backups_and_reports_and_never_name_a_search_job(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    deployment.report(state_change(search_job))

    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    values = {name: blob[name] for blob in blobs for m in blob["_aws"]["CloudWatchMetrics"] for name in _names(m)}
    dimensions = {d for blob in blobs for m in blob["_aws"]["CloudWatchMetrics"] for d in chain(*m["Dimensions"])}
    assert {blob["_aws"]["CloudWatchMetrics"][0]["Namespace"] for blob in blobs} == {"SearchCoverage"}
    assert values.pop("ReportDuration")[0] > 0
    assert values == {
        "BackupsListed": [3.0],
        "BackupsSearched": [2.0],
        "BackupsExcluded": [1.0],
        "BackupsFailed": [1.0],
        "ReportsIncomplete": [1.0],
        "Reports": [1.0],
    }
    assert dimensions == {"service", "verdict", "reason"}
    assert search_job not in json.dumps(blobs)


def test_what_was_excluded_is_counted_by_reason(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    search_job = deployment.simulator.finish_job(
        Scenario(
            "two-reasons",
            (
                BackupGroup(count=2, status="FAILED", status_message=DENIED),
                BackupGroup(count=3, status="STOPPED"),
            ),
        )
    )

    deployment.report(state_change(search_job))

    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    by_reason = {blob["reason"]: blob["BackupsExcluded"] for blob in blobs if "reason" in blob}
    assert by_reason == {"PERMISSION_DENIED": [2.0], "NOT_FINISHED": [3.0]}


@pytest.mark.parametrize(
    ("scenario", "incomplete"), [(ALL_SEARCHED, 0.0), (ONE_FAILED, 1.0), (Scenario("none", end_status="FAILED"), 1.0)]
)
def test_a_report_that_is_not_complete_counts_as_incomplete(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], scenario: Scenario, incomplete: float
) -> None:
    deployment.report(state_change(deployment.simulator.finish_job(scenario)))

    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    assert [blob["ReportsIncomplete"] for blob in blobs if "ReportsIncomplete" in blob] == [[incomplete]]


def _names(metrics: dict[str, Any]) -> list[str]:
    return [metric["Name"] for metric in metrics["Metrics"]]
