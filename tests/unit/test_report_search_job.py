"""Reporting a search job: every backup ends up where it belongs, or nothing does; and each person gets one mail."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.report.mail.alert import NotifyOn
from search_coverage.use_cases.deadline import TimeRunningOut
from search_coverage.use_cases.ports import LeaseLost
from search_coverage.use_cases.report_search_job import SearchJobNotEnded
from tests.examples import JOB_ID, backup
from tests.fakes import FAILED, SEARCHED, FakeInventory, Stored, World

STOPPED = backup(status="STOPPED")
FILES = ["excluded-backups.csv", "table.jsonl.gz", "report.html"]
NEVER_INDEXED = Exclusion(backup(status=None, backup_arn="never-indexed"), Reason.INDEX_MISSING)
REFUSED = AwsCallFailed("It was refused.")


@pytest.fixture
def world() -> World:
    """A search of three backups, of which one failed."""
    world = World()
    world.add_job()
    world.backups = [SEARCHED, SEARCHED, FAILED]
    return world


def nothing_was_written(world: World) -> bool:
    return not (world.bucket.objects or world.digests or world.entries or world.reported)


def test_the_order_makes_it_safe_to_stop_anywhere(world: World) -> None:
    world.report()

    assert world.calls == [
        *("acquire", "read tags", "list the question", "end of the list", "confirm"),
        *(f"put {file}" for file in FILES),
        *("put line", "confirm", "publish digest", "record digest", "confirm"),
        *("put line", "put question", "put summary.json", "confirm", "put event", "release"),
    ]


def test_a_replay_takes_the_mark_off_before_it_replaces_a_file(world: World) -> None:
    world.report()
    world.calls.clear()

    world.report(replay=True)

    assert world.calls == [
        *("acquire", "read tags", "list the question", "end of the list", "confirm"),
        *("forget digest", "remove summary.json"),
        *(call for file in FILES for call in (f"put {file}", "confirm")),
        *("put line", "confirm", "confirm", "publish digest", "record digest", "record digest", "confirm"),
        *("put line", "put question", "confirm", "put summary.json", "confirm", "put event", "release"),
    ]
    assert len(world.digests) == 2


def test_the_lease_is_confirmed_before_the_entries_and_again_before_the_digest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search_coverage.report.mail.messages._ROWS_BYTES", 1500)
    world.backups = [FAILED] * 5

    world.report()

    first, last = world.calls.index("publish entries"), world.calls.index("publish digest")
    assert world.entries == last - first - 1 > 1
    assert world.calls[first - 1] == world.calls[last - 1] == "confirm"


def test_the_same_event_three_times_is_one_report_one_digest_and_the_same_event_detail(world: World) -> None:
    outcomes = [world.report() for _ in range(3)]

    assert [outcome.created for outcome in outcomes] == [True, False, False]
    assert outcomes[0].event_detail == outcomes[1].event_detail == outcomes[2].event_detail
    assert outcomes[0].event_detail["backups"] == {"listed": 3, "searched": 2, "excluded": 1, "failed": 1}
    assert len(world.reported) == 3
    assert len(world.digests) == 1


def test_a_deleted_record_makes_no_second_digest(world: World) -> None:
    world.report()
    world.sent.records.clear()

    again = world.report()

    assert (again.created, again.event_detail["verdict"]) == (False, "PARTIAL")
    assert len(world.digests) == 1


@pytest.mark.parametrize("call", ["put report.html", "put line", "put summary.json"])
def test_a_replay_that_fails_leaves_no_mark_on_files_it_does_not_vouch_for(world: World, call: str) -> None:
    world.report()
    world.fails[call] = REFUSED

    with pytest.raises(AwsCallFailed, match="It was refused"):
        world.report(replay=True)

    assert world.bucket.named("summary.json") is None
    assert world.sweep().announced == 1


@pytest.mark.parametrize("replay", [False, True])
def test_a_list_that_breaks_off_changes_nothing_and_the_retry_makes_a_whole_report(
    world: World, *, replay: bool
) -> None:
    if replay:
        world.report()
    before = dict(world.bucket.objects)
    world.fails["end of the list"] = REFUSED

    with pytest.raises(AwsCallFailed):
        world.report(replay=replay)
    assert world.bucket.objects == before
    assert replay or nothing_was_written(world)

    del world.fails["end of the list"]
    assert world.report(replay=replay).event_detail["backups"]["listed"] == 3


@pytest.mark.parametrize("replay", [False, True])
def test_an_event_that_could_not_be_put_goes_out_with_the_retry_which_makes_no_other_report(
    world: World, *, replay: bool
) -> None:
    world.fails["put event"] = REFUSED
    with pytest.raises(AwsCallFailed):
        world.report(replay=replay, request_id="the-request")

    world.fails.clear()
    assert world.report(replay=replay, request_id="the-request").created is False

    assert len(world.reported) == 1
    assert len(world.digests) == 1


@pytest.mark.parametrize(
    ("notify_on", "status", "backups", "mails"),
    [
        ("FAILED", "COMPLETED", [SEARCHED], 0),
        ("FAILED", "STOPPED", [STOPPED], 0),
        ("FAILED", "FAILED", [], 1),
        ("EXCLUDED", "STOPPED", [STOPPED], 1),
        ("EXCLUDED", "COMPLETED", [SEARCHED], 0),
        ("ALWAYS", "COMPLETED", [SEARCHED], 1),
    ],
)
def test_people_are_notified_when_they_asked_to_be(
    world: World, notify_on: str, status: str, backups: list[object], mails: int
) -> None:
    world.add_job(status=status)
    world.backups, world.notify_on = backups, NotifyOn(notify_on)  # type: ignore[assignment]

    world.report()

    assert len(world.digests) == mails
    assert world.bucket.named("summary.json") is not None


@pytest.mark.parametrize(
    ("job", "verdict", "reasons"),
    [
        ({}, "COMPLETE", 0),
        ({"recovery_points_to_scan": 27}, "PARTIAL", 1),  # the list is shorter than what AWS set out to scan
        ({"scope": SearchScope(backup_arns=(str(SEARCHED.backup_arn), "another"))}, "PARTIAL", 1),  # names one more
    ],
)
def test_a_search_is_complete_if_all_was_searched_and_the_list_lacks_nothing(
    world: World, job: dict[str, object], verdict: str, reasons: int
) -> None:
    world.add_job(**job)
    world.backups = [SEARCHED] * 20

    outcome = world.report()

    assert (outcome.event_detail["verdict"], outcome.is_complete) == (verdict, verdict == "COMPLETE")
    assert len(world.bucket.named("summary.json")["verdictReasons"]) == reasons


def test_a_list_is_read_with_the_key_that_the_search_job_is_encrypted_with(world: World) -> None:
    world.add_job(encryption_key_arn="arn:aws:kms:us-east-1:000000000000:key/1")

    assert world.report().created is True


def test_a_search_job_that_still_runs_gets_no_report(world: World) -> None:
    world.add_job(status="RUNNING")

    with pytest.raises(SearchJobNotEnded, match="is RUNNING"):
        world.report()

    assert nothing_was_written(world)


def clock(*seconds_left: float) -> Callable[[], float]:
    """Return a clock that is looked at this often; then it stands still."""
    left = list(seconds_left)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_time_that_runs_out_while_the_list_is_read_gives_no_report(world: World) -> None:
    with pytest.raises(TimeRunningOut, match="Only 20 s are left while reading the list"):
        world.report(seconds_left=clock(900, 315, 20))

    assert nothing_was_written(world)


@pytest.mark.parametrize(("looks", "step"), [(4, "writing the csv file"), (7, "publishing the digest")])
def test_time_that_runs_out_later_leaves_no_mark(world: World, looks: int, step: str) -> None:
    with pytest.raises(TimeRunningOut, match=f"Only 20 s are left while {step}"):
        world.report(seconds_left=clock(*[900] * looks, 20))

    assert world.bucket.named("summary.json") is None
    assert world.digests == []


@pytest.mark.parametrize("kind", ["csv", "jsonl", "html"])
@pytest.mark.parametrize("change", ["another version", "gone"])
def test_a_report_whose_files_are_not_those_of_its_summary_is_made_again(world: World, kind: str, change: str) -> None:
    world.report()
    key = world.bucket.named("summary.json")["files"][kind]["key"]
    if change == "gone":
        del world.bucket.objects[key]
    else:
        world.bucket.objects[key] = Stored(b"of another attempt", "another")

    assert world.report().created is True

    file = world.bucket.named("summary.json")["files"][kind]
    assert world.bucket.objects[key].version == file["versionId"]
    assert len(world.digests) == 1


@pytest.mark.parametrize("replay", [False, True])
def test_a_report_with_a_damaged_summary_is_made_again(world: World, *, replay: bool) -> None:
    world.report()
    for key in list(world.bucket.objects):
        if key.endswith(".json"):
            world.bucket.objects[key] = Stored(b"{", "damaged")

    assert world.report(replay=replay).created is True

    assert world.bucket.named("summary.json")["verdict"] == "PARTIAL"


def test_a_summary_of_the_first_version_is_accepted(world: World) -> None:
    world.report()
    summary = world.bucket.named("summary.json")
    for file in summary["files"].values():
        del file["versionId"]
    del summary["notification"]["pending"], summary["inventory"]["thinIndexes"], summary["inventory"]["notSearchable"]
    key = next(key for key in world.bucket.objects if key.endswith("/summary.json"))
    world.bucket.objects[key] = Stored(json.dumps(summary).encode(), "of-1.0.0")

    assert world.report().created is False


def test_what_left_the_vaults_since_the_first_report_makes_no_later_one_complete(world: World) -> None:
    # Given a search that did not list a backup, and a report that says so
    world.backups = [SEARCHED]
    world.inventory = FakeInventory(NEVER_INDEXED)
    assert world.report().event_detail["verdict"] == "PARTIAL"
    assert world.bucket.named("summary.json")["inventory"]["notListed"] == 1

    # When that backup is deleted, and the report made again: by a replay, and because its mark is gone
    world.inventory = FakeInventory()
    for replay in (True, False):
        if not replay:
            world.bucket.remove_named("summary.json")
        assert world.report(replay=replay).created is True

        # Then it was not searched, as before
        summary = world.bucket.named("summary.json")
        assert (summary["verdict"], summary["inventory"]["notListed"]) == ("PARTIAL", 0)
        assert "was PARTIAL, and what was in doubt then may have left the vaults" in " ".join(summary["verdictReasons"])


def test_the_retry_of_an_attempt_that_died_keeps_what_people_were_notified_of(world: World) -> None:
    # Given an attempt that notified people of a backup that was not listed, and died before its mark
    world.backups = [SEARCHED]
    world.inventory = FakeInventory(NEVER_INDEXED)
    world.does["record digest"] = lambda: world.fails.update({"put line": REFUSED})
    with pytest.raises(AwsCallFailed):
        world.report()
    assert len(world.digests) == 1

    # When the backup is deleted before the retry
    world.fails.clear()
    world.does.clear()
    world.inventory = FakeInventory()
    world.report()

    # Then the report does not say that all is well
    assert world.bucket.named("summary.json")["verdict"] == "PARTIAL"
    assert len(world.digests) == 1


def test_people_are_not_notified_again_when_only_the_mark_could_not_be_set(world: World) -> None:
    world.fails["put summary.json"] = REFUSED
    for _ in range(3):
        with pytest.raises(AwsCallFailed):
            world.report()

    world.fails.clear()
    made = world.report()

    assert made.created is True
    assert len(world.digests) == 1
    assert world.bucket.named("summary.json")["notification"]["messageIds"] == ["digest-1"]


def test_people_who_were_notified_of_something_else_are_notified_again(world: World) -> None:
    world.sent.records[JOB_ID] = "COMPLETE: all", "an-old-one"

    world.report()

    assert len(world.digests) == 1


def test_a_mail_that_went_out_is_no_failure_if_it_cannot_be_recorded(world: World) -> None:
    world.fails["record digest"] = REFUSED

    assert world.report().created is True
    assert len(world.digests) == 1


def test_an_attempt_that_lost_its_lease_while_reading_writes_and_notifies_nothing(world: World) -> None:
    world.does["end of the list"] = lambda: setattr(world, "lease_lost", True)

    with pytest.raises(LeaseLost, match="this one stops here"):
        world.report()

    assert nothing_was_written(world)


def test_an_attempt_that_lost_its_lease_while_uploading_leaves_the_mark_to_its_successor(world: World) -> None:
    world.backups = [SEARCHED]  # no notification is due, so that there is no digest to stop at
    world.does["put report.html"] = lambda: setattr(world, "lease_lost", True)

    with pytest.raises(LeaseLost):
        world.report()

    assert world.bucket.named("summary.json") is None


def test_an_error_of_our_own_stays_what_it_is(world: World) -> None:
    world.does["end of the list"] = lambda: len(None)  # type: ignore[arg-type]

    with pytest.raises(TypeError):
        world.report()


def test_a_report_is_made_whatever_the_setting_of_the_sweeps_says(world: World) -> None:
    assert world.sweep(timedelta(hours=1), statuses=["FAILED"]).announced == 0

    assert world.report().created is True
    assert world.report(replay=True).created is True
