"""Whose backups were not searched, in one sentence: what counts first, and nothing that is not so."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.report.sources import SourceCounts, sources_in_words

TODAY = date(2026, 11, 26)


def said(*backups: tuple[str, str | None], limit: int = 10_000) -> str:
    """Name the sources of backups, each given by its bucket (empty: no source) and the day on which it was made."""
    sources = SourceCounts(limit)
    for bucket, day in backups:
        created = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() if day else None
        sources.count(f"arn:aws:s3:::{bucket}" if bucket else "", created)
    assert len(sources.counts) <= limit
    return sources_in_words(sources, TODAY)


def test_the_source_with_the_most_comes_first_and_numbered_ones_are_put_together() -> None:
    records = [(f"hr-records-{number}", f"2026-11-0{number - 404}") for number in range(408, 413)]

    words = said(*records, *[("payroll-archive", "2026-11-14")] * 22)

    assert words == "22 of payroll-archive (14 Nov), 1 each of hr-records-408 … 412 (4–8 Nov)"


@pytest.mark.parametrize(
    ("buckets", "words"),
    [
        (["a", "b", "c"], "1 each of a, b and c"),
        (["a-1", "a-2"], "1 each of a-1 and a-2"),
        (["a-1", "a-2", "a-4"], "1 each of a-1, a-2 and a-4"),
        (["a-8", "a-9", "a-10"], "1 each of a-8 … 10"),
        (["a-08", "a-09", "a-10"], "1 each of a-08 … 10"),
        (["a-8", "a-09", "a-10"], "1 each of a-8, a-09 and a-10"),
        (["", ""], "2 of a source that AWS did not name"),
        (["a", ""], "1 of a, 1 of a source that AWS did not name"),
        (list("abcdefgh"), "1 each of a, b, c, d, e and f, 1 each of 2 other sources"),
        ([*"aaaaabbbbcccdde"], "5 of a, 4 of b, 3 of c, 2 of d, 1 of one other source"),
    ],
)
def test_a_range_of_names_covers_only_names_that_exist(buckets: list[str], words: str) -> None:
    assert said(*((bucket, None) for bucket in buckets)) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (["2026-11-14", "2026-11-14"], " (14 Nov)"),
        (["2026-11-14", "2026-11-03"], " (3–14 Nov)"),
        (["2026-10-28", "2026-11-03"], " (28 Oct – 3 Nov)"),
        (["2024-10-28", "2024-10-30"], " (28–30 Oct 2024)"),
        (["2025-12-31", "2026-01-01"], " (31 Dec 2025 – 1 Jan 2026)"),
        (["2026-11-14", None], ""),
        ([None, "2026-11-14"], ""),
    ],
)
def test_days_are_shown_if_they_are_known_for_all(days: list[str | None], words: str) -> None:
    assert said(*(("a", day) for day in days)) == f"2 of a{words}"


def test_an_instance_of_a_volume_is_named_by_its_identifier() -> None:
    sources = SourceCounts()
    sources.count("arn:aws:ec2:us-east-1:000000000000:volume/vol-0abc", None)

    assert sources_in_words(sources, TODAY) == "1 of vol-0abc"


def test_a_name_that_could_be_taken_for_words_of_ours_is_quoted_cut_and_on_one_line() -> None:
    assert said(("x, 0 of all\nothers", None)) == "1 of “x, 0 of all others”"
    assert said(("\u202e", None)) == "1 of “(nothing that can be seen)”"
    assert "\u202e" not in said(("\u202egnp", None))
    assert len(said(("n" * 2000, None))) < 60


def test_sources_beyond_the_limit_are_counted_together() -> None:
    backups = ("a", "2026-11-14"), ("b", None), ("c", None), ("a", None), ("d", None)

    assert said(*backups, limit=2) == "2 of a, 1 of b, 2 of other sources"


@given(st.sets(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 8), st.integers(0, 3))
def test_the_numbers_add_up_to_all_that_were_counted(counts: set[int], limit: int, without_source: int) -> None:
    backups = [(f"bucket{count}x", None) for count in counts for _ in range(count)] + [("", None)] * without_source

    words = said(*backups, limit=limit)

    each = re.search(r"1 each of ([0-9]+) other sources", words)
    assert sum(int(phrase.split()[0]) for phrase in words.split(", ")) == len(backups) - (
        int(each[1]) - 1 if each else 0
    )
