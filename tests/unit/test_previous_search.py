"""What changed since the previous search with the same question, and what it means that a gap is closed."""

import gzip
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.backup import Backup
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.report.mail.alert import NotifyOn
from tests.examples import JOB_ID, backup
from tests.fakes import World

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
EARLIER, EARLIEST = "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000001"


def searched(*numbers: int) -> list[Backup]:
    return [backup(backup_arn=f"arn:{n}") for n in numbers]


def left_out(*numbers: int | None) -> list[Backup]:
    return [backup(backup_arn=n if n is None else f"arn:{n}", status="FAILED") for n in numbers]


def search(world: World, identifier: str, day: int, backups: list[Backup], **changes: Any) -> dict[str, Any]:
    """Report a search that ended so many days after Monday; return its summary."""
    ended = MONDAY + day * DAY
    world.add_job(identifier=identifier, creation_time=ended - DAY / 24, completion_time=ended, **changes)
    world.backups = backups
    world.report(identifier=identifier)
    return summary_of(world, identifier)


def summary_of(world: World, identifier: str) -> dict[str, Any]:
    (body,) = [each.body for key, each in world.bucket.objects.items() if key.endswith(f"{identifier}/summary.json")]
    summary: dict[str, Any] = json.loads(body)
    return summary


def rows(world: World, identifier: str = JOB_ID) -> dict[str, Any]:
    """Return since when each backup is left out."""
    body = next(each.body for key, each in world.bucket.objects.items() if key.endswith(f"{identifier}.jsonl.gz"))
    return {row["backup_arn"]: row["excluded_since"] for row in map(json.loads, gzip.decompress(body).splitlines())}


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_search_of_a_question_has_no_previous_one(world: World) -> None:
    assert search(world, JOB_ID, 0, left_out(1))["previous"] is None
    assert rows(world) == {"arn:1": "2026-11-16T09:00:00Z"}


def test_newly_still_and_no_longer_left_out_are_counted_and_still_says_since_when(world: World) -> None:
    search(world, EARLIEST, 0, [*left_out(1, 2), *searched(3, 4)])
    search(world, EARLIER, 1, [*left_out(1, 3, 5, 6), *searched(2, 4)])
    previous = search(world, JOB_ID, 2, [*left_out(1, 3, 4), *searched(2, 5)])["previous"]

    assert previous["status"] == "COMPARED"
    assert previous["searchJobIdentifier"] == EARLIER
    assert (previous["endedAt"], previous["verdict"]) == ("2026-11-17T09:00:00Z", "PARTIAL")
    assert (previous["newlyExcluded"], previous["stillExcluded"], previous["noLongerExcluded"]) == (1, 2, 2)
    assert (previous["nowSearched"], previous["notInThisSearch"]) == (1, 1)
    assert previous["stillExcludedSince"] == "2026-11-16T09:00:00Z"
    assert rows(world) == {
        "arn:1": "2026-11-16T09:00:00Z",
        "arn:3": "2026-11-17T09:00:00Z",
        "arn:4": "2026-11-18T09:00:00Z",
    }


def test_a_search_with_another_question_is_not_compared(world: World) -> None:
    search(world, EARLIER, 0, left_out(1), scope=SearchScope(("S3",)))

    assert search(world, JOB_ID, 1, left_out(1))["previous"] is None


def test_the_previous_search_is_the_one_that_ended_before_whichever_was_reported_first(world: World) -> None:
    search(world, EARLIER, 5, left_out(1))
    search(world, EARLIEST, 0, left_out(1))

    previous = search(world, JOB_ID, 2, left_out(1))["previous"]

    assert previous["searchJobIdentifier"] == EARLIEST


def test_it_is_found_with_one_call(world: World) -> None:
    for number in range(30):
        search(world, f"00000000-0000-4000-8000-0000000001{number:02}", number, left_out(1))
    world.calls.clear()

    search(world, JOB_ID, 40, left_out(1))

    assert world.calls.count("list the question") == 1


def test_an_attempt_that_was_cut_short_is_no_previous_search(world: World) -> None:
    search(world, EARLIEST, 0, left_out(1))
    search(world, EARLIER, 1, left_out(1))
    world.bucket.objects = {key: each for key, each in world.bucket.objects.items() if f"{EARLIER}/summary" not in key}

    assert search(world, JOB_ID, 2, left_out(1))["previous"]["searchJobIdentifier"] == EARLIEST


def test_a_complete_search_closes_what_the_previous_one_left_open_and_says_what_became_of_it(world: World) -> None:
    search(world, EARLIER, 0, [*left_out(1, 2, 3), *searched(4)])
    world.digests.clear()

    previous = search(world, JOB_ID, 1, searched(1, 2, 4))["previous"]

    assert previous["closed"]
    (digest,) = world.digests  # the setting EXCLUDED asks for it
    assert digest.subject == "COMPLETE: closed, all 3 backups searched - find-invoice"
    mail = " ".join(json.loads(digest.body)["email"].split())
    assert (
        "CLOSED: the previous search, of 16 Nov 2026 09:00:00 UTC, was not COMPLETE (PARTIAL), and this one is." in mail
    )
    assert "Of 3 backups that it left out: 2 searched now, 1 not in this search." in mail
    page = next(each.body.decode() for key, each in world.bucket.objects.items() if f"{JOB_ID}/report.html" in key)
    assert "CLOSED: the previous search" in page
    assert "Not in this search, so still not searched" in page
    assert json.loads(json.loads(digest.body)["default"])["previous"]["closed"]


