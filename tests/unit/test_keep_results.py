"""What a search found: kept as a whole with its checksums, or not at all and with the reason."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_result import SearchResult
from search_coverage.report.files.summary import without_item_filters
from search_coverage.use_cases.ports import LeaseLost, NotPublished
from search_coverage.use_cases.report_search_job import NotificationPending, ResultsPending
from tests.examples import JANE
from tests.fakes import FAILED, SEARCHED, World

MARK = "results-pending.json"
CSV, JSONL = "results.csv", "results.jsonl.gz"


@pytest.fixture
def world() -> World:
    """A search that found five files."""
    world = World()
    world.keeps_results = True
    world.add_job(items_matched=5)
    world.backups = [SEARCHED, FAILED]
    world.results = [
        SearchResult(
            "S3", "arn:b", "arn:aws:s3:::b", "Default", f"people/{JANE}/{n}", 7 * n, 1795168800.0, None, "e", "v"
        )
        for n in range(5)
    ]
    return world


def kept(world: World) -> dict[str, Any]:
    """Return what the summary says of the results, after a look that the summary line says the same."""
    summary = world.bucket.named("summary.json")
    assert [json.loads(each.body) for key, each in world.bucket.objects.items() if key.startswith("summaries/")] == [
        without_item_filters(summary)
    ]
    results: dict[str, Any] = summary["results"]
    return results


def files(world: World) -> dict[str, bytes]:
    return {key.rpartition("/")[2]: each.body for key, each in world.results_bucket.objects.items()}


def test_nobody_asked_for_them(world: World) -> None:
    world.keeps_results = False
    world.report()

    assert kept(world) == {"status": "OFF", "message": None, "rows": None, "bucket": None, "files": {}}
    assert files(world) == {}
    assert "end of the results" not in world.calls


def test_each_result_is_a_row_of_both_files_and_the_summary_has_their_checksums(world: World) -> None:
    outcome = world.report()

    results, stored = kept(world), files(world)
    assert outcome.pending is None
    assert (results["status"], results["message"], results["rows"]) == ("COMPLETE", None, 5)
    rows = list(csv.DictReader(io.StringIO(stored[CSV].decode(), newline="")))
    lines = [json.loads(line) for line in gzip.decompress(stored[JSONL]).splitlines()]
    assert [row["path"] for row in rows] == [line["path"] for line in lines] == [one.path for one in world.results]
    assert lines[2]["size"] == 14
    assert lines[0]["created"] == "2026-11-20T10:00:00Z"
    keys = set(world.results_bucket.objects)
    assert {file["key"] for file in results["files"].values()} == keys
    assert {file["bytes"] for file in results["files"].values()} == set(map(len, stored.values()))


@pytest.mark.parametrize(
    ("changes", "at_most", "rows", "why"),
    [
        ({"status": "STOPPED"}, 1000, 5, "The search ended as STOPPED"),
        ({"items_matched": 6}, 1000, 5, "AWS counts 6 matches, but lists 5 results."),
        ({}, 3, 3, "Only the first 3 of 5 are kept, which is the setting maxResults."),
        ({"items_matched": None}, 4, 4, "Only the first 4 are kept"),
    ],
)
def test_results_that_are_not_all_say_so_everywhere(
    world: World, changes: dict[str, Any], at_most: int, rows: int, why: str
) -> None:
    world.add_job(**{"items_matched": 5, **changes})
    world.max_results = at_most

    world.report()

    results = kept(world)
    assert (results["status"], results["rows"]) == ("PARTIAL", rows)
    assert why in results["message"]
    mail = " ".join(json.loads(world.digests[0].body)["email"].split())
    assert f"INCOMPLETE: {rows} results kept. {why}" in mail
    page = next(each.body.decode() for key, each in world.bucket.objects.items() if key.endswith("report.html"))
    assert f"INCOMPLETE: {rows} results kept." in page


def test_exactly_as_many_as_are_kept_are_not_cut(world: World) -> None:
    world.max_results = 5
    world.report()

    assert kept(world)["status"] == "COMPLETE"


def test_where_backups_were_left_out_the_results_are_said_to_be_of_the_others(world: World) -> None:
    world.report()

    assert "They are of the backups that were searched" in " ".join(json.loads(world.digests[0].body)["email"].split())


def test_a_broken_list_gives_no_results_a_reason_and_a_report(world: World) -> None:
    world.fails["end of the results"] = AwsCallFailed("AWS is broken.")

    outcome = world.report()

    assert isinstance(outcome.pending, ResultsPending)
    assert "is whole, but the results of the search are not kept: AWS is broken." in str(outcome.pending)
    assert (kept(world)["status"], kept(world)["message"], kept(world)["files"]) == (
        "UNAVAILABLE",
        "AWS is broken.",
        {},
    )
    assert files(world) == {}
    assert world.bucket.named(MARK)["why"] == "AWS is broken."
    assert world.sweep().announced == 1
    assert "NOT kept: AWS is broken." in " ".join(json.loads(world.digests[0].body)["email"].split())


def test_results_that_cannot_be_stored_give_a_report_too(world: World) -> None:
    world.fails["put results.csv"] = AwsCallFailed("The bucket is gone.")

    world.report()

    assert kept(world)["message"] == "The bucket is gone."


def test_an_attempt_without_its_lease_keeps_nothing(world: World) -> None:
    world.report()  # the next attempt finds another version there than it expects
    world.bucket.remove_named("summary.json")
    world.does["put results.csv"] = lambda: setattr(world, "lease_lost", True)

    with pytest.raises(LeaseLost):
        world.report()


def test_the_report_stays_as_it_is_while_the_results_are_missing_and_nobody_is_told_twice(world: World) -> None:
    # Given
    world.fails["end of the results"] = AwsCallFailed("AWS is broken.")
    world.report()
    before = dict(world.bucket.objects)

    # When
    with pytest.raises(ResultsPending):
        world.report()
    assert world.bucket.objects == before
    world.fails.clear()
    outcome = world.report()

    # Then
    assert outcome.pending is None
    assert kept(world)["status"] == "COMPLETE"
    assert world.bucket.named(MARK) is None
    assert world.sweep().announced == 0
    assert len(world.digests) == 1
    assert world.bucket.named("summary.json")["notification"]["messageIds"] == ["digest-1"]


def test_results_that_are_still_missing_cost_no_second_look_at_the_backups(world: World) -> None:
    world.fails["end of the results"] = AwsCallFailed("AWS is broken.")
    world.report()
    world.calls.clear()

    with pytest.raises(ResultsPending):
        world.report()

    assert "end of the results" in world.calls
    assert not {"read tags", "end of the list"} & set(world.calls)


def test_results_that_were_missing_are_read_once(world: World) -> None:
    world.fails["end of the results"] = AwsCallFailed("AWS is broken.")
    world.report()
    world.fails.clear()
    world.calls.clear()

    world.report()

    assert world.calls.count("end of the results") == 1


def test_messages_that_are_missing_too_do_not_wait_for_the_results(world: World) -> None:
    world.fails["publish digest"] = NotPublished("SNS is not there.")
    world.fails["end of the results"] = AwsCallFailed("AWS is broken.")
    assert isinstance(world.report().pending, NotificationPending)
    del world.fails["publish digest"]

    assert isinstance(world.report().pending, ResultsPending)
    assert len(world.digests) == 1
    assert (world.bucket.named("notification-pending.json"), world.bucket.named(MARK)["status"]) == (None, "pending")


def test_if_they_are_no_longer_wanted_the_report_stands(world: World) -> None:
    world.fails["end of the results"] = AwsCallFailed("AWS is broken.")
    world.report()
    world.keeps_results = False

    outcome = world.report()

    assert (outcome.created, outcome.pending) == (False, None)
    assert world.bucket.named(MARK) is None


def test_a_retry_writes_the_same_bytes(world: World) -> None:
    world.report()
    first = files(world)

    world.report(replay=True)

    assert files(world) == first


def test_a_replay_that_dies_while_it_replaces_the_results_leaves_no_summary_of_the_earlier_ones(world: World) -> None:
    world.report()
    world.fails["put results.jsonl.gz"] = RuntimeError("The process is killed.")

    with pytest.raises(RuntimeError):
        world.report(replay=True)

    assert world.bucket.named("summary.json") is None


def test_without_time_there_are_none_and_the_report_says_what_to_change(world: World) -> None:
    left = [900.0]

    def slow_pages(*_: object) -> Iterator[list[SearchResult]]:
        for one in world.results:
            left[0] = 200.0
            yield [one]

    world.pages_of_results = slow_pages  # type: ignore[assignment,method-assign]
    world.report(seconds_left=lambda: left[0])

    assert kept(world)["status"] == "UNAVAILABLE"
    assert "Lower the setting maxResults" in kept(world)["message"]


def test_no_path_is_in_the_bucket_of_the_reports_or_in_a_message(world: World) -> None:
    world.keep_item_filters = False
    world.report()

    assert any(JANE.encode() in body for body in [gzip.decompress(files(world)[JSONL])])
    assert not any(JANE.encode() in each.body for each in world.bucket.objects.values())
    assert JANE not in repr(world.digests) + repr(world.reported)


def test_while_messages_are_missing_the_results_stay_those_that_the_summary_vouches_for(world: World) -> None:
    # Given a report whose messages SNS refuses
    world.fails["publish digest"] = NotPublished("SNS is not there.")
    world.report()
    before = dict(world.results_bucket.objects)

    # When the next attempt fails at them as well
    with pytest.raises(NotificationPending):
        world.report()
    assert world.results_bucket.objects == before
    world.fails.clear()
    world.report()

    # Then the mail that goes out at last says what is kept
    assert "5 results kept." in " ".join(json.loads(world.digests[0].body)["email"].split())
