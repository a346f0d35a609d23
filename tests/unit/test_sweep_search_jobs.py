"""Sweeping: every search job that has ended and has no report is announced, and none of them for nothing."""

import uuid
from datetime import timedelta

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_job import SearchJob
from search_coverage.use_cases.sweep_search_jobs import Sweep
from tests.fakes import FAILED, NOW, SEARCHED, World

REFUSED = AwsCallFailed("It was refused.")


@pytest.fixture
def world() -> World:
    world = World()
    world.backups = [SEARCHED, FAILED]
    return world


def ended(world: World, ago: timedelta = timedelta(0), status: str = "COMPLETED") -> SearchJob:
    """Add another search job that ended so long ago."""
    return world.add_job(identifier=str(uuid.uuid4()), completion_time=NOW - ago, status=status)


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "STOPPED", "TIMED_OUT"])
def test_a_search_job_is_announced_however_it_ended(world: World, status: str) -> None:
    job = ended(world, status=status)

    assert world.sweep() == Sweep(known=1, ended=1, unreported=1, announced=1)
    assert world.announced == [job.identifier]


def test_a_running_search_job_is_not_announced_before_it_ends(world: World) -> None:
    job = world.add_job(status="RUNNING")
    assert world.sweep() == Sweep(known=1, ended=0, unreported=0, announced=0)

    world.add_job(identifier=job.identifier)
    assert world.sweep().announced == 1


def test_a_setting_leaves_out_statuses_but_never_one_that_aws_adds_later(world: World) -> None:
    ended(world, status="STOPPED")
    ended(world, status="FAILED")
    jobs = [ended(world), ended(world, status="TIMED_OUT")]

    world.sweep(statuses=["COMPLETED"])

    assert sorted(world.announced) == sorted(job.identifier for job in jobs)


def test_a_search_job_whose_report_is_missing_is_announced_again_after_an_hour_and_not_before(world: World) -> None:
    ended(world)

    announced = [world.sweep(timedelta(minutes=minutes)).announced for minutes in (0, 0, 59, 61, 119)]

    assert announced == [1, 0, 0, 1, 0]


def test_a_search_job_with_a_report_is_never_announced_again(world: World) -> None:
    world.add_job()
    world.report()

    assert world.sweep(timedelta(days=2)) == Sweep(known=1, ended=1, unreported=0, announced=0)


def test_a_report_without_its_mark_counts_as_missing(world: World) -> None:
    world.add_job()
    world.report()
    world.bucket.remove_named("summary.json")

    assert world.sweep().announced == 1


def test_a_lost_event_is_made_good_by_a_later_sweep(world: World) -> None:
    job = world.add_job()
    world.sweep()
    world.announced.clear()  # lost

    world.sweep(timedelta(hours=1, minutes=1))
    assert world.announced == [job.identifier]
    world.report()

    assert world.bucket.named("summary.json") is not None
    assert len(world.digests) == 1


def test_after_a_day_without_sweeps_the_next_one_announces_all_oldest_first(world: World) -> None:
    ages = [timedelta(days=1), timedelta(days=6), timedelta(hours=1), timedelta(days=3)]
    jobs = {age: ended(world, age).identifier for age in ages}

    world.sweep()

    assert world.announced == [jobs[age] for age in sorted(ages, reverse=True)]


def test_a_deleted_record_repeats_an_announcement_and_the_report_stays_one(world: World) -> None:
    world.add_job()
    world.sweep()
    world.announcements.records.clear()
    world.sweep()

    assert len(world.announced) == 2
    assert [world.report().created for _ in world.announced] == [True, False]
    assert len(world.digests) == 1


def test_23_search_jobs_are_announced_no_faster_than_mail_may_be_sent(world: World) -> None:
    for _ in range(23):
        ended(world)

    assert world.sweep().announced == 23
    assert world.pauses == [2.0, 2.0]  # between batches of ten


def test_the_next_sweep_announces_what_does_not_fit_into_one(world: World) -> None:
    for _ in range(23):
        ended(world)
    left = [18.0, 4.0]

    assert world.sweep(seconds_left=lambda: left.pop(0) if len(world.announced) else 60.0).announced == 20
    assert world.sweep().announced == 3


