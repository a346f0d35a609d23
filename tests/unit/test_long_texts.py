"""Texts of any length: what they cost is bounded, and what is cut says so. Work is counted, not timed."""

import json
import re
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.coverage import exclusion
from search_coverage.coverage.exclusion import MESSAGES, Reason, exclusion_reason
from search_coverage.report.mail.messages import Envelope
from search_coverage.report.plain_text import PAGE_CHARACTERS, name_of, one_line, visible
from tests.examples import JOB_ID, backup, search_job
from tests.reports import report

MILLION = 1_000_000
INVISIBLE = "\u200b\u202e\u2060\x00\u00ad\u3164\u2800\ufe0f "


class Counted(str):
    """A text that counts the characters that were read one by one."""

    read = 0

    def __iter__(self) -> Iterator[str]:
        for character in super().__iter__():
            self.read += 1
            yield character


@pytest.mark.parametrize("unit", ["a", "😀", " a", "\ta\n"])
def test_no_more_of_a_text_is_read_than_fits_on_the_line(unit: str) -> None:
    text = Counted(unit * MILLION)

    assert one_line(text, 500).endswith("…")
    assert text.read <= 3 * 502


def test_a_text_that_cannot_be_seen_is_read_once() -> None:
    text = Counted("\u202e" * MILLION)

    assert one_line(text, 500) == ""
    assert text.read == MILLION


@given(text=st.text(alphabet=st.sampled_from("ab \n\t\u202e\x00😀é")), characters=st.integers(2, 12))
def test_a_line_is_the_beginning_of_all_its_words_and_never_too_long(text: str, characters: int) -> None:
    whole = one_line(text, 10_000)
    line = one_line(text, characters)

    assert whole.split() == re.sub("[\u202e\x00]", "", text).split()
    assert len(line.encode("utf-16-le")) // 2 <= characters
    fits = len(whole.encode("utf-16-le")) // 2 <= characters
    assert line == whole if fits else line.endswith("…") and whole.startswith(line[:-1])


def test_a_page_shows_the_beginning_of_a_text_and_says_that_it_is_cut() -> None:
    shown = visible("\x07" * MILLION)

    assert shown.startswith("⟨U+0007⟩")
    assert shown.endswith("⟩… (cut: the other files of the report have all of it)")
    assert len(shown) < 9 * PAGE_CHARACTERS
    assert visible("a" * PAGE_CHARACTERS) == "a" * PAGE_CHARACTERS


@pytest.mark.parametrize("character", ["a", "\x00", "拒", "😀"])
def test_a_mail_of_any_length_is_cut_to_fit_and_says_so(character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dumps = Mock(wraps=json.dumps)
    with monkeypatch.context() as patched:
        patched.setattr("search_coverage.report.mail.messages.json.dumps", dumps)
        message = Envelope("subject", {}, character * MILLION, {}).message(1, 1, [])

    email = json.loads(message.body)["email"]
    assert email.startswith(character * 2000)
    assert email.endswith("\n… (cut to fit the message: the report has all of it)\n")
    assert len(json.dumps(email, ensure_ascii=False).encode()) - 2 <= 16 * 1024
    measured = [call.args[0] for call in dumps.call_args_list]
    assert max(len(text) for text in measured if isinstance(text, str)) <= 16 * 1024


def test_the_patterns_read_only_the_beginning_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = Mock(**{"search.return_value": None})
    monkeypatch.setattr(exclusion, "MESSAGES", {Reason.PERMISSION_DENIED: (pattern,)})

    exclusion_reason(backup(status="FAILED", status_message="no such words " * MILLION))

    assert [len(call.args[0]) for call in pattern.search.call_args_list] == [1000]


@pytest.mark.parametrize("pattern", [pattern for patterns in MESSAGES.values() for pattern in patterns])
def test_no_pattern_tries_a_sentence_again_from_every_word_of_it(pattern: re.Pattern[str]) -> None:
    # An unbounded gap is allowed behind an atomic group at the beginning of a sentence alone: there it is tried once.
    unguarded = pattern.pattern.removeprefix(r"(?:^|\.)(?>[^.]*?")
    gaps = len(re.findall(r"(?:\[\^[^\]]*\]|\.|\\S)[*+]", unguarded))

    assert gaps == (0 if unguarded == pattern.pattern else 1)


_WORDS = ["index", "indexing", "INDEXED", "pending", "creating", "deleting", "failed", "of the", "is", "assume", "role"]


@given(words=st.lists(st.sampled_from([*_WORDS, "creation", ". ", ".", "-"]), max_size=12))
def test_two_parts_of_a_sentence_are_found_as_if_every_first_one_were_tried(words: list[str]) -> None:
    text = " ".join(words)

    for first, later in (
        (r"\bindex\w*\b", r"\b(pending|failed)\b"),
        (r"\b(pending|creating)\b", r"\bindex"),
        (r"\bindex(ing)? (creation|of the)\b", r"\bfail"),
        (r"\bassume\b", r"\brole\b"),
    ):
        linear, simple = exclusion._then(first, later), f"{first}[^.]*{later}"
        assert bool(re.search(linear, text, re.IGNORECASE)) == bool(re.search(simple, text, re.IGNORECASE))


@pytest.mark.parametrize("name", [*INVISIBLE, INVISIBLE, INVISIBLE * 10_000, "", None])
def test_a_name_that_cannot_be_seen_is_replaced_by_the_identifier(name: str | None) -> None:
    job = search_job(name=name)

    assert name_of(job, 99) == JOB_ID
    assert report(job=job).messages[0].subject.endswith(f" - {JOB_ID}")


def test_a_name_that_can_be_seen_is_not() -> None:
    assert name_of(search_job(name="\u202efind ❤️"), 99) == "find ❤️"
