"""Who makes a report when the one whose turn it was has died, or only seems to have."""

import threading
import time
from typing import Any

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.use_cases.ports import LeaseLost, ReportInProgress
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import Context, state_change

ONE_FAILED = Scenario("one-failed", (BackupGroup(count=2), BackupGroup(status="FAILED")))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lease show life, or be given up, within a second."""
    monkeypatch.setattr("search_coverage.aws.report_lease._RENEWED_EVERY_SECONDS", 0.02)
    monkeypatch.setattr("search_coverage.aws.report_lease._SECONDS_BETWEEN_LOOKS", 0.1)


class KilledError(BaseException):
    """Stands for the end of the process: nobody cleans up after it."""


def kill_while_reading(
    deployment: Deployment, search_job: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave behind what a process leaves that is killed in the middle of a report."""
    module = deployment.function("report")

    def die(**_: object) -> None:
        raise KilledError

    module.report_search_job.search._client.meta.events.register("before-send", die)
    with monkeypatch.context() as killed:
        killed.setattr("search_coverage.aws.report_lease.ReportLease.release", lambda _: None)
        with pytest.raises(KilledError):
            module.handler(state_change(search_job), context)


def lease(deployment: Deployment) -> dict[str, Any]:
    (item,) = [i for i in deployment.dynamodb.scan(TableName=deployment.table)["Items"] if "attempt" in i]
    return item


def hand_over(deployment: Deployment) -> None:
    """Let another attempt have the lease."""
    deployment.dynamodb.put_item(TableName=deployment.table, Item={**lease(deployment), "attempt": {"S": "another"}})


def live_owner(deployment: Deployment, search_job: str, request_id: str) -> Any:
    """Let somebody hold the lease and count it up, until the returned function is called."""
    owner = deployment.function("report").report_search_job.leases.acquire(search_job, request_id)
    ended = threading.Event()
    holding = threading.Event()

    def hold() -> None:
        with owner.kept():
            holding.set()
            ended.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)

    def end() -> None:
        ended.set()
        thread.join()

    return end


