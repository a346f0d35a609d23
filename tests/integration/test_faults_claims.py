"""Whose turn it is to make a report, when the one whose turn it was died, or only seems to have."""

import time
from typing import Any

import pytest

from local.backup_simulator import BackupGroup, Scenario
from search_coverage.aws.claims import ClaimLost
from search_coverage.aws.errors import AwsCallFailed
from search_coverage.handlers.once import ReportInProgress
from tests.integration.conftest import Deployment
from tests.invocation import Context, state_change

ONE_FAILED = Scenario("one-failed", (BackupGroup(count=2), BackupGroup(status="FAILED")))


class KilledError(BaseException):
    """Stands for the end of the process: nobody cleans up after it."""


def kill_while_reading(deployment: Deployment, search_job: str, context: Context) -> None:
    """Leave behind what a process leaves that is killed in the middle of a report."""
    module = deployment.function("report")

    def die(**_: object) -> None:
        raise KilledError

    module.reporting.search._client.meta.events.register("before-send", die)
    with pytest.raises(KilledError):
        module.handler(state_change(search_job), context)


def claim(deployment: Deployment) -> dict[str, Any]:
    (item,) = [i for i in deployment.dynamodb.scan(TableName=deployment.table)["Items"] if "attempt" in i]
    return item


def change_claim(deployment: Deployment, **changes: Any) -> None:
    deployment.dynamodb.put_item(TableName=deployment.table, Item={**claim(deployment), **changes})


def a_minute_passes(deployment: Deployment) -> None:
    before = float(claim(deployment)["claimed_at"]["N"])
    change_claim(deployment, claimed_at={"N": str(before - 60)})


def test_lambdas_retry_of_a_killed_invocation_takes_over_its_claim(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    invocation = Context()
    kill_while_reading(deployment, search_job, invocation)
    a_minute_passes(deployment)

    assert deployment.report(state_change(search_job), invocation)["created"] is True
    assert len(deployment.messages(deployment.people)) == 1


def test_the_same_invocation_twice_at_once_does_not_take_over_from_itself(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    invocation = Context()
    kill_while_reading(deployment, search_job, invocation)

    with pytest.raises(ReportInProgress, match="Lambda tries this one again"):
        deployment.report(state_change(search_job), invocation)


def test_another_invocation_leaves_a_claimed_report_to_its_owner_and_counts_as_done(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    kill_while_reading(deployment, search_job, Context())
    a_minute_passes(deployment)

    answer = deployment.report(state_change(search_job))

    assert answer == {"searchJobIdentifier": search_job, "created": False, "inProgress": True}
    assert deployment.summary(search_job) is None


def test_a_replay_beside_another_invocation_is_not_done_and_says_so(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    kill_while_reading(deployment, search_job, Context())

    with pytest.raises(ReportInProgress):
        deployment.report({"searchJobIdentifier": search_job, "replay": True})


def test_a_claim_ends_with_the_deadline_of_its_owner(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    kill_while_reading(deployment, search_job, Context(seconds_left=-1.0))

    assert deployment.report(state_change(search_job))["created"] is True


def test_one_that_was_taken_over_tells_nobody_and_lets_the_other_go_on(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")

    def take_over(**_: object) -> None:
        change_claim(deployment, attempt={"S": "another"})

    module.reporting.search._client.meta.events.register("before-send.backupsearch.ListSearchJobBackups", take_over)
    with pytest.raises(ClaimLost, match="this one stops here"):
        module.handler(state_change(search_job), Context())

    assert deployment.messages(deployment.people) == []
    assert deployment.summary(search_job) is None
    assert claim(deployment)["attempt"]["S"] == "another"


def test_one_that_was_taken_over_writes_nothing_and_leaves_the_others_answer(deployment: Deployment) -> None:
    # Given a report of which nobody is told, so that there is no digest to stop at
    search_job = deployment.simulator.finish_job(Scenario("nothing-failed", (BackupGroup(count=2),)))
    module = deployment.function("report")

    def take_over(**_: object) -> None:
        change_claim(deployment, attempt={"S": "another"})

    # When another attempt takes over while this one uploads
    module.reporting.bucket._client.meta.events.register("before-send.s3.PutObject", take_over)
    with pytest.raises(ClaimLost):
        module.handler(state_change(search_job), Context())

    # Then the mark is left to the other
    assert deployment.summary(search_job) is None
    assert (claim(deployment)["attempt"]["S"], claim(deployment)["status"]["S"]) == ("another", "INPROGRESS")


def test_the_answer_of_one_that_was_taken_over_at_the_very_end_is_not_kept(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")

    def take_over(**_: object) -> None:
        change_claim(deployment, attempt={"S": "another"})

    module.reporting.bus._client.meta.events.register("before-send.events.PutEvents", take_over)
    assert module.handler(state_change(search_job), Context())["created"] is True

    assert (claim(deployment)["attempt"]["S"], claim(deployment)["status"]["S"]) == ("another", "INPROGRESS")


def test_a_claim_is_renewed_while_its_owner_is_alive(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")
    monkeypatch.setattr("search_coverage.aws.claims._RENEWED_EVERY_SECONDS", 0.05)
    seen: list[float] = []

    def wait(**_: object) -> None:
        seen.append(float(claim(deployment)["claimed_at"]["N"]))
        time.sleep(0.5)
        seen.append(float(claim(deployment)["claimed_at"]["N"]))

    module.reporting.search._client.meta.events.register("before-send.backupsearch.ListSearchJobBackups", wait)
    assert module.handler(state_change(search_job), Context())["created"] is True

    assert seen[1] - seen[0] > 0.2


def test_people_are_not_told_again_when_only_the_mark_could_not_be_set(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    module = deployment.function("report")

    def refuse(*_: object) -> None:
        raise AwsCallFailed("S3 does not take summary.json")

    with monkeypatch.context() as broken:
        broken.setattr(type(module.reporting.bucket), "put_summary", refuse)
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
    puts: list[object] = []

    def fail_the_second(**_: object) -> None:
        puts.append(1)
        if len(puts) > 1:
            raise ValueError("no connection")

    module.once._claims.client.meta.events.register("before-send.dynamodb.PutItem", fail_the_second)

    assert module.handler(state_change(search_job), Context())["created"] is True
    assert len(deployment.messages(deployment.people)) == 1