def test_a_search_job_that_cannot_be_read_stops_no_other_and_is_reported(world: World) -> None:
    job = ended(world)
    world.unreadable = ["{'Name': 'nobody'}", "another"]

    sweep = world.sweep()

    assert world.announced == [job.identifier]
    assert sweep.left_over == (
        "AWS lists 2 search jobs that cannot be read, so they get no report; the first: {'Name': 'nobody'}.",
    )


def test_an_event_that_was_refused_is_not_recorded_and_goes_out_with_the_next_sweep(world: World) -> None:
    jobs = [ended(world, timedelta(hours=age)).identifier for age in (5, 4, 3)]
    world.refused = {*jobs[:2]}

    sweep = world.sweep()
    assert "EventBridge refused 2 of 3 announcements (ThrottlingException: Slow down)." in sweep.left_over[0]
    assert world.announced == jobs[2:]

    world.refused = set()
    assert world.sweep().announced == 2
    assert world.announced[1:] == jobs[:2]


def test_a_sweep_lists_the_reports_once_and_then_remembers_for_an_hour_what_it_has_seen(world: World) -> None:
    world.add_job()
    world.report()
    sweeper, world.calls = world.sweeper(), []

    for minutes in (0, 59, 61):
        world.now = NOW + timedelta(minutes=minutes)
        assert sweeper.run(lambda: 60.0).unreported == 0

    calls = "list search jobs", "list reports", "list search jobs", "list search jobs", "list reports"
    assert tuple(world.calls) == calls


def test_a_list_of_search_jobs_that_cannot_be_read_fails_the_sweep(world: World) -> None:
    ended(world)
    world.fails["list search jobs"] = REFUSED

    with pytest.raises(AwsCallFailed):
        world.sweep()

    assert world.announced == []


def test_a_list_that_breaks_off_is_announced_as_far_as_it_was_read_and_fails_the_sweep(world: World) -> None:
    for _ in range(4):
        ended(world)
    world.broken_off = AwsCallFailed("AWS gave a page token a second time.")

    with pytest.raises(AwsCallFailed, match=r"a second time.* 4 of the search jobs that were read are announced"):
        world.sweep()

    assert len(world.announced) == 4


def test_the_next_sweep_takes_the_search_jobs_whose_records_dynamodb_did_not_return(world: World) -> None:
    jobs = [ended(world).identifier for _ in range(2)]
    world.announcements.unknown = {jobs[0]}

    sweep = world.sweep()

    assert world.announced == jobs[1:]
    assert "when 1 search jobs were last announced; the next sweep asks again" in sweep.left_over[0]


def test_a_failed_record_keeps_no_other_search_job_from_being_announced(world: World) -> None:
    jobs = {ended(world).identifier for _ in range(12)}
    world.fails["record announcement"] = REFUSED

    sweep = world.sweep()

    assert set(world.announced) == jobs
    assert sweep.left_over == ("It was refused. The next sweep announces it again.",)


def test_a_search_job_without_an_end_time_is_announced_and_does_not_stop_the_others(world: World) -> None:
    other = ended(world)
    endless = world.add_job(completion_time=None)

    world.sweep()

    assert sorted(world.announced) == sorted([endless.identifier, other.identifier])


def test_a_search_job_without_a_report_is_overdue_an_hour_after_its_end_and_until_it_has_one(world: World) -> None:
    # Given one that ended just now, one less than an hour ago, and one more than an hour ago
    ended(world)
    ended(world, timedelta(minutes=58))
    world.add_job(completion_time=NOW - timedelta(minutes=61))

    # Then the last is overdue, announced or not, until its report is there
    assert [world.sweep().overdue, world.sweep().overdue] == [1, 1]
    world.report()
    assert world.sweep().overdue == 0


def test_a_search_job_whose_end_is_not_known_counts_as_overdue(world: World) -> None:
    world.add_job(creation_time=None, completion_time=None)

    assert world.sweep().overdue == 1


def test_a_status_that_is_to_get_no_report_is_never_overdue(world: World) -> None:
    ended(world, timedelta(hours=2), status="STOPPED")

    assert world.sweep(statuses=["COMPLETED"]).overdue == 0
