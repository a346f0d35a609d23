"""What the backup simulator promises: boto3 sees AWS Backup search, and botocore's own parser finds nothing wrong."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from simulators.backup_search import BackupGroup, BackupSimulator, Progress, Scenario
from simulators.backup_search.protocol import Service, service_of
from simulators.backup_search.search_jobs import JobStatus
from simulators.backup_search.tests.asking import request

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient

MODEL = ServiceModel(create_loader().load_service_model("backupsearch", "service-2"), "backupsearch")
UNKNOWN = "6f1f7a5e-0000-4000-8000-000000000000"
OPERATIONS = ("GetSearchJob", "ListSearchJobBackups", "ListSearchJobs", "StartSearchJob", "StopSearchJob")


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Sandbox:
    """A running simulator with a clock that stands still, and a client that does not retry."""

    clock: HandClock
    simulator: BackupSimulator
    client: BackupSearchClient
    s3: dict[str, Any] = field(default_factory=lambda: {"SearchScope": {"BackupResourceTypes": ["S3"]}})

    def start(self, name: str) -> str:
        return self.client.start_search_job(Name=name, SearchScope={"BackupResourceTypes": ["S3"]})[
            "SearchJobIdentifier"
        ]

    def status(self, identifier: str) -> str:
        return self.client.get_search_job(SearchJobIdentifier=identifier)["Status"]

    def refused(self, operation: str, **params: Any) -> dict[str, Any]:
        """Calls an operation that must fail; returns the error's code, status and message."""
        with pytest.raises(ClientError) as caught:
            getattr(self.client, operation)(**params)
        response: dict[str, Any] = dict(caught.value.response)
        return {"status": response["ResponseMetadata"]["HTTPStatusCode"], **response["Error"], **response}


LONG = Scenario(
    "long",
    backups=(BackupGroup(count=6), BackupGroup(count=4, status="FAILED", status_message="Access denied {i}")),
    runs_for=timedelta(seconds=100),
    stops_for=timedelta(seconds=5),
    status_message="Some recovery points could not be scanned",
)
BIG = Scenario("big", backups=(BackupGroup(count=2400), BackupGroup(count=100, status="TIMED_OUT")))


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    clock = HandClock()
    with BackupSimulator(scenarios=[LONG, BIG], clock=clock) as simulator:
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        client = boto3.client(
            "backupsearch", region_name="us-east-1", endpoint_url=simulator.endpoint_url, config=config
        )
        yield Sandbox(clock, simulator, client)
        client.close()


