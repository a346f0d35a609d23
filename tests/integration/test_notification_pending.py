"""SNS refuses for good: the report is there, the notification waits for it, and people hear of it once."""

import json
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from search_coverage.names import STATE_CHANGE
from search_coverage.use_cases.report_search_job import NotificationPending
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import Context, state_change

ONE_FAILED = Scenario("one-failed", (BackupGroup(count=2), BackupGroup(status="FAILED")))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK repeats without waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)


def refusing(deployment: Deployment) -> ModuleType:
    """Load a report function of which SNS takes nothing."""
    module = deployment.function("report")

    def refuse(**_: object) -> None:
        raise ValueError("SNS is not there")

    module.report_search_job.notifier.topic._client.meta.events.register("before-send.sns.Publish", refuse)
    return module


def marks(deployment: Deployment) -> list[str]:
    return [key for key in deployment.stored() if key.endswith("notification-pending.json")]


def sweep_later(deployment: Deployment, hours: int) -> list[dict[str, Any]]:
    """Sweep some hours from now, and give the events that it puts."""
    deployment.put_events()
    module = deployment.function("watch")
    with patch.object(module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = datetime.now(UTC) + timedelta(hours=hours)
        module.handler({}, Context())
    return [event for event in deployment.put_events() if event["detail-type"] == STATE_CHANGE]


def test_a_report_whose_messages_sns_refuses_is_whole_and_says_so(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)

    with pytest.raises(NotificationPending, match=r"is whole, but its messages are not sent.*SNS is not there"):
        refusing(deployment).handler(state_change(search_job), Context())

    summary = deployment.summary(search_job)
    assert summary
    assert (summary["verdict"], summary["notification"]["messageIds"]) == ("PARTIAL", [])
    assert "SNS is not there" in summary["notification"]["pending"]
    (mark,) = marks(deployment)
    assert json.loads(deployment.read(mark))["notification"] == "pending"
    assert len(deployment.csv_rows(search_job)) == 1


def test_sweeps_announce_it_every_hour_until_people_are_told_once(deployment: Deployment) -> None:
    # Given an SNS that refuses for hours
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    broken = refusing(deployment)
    for hour in (0, 2, 4):
        (event,) = sweep_later(deployment, hour)
        with pytest.raises(NotificationPending):
            broken.handler(event, Context())

    # When it is there again
    (event,) = sweep_later(deployment, 6)
    deployment.report(event)

    # Then people are told once, and no sweep announces the job any more
    (mail,) = deployment.messages(deployment.people)
    summary = deployment.summary(search_job)
    assert summary
    assert summary["notification"]["messageIds"] == [mail["MessageId"]]
    assert summary["notification"]["pending"] is None
    assert marks(deployment) == []
    assert sweep_later(deployment, 8) == []


def test_a_retry_of_the_same_invocation_tells_people(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    invocation = Context()
    with pytest.raises(NotificationPending):
        refusing(deployment).handler(state_change(search_job), invocation)

    assert deployment.report(state_change(search_job), invocation)["created"] is True

    assert len(deployment.messages(deployment.people)) == 1
    assert marks(deployment) == []


def test_a_job_with_pending_messages_counts_as_overdue(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED, ended_ago=timedelta(hours=2))
    with pytest.raises(NotificationPending):
        refusing(deployment).handler(state_change(search_job), Context())

    deployment.sweep()

    assert '"SearchJobsOverdue":[1.0]' in capsys.readouterr().out


@pytest.mark.parametrize("dies_at", ["summaries/", "notification-pending.json", "summary.json"])
def test_whatever_write_it_dies_at_the_mark_goes_in_the_end(deployment: Deployment, dies_at: str) -> None:
    # Given an attempt that SNS refuses, and that dies at one of its marks; and one that dies there when SNS is back
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    event = state_change(search_job)

    def die(request: Any, **_: object) -> None:
        if dies_at in request.url and request.method in {"PUT", "DELETE"}:
            raise ValueError("the power is gone")

    told = 0
    for module in (refusing(deployment), deployment.function("report")):
        module.report_search_job.bucket._client.meta.events.register("before-send.s3", die)
        with pytest.raises(Exception, match="power"):
            module.handler(event, Context())
        told = told or len(deployment.messages(deployment.people))
        if not told:
            with pytest.raises(NotificationPending):
                refusing(deployment).handler(event, Context())

    # When all works
    deployment.report(event)

    # Then
    assert marks(deployment) == []
    assert deployment.summary(search_job)["notification"]["pending"] is None  # type: ignore[index]
    assert told + len(deployment.messages(deployment.people)) == 1


def test_while_sns_refuses_the_report_stays_as_it_is(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    broken = refusing(deployment)
    with pytest.raises(NotificationPending):
        broken.handler(state_change(search_job), Context())
    before = versions(deployment)

    for _ in range(3):
        with pytest.raises(NotificationPending):
            broken.handler(state_change(search_job), Context())

    assert versions(deployment) == before
    assert deployment.summary(search_job) is not None


def test_a_replay_that_sns_refuses_is_told_by_a_later_sweep(deployment: Deployment) -> None:
    # Given a report of which people were told, and a replay of which SNS takes nothing
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))
    replay, invocation = {"searchJobIdentifier": search_job, "replay": True}, Context()
    broken = refusing(deployment)
    for _ in range(3):
        with pytest.raises(NotificationPending):
            broken.handler(replay, invocation)
    deployment.messages(deployment.people)

    # When SNS is back
    (event,) = sweep_later(deployment, 2)
    deployment.report(event)

    # Then people hear of it, once
    assert len(deployment.messages(deployment.people)) == 1
    assert marks(deployment) == []
    assert sweep_later(deployment, 4) == []


def test_after_a_replay_a_report_that_is_made_again_is_not_mailed_again(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    with pytest.raises(NotificationPending):
        refusing(deployment).handler(state_change(search_job), Context())
    deployment.report({"searchJobIdentifier": search_job, "replay": True})
    (key,) = [key for key in deployment.stored() if key.endswith("/summary.json")]
    deployment.s3.delete_object(Bucket=deployment.bucket, Key=key)

    assert deployment.report(state_change(search_job))["created"] is True
    assert len(deployment.messages(deployment.people)) == 1


def test_a_mark_that_an_attempt_left_which_woke_up_too_late_goes_with_the_next_announcement(
    deployment: Deployment,
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))
    (key,) = [key for key in deployment.stored() if key.endswith("/summary.json")]
    stale = key.replace("summary.json", "notification-pending.json")
    deployment.s3.put_object(Bucket=deployment.bucket, Key=stale, Body=b"{}")

    (event,) = sweep_later(deployment, 2)
    assert deployment.report(event)["created"] is False

    assert marks(deployment) == []
    assert sweep_later(deployment, 4) == []
    assert len(deployment.messages(deployment.people)) == 1


def test_a_report_whose_messages_are_pending_is_counted_and_logged(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    with pytest.raises(NotificationPending):
        refusing(deployment).handler(state_change(search_job), Context())

    assert '"ReportsIncomplete":[1.0]' in capsys.readouterr().out


def versions(deployment: Deployment) -> int:
    """Count the versions of all objects, and what was removed."""
    listed = deployment.s3.list_object_versions(Bucket=deployment.bucket)
    return len(listed["Versions"]) + len(listed.get("DeleteMarkers", []))
