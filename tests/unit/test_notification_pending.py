"""SNS refuses for good: the report is there, the notification waits for it, and people get it once."""

from contextlib import suppress
from datetime import timedelta

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.report.files.summary import without_item_filters
from search_coverage.use_cases.ports import NotPublished
from search_coverage.use_cases.report_search_job import NotificationPending
from tests.examples import JOB_ID
from tests.fakes import FAILED, SEARCHED, World

MARK = "notification-pending.json"


@pytest.fixture
def world() -> World:
    """A report that could not be sent, because SNS takes nothing."""
    world = World()
    world.add_job()
    world.backups = [SEARCHED, FAILED]
    sns_takes_nothing(world)
    assert isinstance(world.report(request_id="first").pending, NotificationPending)
    return world


def sns_takes_nothing(world: World) -> None:
    world.fails["publish digest"] = NotPublished("SNS is not there.")


def sns_is_back(world: World) -> None:
    world.fails.clear()


def pending(world: World) -> str | None:
    """Return why the messages of the report are pending; it says so in the same way everywhere."""
    summary, line = world.bucket.named("summary.json"), world.bucket.named(f"{JOB_ID}.json")
    assert without_item_filters(summary) == line
    why: str | None = summary["notification"]["pending"]
    mark = world.bucket.named(MARK)
    assert (mark and mark["why"]) == why
    return why


def is_announced(world: World, hours: int) -> bool:
    return world.sweep(timedelta(hours=hours)).announced == 1


def test_a_report_whose_messages_sns_refuses_is_whole_and_says_so(world: World) -> None:
    assert pending(world) == "SNS is not there."
    summary = world.bucket.named("summary.json")
    assert (summary["verdict"], summary["notification"]["messageIds"]) == ("PARTIAL", [])
    assert world.bucket.has_files_of(summary)


def test_sweeps_announce_it_every_hour_until_people_are_notified_once(world: World) -> None:
    for hours in (0, 2, 4):
        assert is_announced(world, hours)
        with pytest.raises(NotificationPending, match=r"is whole, but its messages are not sent.*SNS is not there"):
            world.report()

    sns_is_back(world)
    assert is_announced(world, 6)
    world.report()

    assert len(world.digests) == 1
    assert world.bucket.named("summary.json")["notification"]["messageIds"] == ["digest-1"]
    assert pending(world) is None
    assert not is_announced(world, 8)


def test_a_retry_of_the_same_invocation_notifies_people(world: World) -> None:
    sns_is_back(world)

    assert world.report(request_id="first").created is True

    assert len(world.digests) == 1
    assert pending(world) is None


def test_a_job_with_pending_messages_counts_as_overdue(world: World) -> None:
    assert world.sweep(timedelta(hours=2)).overdue == 1


@pytest.mark.parametrize("before_the_call", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("call", ["put line", f"put {MARK}", f"remove {MARK}", "put summary.json"])
def test_the_mark_is_removed_in_the_end_whichever_write_an_attempt_dies_at(call: str, *, before_the_call: bool) -> None:
    # Given an attempt that SNS refuses, and that dies at one of its marks; and one that dies there when SNS is back
    world = World()
    world.add_job()
    world.backups = [SEARCHED, FAILED]
    for takes in (False, True):
        sns_is_back(world)
        if not takes:
            sns_takes_nothing(world)
        die_at(world, call, before_the_call=before_the_call)
        with suppress(AwsCallFailed, NotificationPending):
            world.report()
        world.does.clear()

    # When all works
    sns_is_back(world)
    world.report()

    # Then the mark is gone, and people were notified once
    assert pending(world) is None
    assert len(world.digests) == 1


def die_at(world: World, call: str, *, before_the_call: bool) -> None:
    """Fail at a call, or at the next one."""
    failure = AwsCallFailed("The attempt died.")
    if before_the_call:
        world.fails[call] = failure
        return
    every = ["confirm", "put line", "put summary.json", "put event", f"put {MARK}"]
    world.does[call] = lambda: world.fails.update(dict.fromkeys(set(every) - {call}, failure))


def test_while_sns_refuses_the_report_stays_as_it_is(world: World) -> None:
    before = dict(world.bucket.objects)

    for _ in range(3):
        with pytest.raises(NotificationPending):
            world.report()

    assert world.bucket.objects == before


def test_a_replay_that_sns_refuses_is_sent_by_a_later_sweep(world: World) -> None:
    # Given a report that people were notified of, and a replay of which SNS takes nothing
    sns_is_back(world)
    world.report()
    sns_takes_nothing(world)
    assert world.report(replay=True, request_id="replay").pending
    for _ in range(2):
        with pytest.raises(NotificationPending):
            world.report(replay=True, request_id="replay")

    # When SNS is back
    sns_is_back(world)
    assert is_announced(world, 2)
    world.report()

    # Then people are notified of it, once
    assert len(world.digests) == 2
    assert pending(world) is None
    assert not is_announced(world, 4)


def test_after_a_replay_a_report_that_is_made_again_is_not_mailed_again(world: World) -> None:
    sns_is_back(world)
    world.report(replay=True)
    world.bucket.remove_named("summary.json")

    assert world.report().created is True
    assert len(world.digests) == 1


def test_a_mark_of_an_attempt_that_woke_up_too_late_goes_with_the_next_announcement(world: World) -> None:
    stale = next((key, each) for key, each in world.bucket.objects.items() if key.endswith(MARK))
    sns_is_back(world)
    world.report()
    world.bucket.objects |= [stale]

    assert is_announced(world, 2)
    assert world.report().created is False

    assert pending(world) is None
    assert not is_announced(world, 4)
    assert len(world.digests) == 1