def test_a_started_job_runs_and_ends_by_the_clock(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.start("long")

    # When
    running = sandbox.client.get_search_job(SearchJobIdentifier=identifier)
    sandbox.clock.move(seconds=100)
    ended = sandbox.client.get_search_job(SearchJobIdentifier=identifier)

    # Then
    assert (running["Status"], ended["Status"]) == ("RUNNING", "COMPLETED")
    assert not {"CompletionTime", "StatusMessage"} & set(running)
    assert ended["CompletionTime"] - ended["CreationTime"] == timedelta(seconds=100)
    assert ended["StatusMessage"] == LONG.status_message
    assert ended["SearchJobArn"] == f"arn:aws:backup-search:us-east-1:000000000000:search-job/{identifier}"
    assert ended["SearchScopeSummary"]["TotalRecoveryPointsToScanCount"] == 10
    assert ended["CurrentSearchProgress"]["RecoveryPointsScannedCount"] == 6


def test_the_list_of_a_running_job_is_incomplete(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.start("long")

    # When
    counts = []
    for _ in range(5):
        counts.append(len(sandbox.client.list_search_job_backups(SearchJobIdentifier=identifier)["Results"]))
        sandbox.clock.move(seconds=33)

    # Then
    assert counts == [0, 3, 6, 9, 10]


def test_a_job_without_a_scenario_fails_at_once_as_in_an_account_without_indexes(sandbox: Sandbox) -> None:
    # When
    nameless = sandbox.client.start_search_job(SearchScope={"BackupResourceTypes": ["EBS"]})
    unknown = sandbox.start("no such scenario")

    # Then
    for identifier in (nameless["SearchJobIdentifier"], unknown):
        assert sandbox.status(identifier) == "FAILED"
        assert sandbox.client.list_search_job_backups(SearchJobIdentifier=identifier)["Results"] == []


def test_a_stopped_job_is_stopping_then_stopped_and_its_unsearched_rows_are_stopped(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.start("long")
    sandbox.clock.move(seconds=70)

    # When
    sandbox.client.stop_search_job(SearchJobIdentifier=identifier)
    stopping = sandbox.status(identifier)
    sandbox.client.stop_search_job(SearchJobIdentifier=identifier)
    sandbox.clock.move(seconds=5)

    # Then
    assert (stopping, sandbox.status(identifier)) == ("STOPPING", "STOPPED")
    rows = sandbox.client.list_search_job_backups(SearchJobIdentifier=identifier)["Results"]
    assert [row["Status"] for row in rows] == ["COMPLETED"] * 6 + ["FAILED"] + ["STOPPED"] * 3


def test_a_job_that_has_ended_cannot_be_stopped(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.simulator.finish_job("long")

    # When
    error = sandbox.refused("stop_search_job", SearchJobIdentifier=identifier)

    # Then
    assert (error["Code"], error["status"], error["resourceId"]) == ("ConflictException", 409, identifier)


@pytest.mark.parametrize("operation", ["get_search_job", "list_search_job_backups", "stop_search_job"])
def test_an_identifier_is_a_known_uuid(sandbox: Sandbox, operation: str) -> None:
    # When
    unknown = sandbox.refused(operation, SearchJobIdentifier=UNKNOWN)
    wrong = sandbox.refused(operation, SearchJobIdentifier="nightly")

    # Then
    assert (unknown["Code"], unknown["status"]) == ("ResourceNotFoundException", 404)
    assert (wrong["Code"], wrong["status"]) == ("ValidationException", 400)


def test_jobs_are_listed_by_status_and_in_pages_the_latest_first(sandbox: Sandbox) -> None:
    # Given
    ended = [sandbox.simulator.finish_job("long", ended_ago=timedelta(hours=hours)) for hours in (1, 2, 3)]
    running = sandbox.start("long")

    # When
    pages = sandbox.client.get_paginator("list_search_jobs").paginate(PaginationConfig={"PageSize": 1})
    everything = [job["SearchJobIdentifier"] for page in pages for job in page["SearchJobs"]]
    completed = sandbox.client.list_search_jobs(ByStatus="COMPLETED")["SearchJobs"]

    # Then
    assert everything == [running, *ended]
    assert [job["SearchJobIdentifier"] for job in completed] == ended
    assert sandbox.client.list_search_jobs(ByStatus="STOPPED")["SearchJobs"] == []


def test_a_status_that_the_model_lacks_is_listed_but_cannot_be_asked_for(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.finish_job(Scenario("odd", end_status="TIMED_OUT"))

    # When
    listed = sandbox.client.list_search_jobs()["SearchJobs"]
    unknown: Any = "TIMED_OUT"
    error = sandbox.refused("list_search_jobs", ByStatus=unknown)

    # Then
    assert [job["Status"] for job in listed] == ["TIMED_OUT"]
    assert error["Code"] == "ValidationException"
    assert "Value at 'Status'" in error["Message"]


def test_a_job_is_forgotten_seven_days_after_its_end(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.simulator.finish_job("long")

    # When
    sandbox.clock.move(days=7, seconds=-1)
    before = sandbox.status(identifier)
    sandbox.clock.move(seconds=1)

    # Then
    assert before == "COMPLETED"
    assert sandbox.refused("get_search_job", SearchJobIdentifier=identifier)["Code"] == "ResourceNotFoundException"
    assert sandbox.client.list_search_jobs()["SearchJobs"] == []


def test_a_job_that_a_scenario_describes_exists_from_the_start() -> None:
    # Given
    yesterday = Scenario("yesterday", backups=(BackupGroup(count=2),), ended_ago=timedelta(hours=3))

    # When
    clock = HandClock()
    with BackupSimulator(scenarios=[yesterday], clock=clock) as simulator:
        jobs = json.loads(simulator.answer(request("GET", "/search-jobs")).body)["SearchJobs"]

    # Then
    assert [(job["Name"], job["Status"]) for job in jobs] == [("yesterday", "COMPLETED")]
    assert jobs[0]["CompletionTime"] == (clock.now - timedelta(hours=3)).timestamp()


def test_the_paginator_gets_every_row_once(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.simulator.finish_job("big")

    # When
    paginator = sandbox.client.get_paginator("list_search_job_backups")
    pages = list(paginator.paginate(SearchJobIdentifier=identifier))

    # Then
    assert [len(page["Results"]) for page in pages] == [1000, 1000, 500]
    assert len({row["BackupResourceArn"] for page in pages for row in page["Results"]}) == 2500
    assert sum(str(row["Status"]) == "TIMED_OUT" for page in pages for row in page["Results"]) == 100


def test_a_page_token_is_good_for_its_own_list_only(sandbox: Sandbox) -> None:
    # Given
    first, second = sandbox.simulator.finish_job("big"), sandbox.simulator.finish_job("big")
    token = sandbox.client.list_search_job_backups(SearchJobIdentifier=first)["NextToken"]

    # When
    foreign = sandbox.refused("list_search_job_backups", SearchJobIdentifier=second, NextToken=token)
    made_up = sandbox.refused("list_search_job_backups", SearchJobIdentifier=first, NextToken="MTAwMA==")

    # Then
    assert (foreign["Code"], made_up["Code"]) == ("ValidationException", "ValidationException")


def test_input_outside_of_the_model_is_refused_in_words(sandbox: Sandbox) -> None:
    # Given: requests as a client without botocore's own checks would send them
    base = sandbox.simulator.endpoint_url
    cases = {
        ("GET", f"/search-jobs/{UNKNOWN}/backups?maxResults=1001", b""): "'maxResults'.*less than or equal to 1000",
        ("GET", "/search-jobs?MaxResults=0", b""): "'MaxResults'.*greater than or equal to 1",
        ("GET", "/search-jobs?MaxResults=many", b""): "'MaxResults'.*integer",
        ("PUT", "/search-jobs", b"{}"): "'SearchScope'.*required",
        ("PUT", "/search-jobs", b"["): "no JSON",
        ("PUT", "/search-jobs", b'{"SearchScope": 1}'): "'SearchScope'.*dictionary",
        ("PUT", "/search-jobs", b'{"SearchScope": {"BackupResourceTypes": ["RDS"]}}'): "'S3' or 'EBS'",
        ("PUT", "/search-jobs", b'{"SearchScope": {"BackupResourceTypes": ["S3", "EBS"]}}'): "at most 1 item",
        ("PUT", "/search-jobs", b'{"SearchScope": {"BackupResourceTypes": []}}'): "at least 1 item",
    }
    for (method, path, body), pattern in cases.items():
        # When
        request = urllib.request.Request(f"{base}{path}", data=body or None, method=method)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as response:
            message = json.loads(response.read())["message"]

        # Then
        assert response.headers["x-amzn-errortype"] == "ValidationException"
        assert response.status == 400
        assert re.search(pattern, message), message


def test_the_same_client_token_gives_the_same_job(sandbox: Sandbox) -> None:
    # When
    first = sandbox.client.start_search_job(Name="long", ClientToken="once", **sandbox.s3)
    again = sandbox.client.start_search_job(Name="long", ClientToken="once", **sandbox.s3)
    other = sandbox.refused("start_search_job", Name="other", ClientToken="once", **sandbox.s3)

    # Then
    assert first["SearchJobIdentifier"] == again["SearchJobIdentifier"]
    assert other["Code"] == "ConflictException"


def test_an_eleventh_concurrent_job_exceeds_the_quota(sandbox: Sandbox) -> None:
    # Given
    for _ in range(10):
        sandbox.start("long")

    # When
    error = sandbox.refused("start_search_job", Name="long", **sandbox.s3)
    sandbox.clock.move(seconds=100)

    # Then
    assert (error["Code"], error["status"]) == ("ServiceQuotaExceededException", 402)
    assert sandbox.start("long")


def test_quotas_can_be_turned_off() -> None:
    # Given
    body = json.dumps({"Name": "long", "SearchScope": {"BackupResourceTypes": ["S3"]}}).encode()

    # When
    with BackupSimulator(scenarios=[LONG], enforce_quotas=False) as simulator:
        statuses = {simulator.answer(request("PUT", "/search-jobs", body=body)).status for _ in range(12)}

    # Then
    assert statuses == {200}


def test_every_output_and_every_error_satisfies_botocores_own_parser(sandbox: Sandbox) -> None:
    # Given: a job that uses every member there is
    scope = {
        "BackupResourceTypes": ["S3"],
        "BackupResourceCreationTime": {"CreatedAfter": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
        "SourceResourceArns": ["arn:aws:s3:::invoices"],
        "BackupResourceTags": {"team": "finance"},
    }
    filters = {"S3ItemFilters": [{"ObjectKeys": [{"Value": "a", "Operator": "CONTAINS"}], "Sizes": [{"Value": 1}]}]}
    sandbox.simulator.add_scenario(
        Scenario(
            "full",
            backups=(BackupGroup(count=2, status_message="m"),),
            status_message="m",
            progress=Progress(items_matched=7),
        )
    )
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    whole: dict[str, Any] = {"SearchScope": scope, "ItemFilters": filters, "EncryptionKeyArn": key, "Name": "full"}
    job = {"SearchJobIdentifier": sandbox.client.start_search_job(**whole)["SearchJobIdentifier"]}
    running = {"SearchJobIdentifier": sandbox.start("long")}
    calls: dict[str, dict[str, Any]] = {
        "GetSearchJob": job,
        "ListSearchJobBackups": {**job, "MaxResults": 1},
        "ListSearchJobs": {"MaxResults": 1},
        "StartSearchJob": whole,
        "StopSearchJob": running,
    }
    names = {"GetSearchJob": "get_search_job", "ListSearchJobs": "list_search_jobs"}
    names |= {"ListSearchJobBackups": "list_search_job_backups"}
    names |= {"StartSearchJob": "start_search_job", "StopSearchJob": "stop_search_job"}

    for operation in OPERATIONS:
        model = MODEL.operation_model(operation)
        # When: it answers
        response = getattr(sandbox.client, names[operation])(**calls[operation])
        metadata = response.pop("ResponseMetadata")

        # Then: the parsed output has all members, and all of the right types
        assert model.output_shape is not None
        report = ParamValidator().validate(response, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        assert set(response) == set(model.output_shape.members)
        assert metadata["HTTPStatusCode"] == model.http["responseCode"]

        for error_shape in model.error_shapes:
            # When: it fails
            code = error_shape.name
            sandbox.simulator.faults.add("error", operation=operation, error_code=code, message="why", times=1)
            error = sandbox.refused(names[operation], **calls[operation])

            # Then: code, status, message and required members are there
            assert (error["Code"], error["Message"]) == (code, "why")
            assert error["status"] == error_shape.metadata["error"]["httpStatusCode"]
            assert error["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == code
            assert set(error_shape.metadata["required"]) <= {*error, "message"}

    details = sandbox.client.get_search_job(**job)
    assert details["SearchScope"] == scope
    assert details["ItemFilters"] == filters


def test_only_errors_of_the_operations_own_model_are_answered() -> None:
    # Given: the errors that each operation raises by itself, found by the tests above
    raised = {
        "GetSearchJob": {"ResourceNotFoundException", "ValidationException"},
        "ListSearchJobBackups": {"ResourceNotFoundException", "ValidationException"},
        "ListSearchJobs": {"ValidationException"},
        "StartSearchJob": {"ConflictException", "ServiceQuotaExceededException", "ValidationException"},
        "StopSearchJob": {"ConflictException", "ResourceNotFoundException", "ValidationException"},
    }
    for operation, codes in raised.items():
        # Then
        assert codes <= {shape.name for shape in MODEL.operation_model(operation).error_shapes}


def test_the_statuses_that_the_clock_gives_are_the_models() -> None:
    assert set(JobStatus) < set(getattr(MODEL.shape_for("SearchJobState"), "enum", []))


def test_an_operation_that_is_not_imitated_says_so(sandbox: Sandbox) -> None:
    # When
    error = sandbox.refused("list_search_result_export_jobs")

    # Then
    assert (error["status"], error["Message"]) == (501, "The simulator does not imitate ListSearchResultExportJobs")


def test_requests_are_recorded_with_operation_status_and_input(sandbox: Sandbox) -> None:
    # When
    sandbox.client.list_search_jobs(MaxResults=5)
    sandbox.refused("get_search_job", SearchJobIdentifier=UNKNOWN)

    # Then
    recorded = [(request.operation, request.status, request.params) for request in sandbox.simulator.requests]
    assert recorded == [
        ("ListSearchJobs", 200, {"MaxResults": 5}),
        ("GetSearchJob", 404, {"SearchJobIdentifier": UNKNOWN}),
    ]


def test_a_page_of_a_list_of_a_million_rows_takes_milliseconds(sandbox: Sandbox) -> None:
    # Given
    identifier = sandbox.simulator.finish_job(Scenario("huge", backups=(BackupGroup(count=1_000_000),)))
    asked = request("GET", f"/search-jobs/{identifier}/backups")
    sandbox.simulator.answer(asked)

    # When
    durations = []
    for _ in range(5):
        began = time.perf_counter()
        page = sandbox.simulator.answer(asked)
        durations.append(time.perf_counter() - began)

    # Then
    assert len(json.loads(page.body)["Results"]) == 1000
    assert min(durations) < 0.02


def test_a_second_service_of_the_same_protocol_needs_only_its_model() -> None:
    # Given: both have GET /tags/{arn}, and AWS tells them apart by host name
    services = (Service("backupsearch"), Service("backup"))
    scope = "AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/{}/aws4_request, SignedHeaders=host"
    arn = "arn%3Aaws%3Abackup%3Aus-east-1%3A000000000000%3Abackup-vault%3Amine%2Fall"

    for name, operation in (("backup-search", "ListTagsForResource"), ("backup", "ListTags")):
        # When
        asked = request("GET", f"/tags/{arn}", Authorization=scope.format(name))
        (service,) = service_of(asked, services)
        match = service.match(asked)

        # Then
        assert match is not None
        assert match[0].name == operation
        assert list(match[1].values()) == ["arn:aws:backup:us-east-1:000000000000:backup-vault:mine/all"]
