"""The watch function, with all its adapters."""

from datetime import timedelta

import boto3
import pytest

from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

DONE = Scenario("done", (BackupGroup(count=2), BackupGroup(status="FAILED")))


def test_a_search_job_is_announced_when_it_ends_with_the_event_of_the_contract(deployment: Deployment) -> None:
    deployment.simulator.add_scenario(Scenario("done", (BackupGroup(),), runs_for=timedelta(minutes=5)))
    search = boto3.client("backupsearch").start_search_job(Name="done", SearchScope={"BackupResourceTypes": ["S3"]})

    assert deployment.sweep() == {"known": 1, "ended": 0, "unreported": 0, "announced": 0}
    deployment.simulator.move_clock(timedelta(minutes=6))
    assert deployment.sweep() == {"known": 1, "ended": 1, "unreported": 1, "announced": 1}

    (event,) = deployment.put_events()
    detail = event["detail"]
    arn = f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/{search['SearchJobIdentifier']}"
    assert (event["source"], event["detail-type"]) == ("search-coverage", "Search Job State Change")
    assert event["resources"] == [arn] == [detail["searchJobArn"]]
    members = ["searchJobIdentifier", "searchJobArn", "name", "status", "creationTime", "completionTime"]
    assert list(detail) == members
    assert (detail["name"], detail["status"]) == ("done", "COMPLETED")
    assert detail["completionTime"].endswith("Z")


def test_a_second_sweep_in_a_fresh_environment_announces_nothing_twice(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)

    first, second = deployment.sweep(), deployment.sweep()

    assert (first["announced"], second["announced"], second["unreported"]) == (1, 0, 1)
    (event,) = deployment.put_events()
    deployment.report(event)
    assert deployment.summary(search_job) is not None
    assert deployment.sweep()["unreported"] == 0


def test_a_sweep_over_nothing_new_costs_two_calls_and_the_next_one_call(deployment: Deployment) -> None:
    for _ in range(3):
        deployment.report({"searchJobIdentifier": deployment.simulator.finish_job(DONE)})
    calls: list[str] = []
    module = deployment.hooked("watch", {"before-send": lambda request, **_: calls.append(request.method)})

    for seen in (["GET", "GET"], ["GET", "GET", "GET"]):  # a warm environment knows what it has seen in the bucket
        assert module.handler({}, Context()) == {"known": 3, "ended": 3, "unreported": 0, "announced": 0}
        assert calls == seen


def test_a_sweep_over_no_search_job_costs_one_call(deployment: Deployment) -> None:
    calls: list[str] = []
    module = deployment.hooked("watch", {"before-send": lambda request, **_: calls.append(request.method)})

    module.handler({}, Context())

    assert [request.operation for request in deployment.simulator.requests] == ["ListSearchJobs"]
    assert len(calls) == 1


def test_the_search_jobs_are_listed_to_the_end(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_coverage.aws.backup_search.PAGE_SIZE", 2)
    for _ in range(5):
        deployment.simulator.finish_job(Scenario("failed", end_status="FAILED"))

    assert deployment.sweep(SEARCH_JOB_STATUSES="COMPLETED")["known"] == 5
    assert len(deployment.simulator.requests) == 3
