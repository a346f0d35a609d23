"""What changed since an earlier posture: by source, and never more than the two postures know."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.searchability import Searchability
from search_coverage.use_cases.posture_mail import PostureMailOn
from tests.fakes_posture import PostureWorld

INDEXES = ("ACTIVE", None, "FAILED", "PENDING")
NOTHING = {"better": 0, "worse": 0, "newNotSearchable": 0, "gone": 0}
SOURCES = st.dictionaries(st.sampled_from("abZé拒😀-"), st.sampled_from(INDEXES))


@pytest.fixture
def world() -> PostureWorld:
    """An account of which nothing is mailed."""
    return PostureWorld(mail_on=PostureMailOn.NEVER)


def counts(world: PostureWorld) -> dict[str, int] | None:
    said = world.summary["since"]
    return said and {name: said[name] for name in ("better", "worse", "newNotSearchable", "gone")}


def a_day_with(world: PostureWorld, **index_of: str | None) -> None:
    world.days_pass(1)
    world.hold_sources(**index_of)
    world.take()


@settings(max_examples=60)
@given(before=SOURCES, now=SOURCES)
def test_a_source_is_better_worse_new_or_gone_by_whether_its_newest_backup_can_be_searched(
    before: dict[str, str | None], now: dict[str, str | None]
) -> None:
    world = PostureWorld(mail_on=PostureMailOn.NEVER)
    a_day_with(world, **before)
    a_day_with(world, **now)

    both = before.keys() & now.keys()
    assert counts(world) == {
        "better": sum(before[each] != "ACTIVE" and now[each] == "ACTIVE" for each in both),
        "worse": sum(before[each] == "ACTIVE" and now[each] != "ACTIVE" for each in both),
        "newNotSearchable": sum(now[each] != "ACTIVE" for each in now.keys() - both),
        "gone": len(before.keys() - both),
    }


def test_the_changes_are_named_with_what_was_and_what_is(world: PostureWorld) -> None:
    a_day_with(world, payroll="ACTIVE", **{f"source-{number}": None for number in range(30)})
    a_day_with(world, payroll="FAILED", **{f"source-{number}": "ACTIVE" for number in range(30)})

    since = world.postures[-1].since
    assert since
    (worse,) = since.examples_worse
    assert (worse.source_arn, worse.before, worse.now) == (
        "arn:aws:s3:::payroll",
        Searchability.SEARCHABLE,
        Searchability.INDEX_FAILED,
    )
    assert (since.better, len(since.examples_better)) == (30, 20)


def test_the_first_posture_has_nothing_to_compare_with(world: PostureWorld) -> None:
    a_day_with(world, payroll=None)

    assert counts(world) is None
    assert world.summary["notes"] == []


def test_backups_whose_source_aws_does_not_name_are_no_source(world: PostureWorld) -> None:
    for index in ("ACTIVE", None):
        world.days_pass(1)
        world.hold_sources(payroll=None)
        world.add_backup(None, index)
        world.take()

    assert counts(world) == NOTHING


def test_a_posture_is_compared_with_the_one_that_was_mailed_last() -> None:
    # Given a mail, and a source that got worse and better since, day by day
    world = PostureWorld(mail_on=PostureMailOn.WEEKLY)
    a_day_with(world, payroll="ACTIVE", mail="ACTIVE")
    mailed = world.keys.summary
    for index in (None, "ACTIVE", None):
        a_day_with(world, payroll=index, mail="ACTIVE")

    # Then it is worse than what the mail said
    assert world.summary["since"]["summaryKey"] == mailed
    assert counts(world) == {"better": 0, "worse": 1, "newNotSearchable": 0, "gone": 0}

    # And where mail is turned off: as it was the day before
    world.mail_on = PostureMailOn.NEVER
    a_day_with(world, payroll=None, mail="ACTIVE")
    assert counts(world) == NOTHING


def test_a_second_posture_on_the_day_of_a_mail_is_compared_as_the_first_and_later_ones_with_what_was_mailed() -> None:
    world = PostureWorld(mail_on=PostureMailOn.WEEKLY)
    a_day_with(world, payroll="ACTIVE")
    world.days_pass(5)
    a_day_with(world, payroll=None)
    a_day_with(world, payroll=None)
    world.hold_sources(payroll="ACTIVE")
    world.take()
    assert (len(world.mails), world.summary["mail"]["status"]) == (2, "SENT")
    assert counts(world) == NOTHING

    a_day_with(world, payroll="ACTIVE")

    # The mail said that it cannot be searched
    assert counts(world) == {"better": 1, "worse": 0, "newNotSearchable": 0, "gone": 0}


def test_a_posture_that_is_older_than_ten_days_is_not_looked_for(world: PostureWorld) -> None:
    a_day_with(world, payroll="ACTIVE")
    world.days_pass(10)
    a_day_with(world, payroll=None)

    assert counts(world) is None


@pytest.mark.parametrize("when", ["before", "now"])
def test_of_a_posture_without_all_vaults_no_source_is_gone_and_what_it_lacked_is_not_new(
    world: PostureWorld, when: str
) -> None:
    # Given a source that has a backup in another vault, which cannot be read on one of two days; and one that goes
    for day in ("before", "now"):
        world.days_pass(1)
        world.hold_sources(payroll="ACTIVE", **({"mail": "ACTIVE"} if day == "before" else {}))
        world.add_backup("another", None, vault="another")
        world.denied = {("points_of_vault", "another")} if day == when else set()
        world.take()

    assert counts(world) == NOTHING


@pytest.mark.parametrize(("index", "of_older"), [("ACTIVE", None), (None, "ACTIVE")])
def test_a_source_whose_newest_backup_was_not_read_is_neither_better_nor_worse(
    world: PostureWorld, index: str | None, of_older: str | None
) -> None:
    # Given a newest backup, and an older one in another vault
    a_day_with(world, payroll=index)
    world.add_backup("payroll", of_older, hours=2, vault="another")
    world.take()
    assert world.summary["sources"]["newestSearchable"] == (index == "ACTIVE")

    # When the vault of the newest cannot be read
    world.days_pass(1)
    world.denied = {("points_of_vault", "Default")}
    world.take()

    # Then the older one is the newest that is known, and nothing is said of the source
    assert world.summary["sources"]["newestSearchable"] == (of_older == "ACTIVE")
    assert counts(world) == NOTHING


def lines(*rows: Any) -> bytes:
    return gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode())


@pytest.mark.parametrize(
    "damage",
    [
        lambda _body: b"",
        lambda _body: b"not gzip",
        lambda body: body[:-9],
        lambda body: body[:40] + b"\0" + body[41:],
        lambda _body: lines([]),
        lambda _body: lines({"resource_type": 1, "source_resource_arn": {}, "newest_searchability": []}),
        lambda _body: gzip.compress(b"\xff\xfe{}\n"),
    ],
)
def test_a_damaged_posture_before_is_a_note(world: PostureWorld, damage: Callable[[bytes], bytes]) -> None:
    a_day_with(world, payroll="ACTIVE", mail=None)
    key = world.keys.sources_jsonl
    stored = world.bucket.objects[key]
    object.__setattr__(stored, "body", damage(stored.body))

    a_day_with(world, payroll=None)

    assert counts(world) is None
    assert world.summary["status"] == "COMPLETE"
    assert world.summary["notes"] == [
        "What changed since 2026-11-03T03:00:00Z is not known: its sources cannot be read any more."
    ]


def test_a_posture_before_whose_file_is_gone_is_a_note(world: PostureWorld) -> None:
    a_day_with(world, payroll="ACTIVE")
    del world.bucket.objects[world.keys.sources_jsonl]

    a_day_with(world, payroll=None)

    (note,) = world.summary["notes"]
    assert note.startswith("What changed since 2026-11-03T03:00:00Z is not known: Reading s3://reports-bucket/posture_")


@pytest.mark.parametrize("name", ["takenAt", "status", "sources", "files", "target", "mail", "sentAt", "summaryKey"])
@pytest.mark.parametrize("value", [None, "", "x", "2026-11-03T03:00:00", 7, [], {}, {"jsonl": {"key": 1}}])
def test_no_damage_to_a_record_or_a_summary_loses_a_posture(name: str, value: Any) -> None:
    world = PostureWorld()
    a_day_with(world, payroll="ACTIVE")
    for key in (world.keys.summary, world.keys.last_mail):
        damaged = {**world.bucket.json(key), name: value}
        object.__setattr__(world.bucket.objects[key], "body", json.dumps(damaged).encode())

    for _ in range(8):
        a_day_with(world, payroll=None)
        assert world.summary["sources"]["total"] == 1

    # Nor is there a flood of mails: that of the damaged record, and one a week
    assert 2 <= len(world.mails) <= 3
