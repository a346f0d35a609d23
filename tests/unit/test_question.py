"""The question on the page: what the search was asked, in words, and how to ask it again."""

import re
from html import unescape
from typing import Any

import pytest

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.report.page.question import question
from tests.examples import JANE, filters_for_jane, search_job
from tests.reports import HOSTILE, excluded, exclusions, numbered, report, report_page

LARGEST_PAGE_BYTES = 2_000_000
NOT_KEPT = "The values of the filters are not kept (setting keepItemFilters). The first command asks AWS for them"
MOMENT = "2026-01-01T02:00:00+02:00"
S3 = SearchScope(("S3",))


def lines(title: str, **changes: Any) -> tuple[str, ...]:
    """Return the lines of a part of the question; none if it is left out."""
    return next((part.lines for part in question(search_job(**changes)) if part.title == title), ())


def looked_for(*filters: dict[str, Any], of_type: str = "S3ItemFilters") -> tuple[str, ...]:
    return lines("Looked for", item_filters=ItemFilters.of({of_type: list(filters)}))


@pytest.mark.parametrize(
    ("name", "value", "operator", "words"),
    [
        ("ObjectKeys", "people/x", "EQUALS_TO", "Object key is “people/x”"),
        ("ObjectKeys", "people/x", "NOT_EQUALS_TO", "Object key is not “people/x”"),
        ("FilePaths", " x ", "CONTAINS", "File path contains “ x ”"),
        ("FilePaths", "x", "DOES_NOT_CONTAIN", "File path does not contain “x”"),
        ("VersionIds", "x", "BEGINS_WITH", "Version begins with “x”"),
        ("VersionIds", "x", "DOES_NOT_BEGIN_WITH", "Version does not begin with “x”"),
        ("ETags", "x", "ENDS_WITH", "ETag ends with “x”"),
        ("ETags", "x", "DOES_NOT_END_WITH", "ETag does not end with “x”"),
        ("Sizes", 7, "EQUALS_TO", "Size is 7 bytes"),
        ("Sizes", 1, "NOT_EQUALS_TO", "Size is not 1 byte"),
        ("Sizes", 1048576, "LESS_THAN_EQUAL_TO", "Size at most 1,048,576 bytes"),
        ("Sizes", 7, "GREATER_THAN_EQUAL_TO", "Size at least 7 bytes"),
        (
            "CreationTimes",
            "2026-01-01T00:00:00Z",
            "GREATER_THAN_EQUAL_TO",
            "Created not before 1 Jan 2026 00:00:00 UTC",
        ),
        (
            "LastModificationTimes",
            "2026-01-01T02:00:00+02:00",
            "LESS_THAN_EQUAL_TO",
            "Last modified not after 1 Jan 2026 00:00:00 UTC",
        ),
        ("ObjectKeys", "x", None, "Object key “x” (AWS gives no operator)"),
        ("Colours", "red", "RHYMES_WITH", "Colours RHYMES_WITH “red”"),
        ("Sizes", "big", "LESS_THAN_EQUAL_TO", "Size LESS_THAN_EQUAL_TO “big”"),
        ("CreationTimes", "yesterday", "EQUALS_TO", "Created is “yesterday”"),
    ],
)
def test_a_filter_is_said_in_words(name: str, value: object, operator: str | None, words: str) -> None:
    condition = {"Value": value} | ({"Operator": operator} if operator else {})

    assert looked_for({name: [condition]}) == (words,)


def test_several_values_are_joined_and_several_filters_are_numbered() -> None:
    keys = [{"Value": "a", "Operator": "BEGINS_WITH"}, {"Value": "b", "Operator": "CONTAINS"}]

    assert looked_for({"ObjectKeys": keys, "ETags": []}, {"Sizes": [{"Value": 0, "Operator": "EQUALS_TO"}]}) == (
        "Filter 1: Object key begins with “a” or contains “b”",
        "Filter 2: Size is 0 bytes",
    )


