"""AWS Backup search as boto3 sees it: search jobs run, end, stop and are forgotten, and their lists have pages."""

import json
import re
import time
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest

from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from simulators.backup_search.tests.conftest import NOW, Sandbox, ask, refusal

UNKNOWN = "6f1f7a5e-0000-4000-8000-000000000000"
S3: dict[str, Any] = {"SearchScope": {"BackupResourceTypes": ["S3"]}}
LONG = Scenario(
    "long",
    backups=(BackupGroup(count=6), BackupGroup(count=4, status="FAILED", status_message="Access denied {i}")),
    runs_for=timedelta(seconds=100),
    stops_for=timedelta(seconds=5),
    status_message="Some recovery points could not be scanned",
)
BIG = Scenario("big", backups=(BackupGroup(count=2400), BackupGroup(count=100, status="TIMED_OUT")))


@pytest.fixture(autouse=True)
def scenarios(sandbox: Sandbox) -> None:
    for scenario in (LONG, BIG):
        sandbox.simulator.add_scenario(scenario)


def test_a_started_job_runs_and_ends_by_the_clock(sandbox: Sandbox) -> None:
    identifier = sandbox.start("long")

    running = sandbox.job(identifier)
    sandbox.move(seconds=100)
    ended = sandbox.job(identifier)

    assert (running["Status"], ended["Status"]) == ("RUNNING", "COMPLETED")
    assert not {"CompletionTime", "StatusMessage"} & set(running)
    assert ended["CompletionTime"] - ended["CreationTime"] == timedelta(seconds=100)
    assert ended["StatusMessage"] == LONG.status_message
    assert ended["SearchJobArn"] == f"arn:aws:backup-search:us-east-1:000000000000:search-job/{identifier}"
    assert ended["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 10
    assert ended["CurrentSearchProgress"]["RecoveryPointsScannedCount"] == 6


def test_the_list_of_a_running_job_is_incomplete(sandbox: Sandbox) -> None:
    identifier = sandbox.start("long")

    counts = []
    for _ in range(5):
        counts.append(len(sandbox.rows(identifier)))
        sandbox.move(seconds=33)

    assert counts == [0, 3, 6, 9, 10]


def test_a_job_without_a_scenario_fails_at_once_as_in_an_account_without_indexes(sandbox: Sandbox) -> None:
    for identifier in (sandbox.start(resource_type="EBS"), sandbox.start("no such scenario")):
        assert sandbox.status(identifier) == "FAILED"
        assert sandbox.rows(identifier) == []


def test_a_stopped_job_is_stopping_then_stopped_and_its_unsearched_rows_are_stopped(sandbox: Sandbox) -> None:
    identifier = sandbox.start("long")
    sandbox.move(seconds=70)

    sandbox.search.stop_search_job(SearchJobIdentifier=identifier)
    stopping = sandbox.status(identifier)
    sandbox.search.stop_search_job(SearchJobIdentifier=identifier)
    sandbox.move(seconds=5)

    assert (stopping, sandbox.status(identifier)) == ("STOPPING", "STOPPED")
    statuses = [row["Status"] for row in sandbox.rows(identifier)]
    assert statuses == ["COMPLETED"] * 6 + ["FAILED"] + ["STOPPED"] * 3


def test_a_job_that_has_ended_cannot_be_stopped(sandbox: Sandbox) -> None:
    identifier = sandbox.simulator.finish_job("long")

    error = refusal(sandbox.search.stop_search_job, SearchJobIdentifier=identifier)

    assert (error["Code"], error["Status"], error["resourceId"]) == ("ConflictException", 409, identifier)


@pytest.mark.parametrize(
    "operation", ["get_search_job", "list_search_job_backups", "list_search_job_results", "stop_search_job"]
)
def test_an_identifier_is_a_known_uuid(sandbox: Sandbox, operation: str) -> None:
    call = getattr(sandbox.search, operation)

    unknown, wrong = (refusal(call, SearchJobIdentifier=identifier) for identifier in (UNKNOWN, "nightly"))

    assert (unknown["Code"], unknown["Status"]) == ("ResourceNotFoundException", 404)
    assert (wrong["Code"], wrong["Status"]) == ("ValidationException", 400)


def test_jobs_are_listed_by_status_and_in_pages_the_latest_first(sandbox: Sandbox) -> None:
    ended = [sandbox.simulator.finish_job("long", ended_ago=timedelta(hours=hours)) for hours in (1, 2, 3)]
    running = sandbox.start("long")

    pages = sandbox.search.get_paginator("list_search_jobs").paginate(PaginationConfig={"PageSize": 1})
    everything = [job["SearchJobIdentifier"] for page in pages for job in page["SearchJobs"]]
    completed = sandbox.search.list_search_jobs(ByStatus="COMPLETED")["SearchJobs"]

    assert everything == [running, *ended]
    assert [job["SearchJobIdentifier"] for job in completed] == ended
    assert sandbox.search.list_search_jobs(ByStatus="STOPPED")["SearchJobs"] == []


def test_a_status_that_the_model_lacks_is_listed_but_cannot_be_asked_for(sandbox: Sandbox) -> None:
    sandbox.simulator.finish_job(Scenario("odd", end_status="TIMED_OUT"))

    listed = sandbox.search.list_search_jobs()["SearchJobs"]
    error = refusal(sandbox.search.list_search_jobs, ByStatus="TIMED_OUT")

    assert [job["Status"] for job in listed] == ["TIMED_OUT"]
    assert error["Code"] == "ValidationException"
    assert "Value at 'Status'" in error["Message"]


def test_a_job_is_forgotten_seven_days_after_its_end(sandbox: Sandbox) -> None:
    identifier = sandbox.simulator.finish_job("long")

    sandbox.move(days=7, seconds=-1)
    before = sandbox.status(identifier)
    sandbox.move(seconds=1)

    assert before == "COMPLETED"
    error = refusal(sandbox.search.get_search_job, SearchJobIdentifier=identifier)
    assert error["Code"] == "ResourceNotFoundException"
    assert sandbox.search.list_search_jobs()["SearchJobs"] == []


def test_a_job_that_a_scenario_describes_exists_from_the_start() -> None:
    yesterday = Scenario("yesterday", backups=(BackupGroup(count=2),), ended_ago=timedelta(hours=3))

    with BackupSimulator(scenarios=[yesterday], clock=lambda: NOW) as simulator:
        jobs = json.loads(ask(simulator, "GET", "/search-jobs").body)["SearchJobs"]

    assert [(job["Name"], job["Status"]) for job in jobs] == [("yesterday", "COMPLETED")]
    assert jobs[0]["CompletionTime"] == (NOW - timedelta(hours=3)).timestamp()


def test_the_paginator_gets_every_row_once(sandbox: Sandbox) -> None:
    job = {"SearchJobIdentifier": sandbox.simulator.finish_job("big")}

    pages = list(sandbox.search.get_paginator("list_search_job_backups").paginate(**job))

    assert [len(page["Results"]) for page in pages] == [1000, 1000, 500]
    assert len({row["BackupResourceArn"] for page in pages for row in page["Results"]}) == 2500
    assert sum(row["Status"] == "TIMED_OUT" for page in pages for row in page["Results"]) == 100


def test_a_page_token_is_good_for_its_own_list_only(sandbox: Sandbox) -> None:
    call = sandbox.search.list_search_job_backups
    first, second = sandbox.simulator.finish_job("big"), sandbox.simulator.finish_job("big")
    token = call(SearchJobIdentifier=first)["NextToken"]

    foreign = refusal(call, SearchJobIdentifier=second, NextToken=token)
    forged = refusal(call, SearchJobIdentifier=first, NextToken="MTAwMA==")

    assert (foreign["Code"], forged["Code"]) == ("ValidationException", "ValidationException")


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("GET", f"/search-jobs/{UNKNOWN}/backups?maxResults=1001", b"", "'maxResults'.*less than or equal to 1000"),
        ("GET", "/search-jobs?MaxResults=0", b"", "'MaxResults'.*greater than or equal to 1"),
        ("GET", "/search-jobs?MaxResults=many", b"", "'MaxResults'.*integer"),
        ("GET", f"/search-jobs/{UNKNOWN}/search-results?maxResults=1001", b"", "'maxResults'.*less than or equal to"),
        ("PUT", "/search-jobs", b"{}", "'SearchScope'.*required"),
        ("PUT", "/search-jobs", b"[", "not JSON"),
        ("PUT", "/search-jobs", b"[]", "not a JSON object"),
        ("PUT", "/search-jobs", b'{"SearchScope": 1}', "'SearchScope'.*dictionary"),
        ("PUT", "/search-jobs", b'{"SearchScope": {"BackupResourceTypes": ["RDS"]}}', "should be 'S3' or 'EBS'"),
        ("PUT", "/search-jobs", b'{"SearchScope": {"BackupResourceTypes": ["S3", "EBS"]}}', "at most 1 item"),
        ("PUT", "/search-jobs", b'{"SearchScope": {"BackupResourceTypes": []}}', "at least 1 item"),
    ],
)
def test_input_outside_of_the_model_is_refused_in_words(
    sandbox: Sandbox, method: str, path: str, body: bytes, sentence: str
) -> None:
    # A request as a client without botocore's own checks would send it
    request = urllib.request.Request(f"{sandbox.simulator.endpoint_url}{path}", data=body or None, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)

    with caught.value as response:
        message = json.loads(response.read())["message"]
    assert (response.headers["x-amzn-errortype"], response.status) == ("ValidationException", 400)
    assert re.search(sentence, message), message