def test_lambdas_retry_of_a_killed_invocation_takes_over_its_lease(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    invocation = Context()
    kill_while_reading(deployment, search_job, invocation, monkeypatch)

    assert deployment.report(state_change(search_job), invocation)["created"] is True
    assert len(deployment.messages(deployment.people)) == 1


def test_another_invocation_takes_over_from_a_dead_one_as_well(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    kill_while_reading(deployment, search_job, Context(), monkeypatch)

    assert deployment.report(state_change(search_job))["created"] is True


@pytest.mark.parametrize("hours_ahead", [-10, 0, 10])
def test_the_clocks_of_two_machines_are_never_compared(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, hours_ahead: int
) -> None:
    # Given an invocation that was killed on a machine whose clock is wrong
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    with monkeypatch.context() as elsewhere:
        right = time.time
        elsewhere.setattr("search_coverage.aws.report_lease.time.time", lambda: right() + hours_ahead * 3600)
        kill_while_reading(deployment, search_job, Context(), monkeypatch)

    # Then its retry takes over all the same
    assert deployment.report(state_change(search_job))["created"] is True


def test_a_live_owner_keeps_its_lease_whatever_a_clock_says(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    end = live_owner(deployment, search_job, "another request")
    right = time.time
    monkeypatch.setattr("search_coverage.aws.report_lease.time.time", lambda: right() + 36_000)

    try:
        answer = deployment.report(state_change(search_job))
    finally:
        end()

    assert answer == {"searchJobIdentifier": search_job, "created": False, "inProgress": True}
    assert deployment.summary(search_job) is None


def test_the_same_invocation_twice_at_once_does_not_take_over_from_itself(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    invocation = Context()
    end = live_owner(deployment, search_job, invocation.aws_request_id)

    try:
        with pytest.raises(ReportInProgress, match="Lambda tries this one again"):
            deployment.report(state_change(search_job), invocation)
    finally:
        end()


def test_a_replay_beside_another_invocation_is_not_done_and_says_so(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    end = live_owner(deployment, search_job, "another request")

    try:
        with pytest.raises(ReportInProgress):
            deployment.report({"searchJobIdentifier": search_job, "replay": True})
    finally:
        end()


def test_a_lease_that_is_released_while_somebody_waits_is_taken_at_once(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    end = live_owner(deployment, search_job, "another request")
    module = deployment.function("report")
    module.report_search_job.leases._sleep = lambda _: end()

    assert module.handler(state_change(search_job), Context())["created"] is True


def test_one_that_was_taken_over_tells_nobody_and_lets_the_other_go_on(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")
    module.report_search_job.search._client.meta.events.register(
        "before-send.backupsearch.ListSearchJobBackups", lambda **_: hand_over(deployment)
    )

    with pytest.raises(LeaseLost, match="this one stops here"):
        module.handler(state_change(search_job), Context())

    assert deployment.messages(deployment.people) == []
    assert deployment.stored() == []
    assert lease(deployment)["attempt"]["S"] == "another"


def test_one_that_was_taken_over_while_it_uploads_leaves_the_mark_to_the_other(deployment: Deployment) -> None:
    # Given a report of which nobody is told, so that there is no digest to stop at
    search_job = deployment.simulator.finish_job(Scenario("nothing-failed", (BackupGroup(count=2),)))
    module = deployment.function("report")

    # When another attempt takes over while this one uploads
    module.report_search_job.bucket._client.meta.events.register(
        "before-send.s3.PutObject", lambda **_: hand_over(deployment)
    )
    with pytest.raises(LeaseLost):
        module.handler(state_change(search_job), Context())

    # Then the mark is left to the other, and the lease too
    assert deployment.summary(search_job) is None
    assert lease(deployment)["attempt"]["S"] == "another"


def test_a_lease_is_renewed_while_its_owner_is_alive_and_gone_when_it_is_done(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")
    seen: list[int] = []

    def wait(**_: object) -> None:
        seen.append(int(lease(deployment)["beats"]["N"]))
        time.sleep(0.5)
        seen.append(int(lease(deployment)["beats"]["N"]))

    module.report_search_job.search._client.meta.events.register("before-send.backupsearch.ListSearchJobBackups", wait)
    assert module.handler(state_change(search_job), Context())["created"] is True

    assert seen[1] - seen[0] > 2
    assert not [i for i in deployment.dynamodb.scan(TableName=deployment.table)["Items"] if "attempt" in i]


def test_people_are_not_told_again_when_only_the_mark_could_not_be_set(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")

    def refuse(*_: object) -> None:
        raise AwsCallFailed("S3 does not take summary.json")

    with monkeypatch.context() as broken:
        broken.setattr(type(module.report_search_job.bucket), "put_summary", refuse)
        for _ in range(3):
            with pytest.raises(AwsCallFailed):
                module.handler(state_change(search_job), Context())

    made = deployment.report(state_change(search_job))

    (mail,) = deployment.messages(deployment.people)
    summary = deployment.summary(search_job)
    assert made["created"] is True
    assert summary is not None
    assert summary["notification"]["messageIds"] == [mail["MessageId"]]


def test_people_who_were_told_something_else_are_told_again(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.dynamodb.put_item(
        TableName=deployment.table,
        Item={"id": {"S": f"told#{search_job}"}, "what": {"S": "COMPLETE: all"}, "message_id": {"S": "an-old-one"}},
    )

    deployment.report(state_change(search_job))

    assert len(deployment.messages(deployment.people)) == 1


def test_a_mail_that_went_out_is_no_failure_if_it_cannot_be_remembered(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")

    def fail_the_record(request: Any, **_: object) -> None:
        if b"told#" in request.body:
            raise ValueError("no connection")

    module.dynamodb.meta.events.register("before-send.dynamodb.PutItem", fail_the_record)

    assert module.handler(state_change(search_job), Context())["created"] is True
    assert len(deployment.messages(deployment.people)) == 1