@pytest.mark.parametrize(("types", "what"), [(("S3",), "object"), (("EBS",), "file"), ((), "file or object")])
def test_without_a_filter_it_looked_for_everything(types: tuple[str, ...], what: str) -> None:
    assert lines("Looked for", scope=SearchScope(types), item_filters=ItemFilters()) == (f"every {what}",)


def test_filters_that_are_not_kept_are_named_and_no_more() -> None:
    filters = filters_for_jane().without_values()

    page = report_page([excluded(Reason.NOT_FINISHED)], job=search_job(item_filters=filters))

    assert "Object key, Size: the values are not kept (setting keepItemFilters)" in page
    assert page.count(NOT_KEPT) == 2  # for the same search, and for what was left out
    assert "the search filtered by Object key, Size." in page
    assert JANE not in page


def test_nothing_is_asked_of_aws_where_the_filters_are_kept() -> None:
    job = search_job(scope=S3, item_filters=filters_for_jane())

    page = report_page([excluded(Reason.NOT_FINISHED)], job=job)

    assert NOT_KEPT not in page
    assert "get-search-job" not in page
    assert page.count(f"people/{JANE}") >= 3


@pytest.mark.parametrize(
    ("tags", "said"),
    [(None, ("could not be read",)), ((), ()), ((("case", "4711"), ("by", "legal")), ("case = 4711", "by = legal"))],
)
def test_the_tags_of_the_search_are_shown_if_they_are_known(tags: Any, said: tuple[str, ...]) -> None:
    assert lines("Tags of the search", tags=tags) == said


def test_the_page_names_the_fingerprint_and_the_hash_of_the_summary() -> None:
    made = report()

    assert f'<dd class="mono hash">{made.findings.job.fingerprint}</dd>' in made.page
    assert f'<dd class="mono hash">{made.summary["contentSha256"]}</dd>' in made.page


def test_a_listing_of_objects_says_how_to_narrow_it_where_the_keys_are_not_kept() -> None:
    missing = [excluded(Reason.INDEX_MISSING, resource_type="S3")]
    how = "They list all objects, since the keys that the search looked for are not kept"

    for filters, is_said in (
        (filters_for_jane(), False),
        (filters_for_jane().without_values(), True),
        (ItemFilters(), False),
    ):
        page = report_page(missing, job=search_job(scope=S3, item_filters=filters))
        assert (how in page) is is_said


def test_a_question_of_any_size_takes_a_bounded_part_of_the_page_and_says_what_is_missing() -> None:
    long = HOSTILE * 100
    scope = SearchScope(("S3",), source_arns=(long,) * 500, backup_arns=(long,) * 500, tags=((long, long),) * 500)
    conditions = [{"Value": long, "Operator": "CONTAINS"}]
    filters = ItemFilters.of({"S3ItemFilters": [{"ObjectKeys": conditions, "ETags": conditions}] * 100})
    job = search_job(scope=scope, item_filters=filters, tags=((long, long),) * 500)
    of_each_reason = [one for reason in Reason for one in numbered(300, reason)]

    page = report_page([*exclusions(2_000), *of_each_reason], job=job)

    assert len(page.encode()) < LARGEST_PAGE_BYTES
    assert re.findall(r"(\d+) more in summary\.json", page) == ["499", "499", "499", "199", "499"]
    assert "The first command takes them from summary.json" in unescape(page)


def test_the_longest_filters_on_the_page_leave_it_small() -> None:
    keys = [{"Value": '"' * 900, "Operator": "CONTAINS"}]
    job = search_job(item_filters=ItemFilters.of({"S3ItemFilters": [{"ObjectKeys": keys}]}))
    of_each_reason = [one for reason in Reason for one in numbered(200, reason)]

    page = report_page([*of_each_reason, *exclusions(2_000)], job=job)

    assert "takes them from summary.json" not in page
    assert len(page.encode()) < LARGEST_PAGE_BYTES