def test_the_same_client_token_gives_the_same_job(sandbox: Sandbox) -> None:
    first = sandbox.search.start_search_job(Name="long", ClientToken="once", **S3)
    again = sandbox.search.start_search_job(Name="long", ClientToken="once", **S3)
    other = refusal(sandbox.search.start_search_job, Name="other", ClientToken="once", **S3)

    assert first["SearchJobIdentifier"] == again["SearchJobIdentifier"]
    assert other["Code"] == "ConflictException"


def test_an_eleventh_concurrent_job_exceeds_the_quota(sandbox: Sandbox) -> None:
    for _ in range(10):
        sandbox.start("long")

    error = refusal(sandbox.search.start_search_job, Name="long", **S3)
    sandbox.move(seconds=100)

    assert (error["Code"], error["Status"]) == ("ServiceQuotaExceededException", 402)
    assert sandbox.start("long")


def test_quotas_can_be_turned_off() -> None:
    body = json.dumps({"Name": "long", **S3}).encode()

    with BackupSimulator(scenarios=[LONG], enforce_quotas=False) as simulator:
        statuses = {ask(simulator, "PUT", "/search-jobs", body).status for _ in range(12)}

    assert statuses == {200}


def test_an_operation_that_is_not_imitated_says_so(sandbox: Sandbox) -> None:
    error = refusal(sandbox.search.list_search_result_export_jobs)

    assert (error["Status"], error["Message"]) == (501, "The simulator does not imitate ListSearchResultExportJobs")


def test_requests_are_recorded_with_operation_status_and_input(sandbox: Sandbox) -> None:
    sandbox.search.list_search_jobs(MaxResults=5)
    refusal(sandbox.search.get_search_job, SearchJobIdentifier=UNKNOWN)

    recorded = [(request.operation, request.status, request.params) for request in sandbox.simulator.requests]
    assert recorded == [
        ("ListSearchJobs", 200, {"MaxResults": 5}),
        ("GetSearchJob", 404, {"SearchJobIdentifier": UNKNOWN}),
    ]


def test_a_page_of_a_list_of_a_million_rows_takes_milliseconds(sandbox: Sandbox) -> None:
    identifier = sandbox.simulator.finish_job(Scenario("huge", backups=(BackupGroup(count=1_000_000),)))
    path = f"/search-jobs/{identifier}/backups"
    ask(sandbox.simulator, "GET", path)

    durations = []
    for _ in range(5):
        began = time.perf_counter()
        page = ask(sandbox.simulator, "GET", path)
        durations.append(time.perf_counter() - began)

    assert len(json.loads(page.body)["Results"]) == 1000
    assert min(durations) < 0.02
