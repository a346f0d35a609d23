"""A posture that is interrupted at any call: it is not lost, and its mail goes out, twice at most."""

from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.report.mail.messages import Message
from search_coverage.use_cases.ports import NotPublished
from tests.fakes_posture import PostureWorld, Through
from tests.interruptions import Crash, Interruption, interruptions


def a_week_later_it_got_worse() -> PostureWorld:
    """Return an account with a first posture, which was mailed, and a change since."""
    world = PostureWorld(target=90)
    world.hold_sources(payroll="ACTIVE", mail="ACTIVE")
    world.take()
    world.days_pass(7)
    world.hold_sources(payroll="ACTIVE", mail=None)
    return world


def every_interruption() -> Iterator[Interruption]:
    of_all = Interruption()
    world = a_week_later_it_got_worse()
    world.through = of_all.through
    world.take()
    assert {"topic.publish", "lease.confirm", "bus.posture_created", "vaults.points_of_vault"} <= set(of_all.calls)
    yield from interruptions(len(of_all.calls), Crash, lambda: NotPublished("AWS answered AccessDenied."))


def is_in_doubt(world: PostureWorld) -> bool:
    """Whether a mail is out, and the record does not have it."""
    return bool(world.record["messageId"] != f"message-{len(world.mails)}")


def has_false_mark(world: PostureWorld) -> bool:
    """Whether a summary confirms files that are not there."""
    return world.summary is not None and not world.bucket.has_files_of(world.summary)


def interrupt(world: PostureWorld, interruption: Interruption, request_id: str) -> int:
    """Take the posture until it is interrupted; return how many mails more than one may go out."""
    doubts = 0

    def look() -> None:
        nonlocal doubts
        doubts = int(is_in_doubt(world))

    interruption.happens = look
    world.through = interruption.through
    with suppress(Crash, SearchCoverageError):
        world.take(request_id)
    world.through = PostureWorld().through
    assert not has_false_mark(world)
    return doubts


def test_a_retry_makes_the_posture_whole_and_people_get_its_mail() -> None:
    for interruption in every_interruption():
        world = a_week_later_it_got_worse()
        doubts = interrupt(world, interruption, "the request")

        world.take("the request")
        if world.summary["mail"]["status"] == "NOT_DUE":  # AWS refused a list: nothing was known to be worse
            assert world.summary["status"] == "PARTIAL"
            world.days_pass(1)
            world.take()

        said = f"{interruption.calls[-1]} {interruption}"
        assert len(world.mails) == 2 + doubts, said
        assert world.summary["mail"]["status"] == "SENT", said
        assert (world.summary["since"] or {}).get("worse") == 1 or "not known" in world.summary["notes"][-1], said
        assert not has_false_mark(world), said
        assert world.events, said


def test_what_is_never_tried_again_is_made_good_by_the_next_posture() -> None:
    for interruption in every_interruption():
        world = a_week_later_it_got_worse()
        doubts = interrupt(world, interruption, "the request")

        world.days_pass(1)
        world.take()

        said = f"{interruption.calls[-1]} {interruption}"
        assert len(world.mails) == 2 + doubts, said
        assert world.summary["status"] == "COMPLETE", said
        assert not has_false_mark(world), said


def test_a_second_posture_of_the_day_that_is_interrupted_leaves_no_mark_on_files_that_are_not_its_own() -> None:
    for interruption in every_interruption():
        world = a_week_later_it_got_worse()
        world.take()
        mails = len(world.mails)

        interrupt(world, interruption, "another request")
        world.take("another request")

        assert len(world.mails) == mails, interruption
        assert not has_false_mark(world), interruption


@pytest.mark.parametrize("days", [1, 7])
def test_three_attempts_that_die_with_the_mail_in_doubt_are_enough_for_a_week(days: int) -> None:
    world = a_week_later_it_got_worse()
    before = len(world.mails)
    for _ in range(5):
        world.through = dying_after_the_mail(world)
        with suppress(Crash):
            world.take("the request")
    assert len(world.mails) - before == 3

    # When all works again
    world.through = PostureWorld().through
    world.days_pass(days)
    world.take()

    # Then the mail goes out, when a week has passed
    assert len(world.mails) - before == (4 if days == 7 else 3)


def dying_after_the_mail(world: PostureWorld) -> Through:
    def publish(message: Message) -> None:
        world.publish(message)
        raise Crash

    return lambda name, port: SimpleNamespace(publish=publish) if name == "topic" else port