@pytest.mark.parametrize(("notify_on", "mails"), [(NotifyOn.FAILED, 0), (NotifyOn.EXCLUDED, 1), (NotifyOn.ALWAYS, 1)])
def test_who_is_told_that_it_is_closed(world: World, notify_on: NotifyOn, mails: int) -> None:
    search(world, EARLIER, 0, [*left_out(1), *searched(2)])
    world.digests.clear()
    world.notify_on = notify_on

    search(world, JOB_ID, 1, searched(1, 2))

    assert len(world.digests) == mails


def test_a_complete_search_after_a_complete_one_closes_nothing_and_mails_nothing(world: World) -> None:
    search(world, EARLIER, 0, searched(1))

    assert search(world, JOB_ID, 1, searched(1))["previous"]["closed"] is False
    assert world.digests == []


def test_backups_without_a_name_are_counted_and_not_compared(world: World) -> None:
    search(world, EARLIER, 0, left_out(None, 1))

    previous = search(world, JOB_ID, 1, left_out(None, None, 1))["previous"]

    assert (previous["withoutArn"], previous["stillExcluded"], previous["newlyExcluded"]) == (3, 1, 0)


def test_a_backup_that_is_listed_twice_is_left_out_if_it_is_left_out_once(world: World) -> None:
    search(world, EARLIER, 0, left_out(1, 2))

    previous = search(world, JOB_ID, 1, [*searched(1), *left_out(1, 1, 2), *searched(2)])["previous"]

    assert (previous["stillExcluded"], previous["newlyExcluded"], previous["noLongerExcluded"]) == (2, 0, 0)


def test_a_replay_compares_with_the_same_search(world: World) -> None:
    search(world, EARLIER, 0, left_out(1))
    first = search(world, JOB_ID, 1, left_out(1, 2))
    world.report(replay=True)

    assert summary_of(world, JOB_ID)["previous"] == first["previous"]


def damage(world: World, body: bytes) -> None:
    (key,) = [key for key in world.bucket.objects if key.endswith(f"{EARLIER}.jsonl.gz")]
    world.bucket.objects[key] = type(world.bucket.objects[key])(body, "another")


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (lambda w: damage(w, b"no table"), "is not the file that the summary of the previous search names"),
        (lambda w: w.fails.update({"get the previous table": AwsCallFailed("S3 is away.")}), "S3 is away."),
        (
            lambda w: w.fails.update({"get the previous table": sqlite3.OperationalError("disk is full")}),
            "The function's disk has no room for the comparison",
        ),
    ],
)
def test_the_report_is_made_although_the_previous_search_cannot_be_read_and_says_so(
    world: World, break_it: Any, why: str
) -> None:
    search(world, EARLIER, 0, [*left_out(1), *searched(2)])
    break_it(world)

    previous = search(world, JOB_ID, 1, searched(1, 2))["previous"]

    assert (previous["status"], previous["searchJobIdentifier"]) == ("UNREADABLE", EARLIER)
    assert why in previous["message"]
    assert (previous["newlyExcluded"], previous["stillExcluded"]) == (None, None)
    assert previous["closed"]  # its verdict is known
    mail = " ".join(json.loads(world.digests[-1].body)["email"].split())
    assert "The two could not be compared:" in mail


def test_if_the_question_cannot_be_listed_nobody_claims_that_there_was_no_earlier_search(world: World) -> None:
    world.fails["list the question"] = AwsCallFailed("S3 is away.")

    previous = search(world, JOB_ID, 0, left_out(1))["previous"]

    assert (previous["status"], previous["searchJobIdentifier"], previous["closed"]) == ("UNREADABLE", None, False)
    assert "It is not known whether an earlier search asked the same question: S3 is away." in " ".join(
        json.loads(world.digests[0].body)["email"].split()
    )


STATES = st.dictionaries(st.integers(0, 12), st.sampled_from(["searched", "left out"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(STATES, STATES)
def test_the_counts_are_those_of_sets(then: dict[int, str], now: dict[int, str]) -> None:
    def listed(states: dict[int, str]) -> list[Backup]:
        return [one for n, state in states.items() for one in (searched if state == "searched" else left_out)(n)]

    world = World()
    search(world, EARLIER, 0, listed(then))
    previous = search(world, JOB_ID, 1, listed(now))["previous"]

    before, after = ({n for n, state in states.items() if state == "left out"} for states in (then, now))
    assert previous["newlyExcluded"] == len(after - before)
    assert previous["stillExcluded"] == len(after & before)
    assert previous["nowSearched"] == len((before - after) & now.keys())
    assert previous["notInThisSearch"] == len(before - now.keys())


def test_since_when_is_not_known_if_the_previous_search_cannot_be_read(world: World) -> None:
    # Given a backup that is left out for long, and a search that cannot read the previous one
    search(world, EARLIEST, 0, left_out(1))
    world.fails["get the previous table"] = AwsCallFailed("S3 is away.")
    search(world, EARLIER, 1, left_out(1))
    assert rows(world, EARLIER) == {"arn:1": None}
    world.fails.clear()

    # Then the next one knows no more than that it is left out since then at least
    search(world, JOB_ID, 2, left_out(1))
    assert rows(world) == {"arn:1": "2026-11-17T09:00:00Z"}
