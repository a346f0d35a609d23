"""report.html: says what is so, admits nothing from AWS or from the network, and stays small."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import BackupCounts, Inventory, InventoryStatus, NotSearchable
from search_coverage.report.page.pictures import percent_searched, searched_width
from search_coverage.report.sources import SOURCES_COUNTED
from search_coverage.report.tally import AGE_UNKNOWN, Tally
from tests.examples import search_job
from tests.pages import Elements, assert_texts_alone_are_from_aws, policy_for, policy_of, read
from tests.reports import (
    CSV_KEY,
    HOSTILE,
    excluded,
    exclusions,
    failed,
    hostile_exclusion,
    hostile_job,
    report,
    report_page,
)

LARGEST_PAGE_BYTES = 2_000_000


@pytest.fixture(scope="module", params=[HOSTILE, "S3"], ids=["a hostile type", "S3"])
def hostile(request: pytest.FixtureRequest) -> str:
    """A page into which everything that AWS may send tries to get more than its text."""
    inventory = Inventory(InventoryStatus.PARTIAL, str(hostile_job().name), None, 1, 3, 1)
    return report_page([hostile_exclusion(), *exclusions(20)], job=hostile_job(request.param), inventory=inventory)


def test_what_aws_sends_never_becomes_an_element_an_attribute_or_a_second_script(hostile: str) -> None:
    elements = Elements(hostile)

    assert_texts_alone_are_from_aws(elements)
    harmless = Elements(report_page(exclusions(20)))
    # The style ends with the foot of print, which names the hash of the summary
    assert re.sub("[0-9a-f]{64}", "", str(elements.raw)) == re.sub("[0-9a-f]{64}", "", str(harmless.raw))


def test_direction_marks_and_control_characters_are_spelled_out(hostile: str) -> None:
    assert not {"\u202e", "\x1b", "\x00"} & set(hostile)
    assert "⟨U+202E⟩gnp.exe" in hostile
    assert "{{ 7 * 7 }}" in hostile


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else() -> None:
    elements = Elements(report_page(exclusions(3)))

    assert policy_of(elements) == policy_for(elements)
    # And it comes before both
    assert elements.tags.index("meta") < elements.tags.index("style")


def test_nothing_is_loaded_from_anywhere() -> None:
    page = report_page(exclusions(10))

    for tag, attributes in Elements(page).found:
        assert not {"src", "srcset", "data", "action", "poster", "background", "xlink:href"} & set(attributes), tag
        if "href" in attributes:
            assert tag == "a"
            assert re.match(r"#|https://(docs\.)?aws\.amazon\.com/", attributes["href"] or "")
    assert not re.search(r"@import|url\((?!#hatch)", page)


@pytest.mark.parametrize(
    ("count", "says"), [(2_000, "All 2,000."), (2_500, "The first 2,000 of 2,500. 500 more are in the CSV")]
)
def test_2_000_backups_take_less_than_2_mb_and_the_page_says_how_many_more_there_are_and_where(
    count: int, says: str
) -> None:
    page = report_page(exclusions(count))

    assert page.count("<tr><td ") == 2_000
    assert len(page.encode()) < LARGEST_PAGE_BYTES
    assert says in page
    assert CSV_KEY in page


def test_names_of_2_000_characters_do_not_make_the_page_larger() -> None:
    page = report_page(hostile_exclusion() for _ in range(2_000))

    shown = page.count("<tr><td ")
    assert 0 < shown < 2_000
    assert f"The first {shown:,} of 2,000." in page
    assert len(page.encode()) < LARGEST_PAGE_BYTES


VAULT_NOT_READ = Inventory(
    InventoryStatus.PARTIAL, "Vault x could not be read.", datetime(2026, 11, 20, tzinfo=UTC), 7, 412, 72
)
SOURCES = tuple(f"arn:aws:s3:::bucket-{n}" for n in range(9))
SCOPE = SearchScope(("S3",), datetime(2026, 8, 1, tzinfo=UTC), None, SOURCES, (), (("team", "payments"),))


@pytest.mark.parametrize(
    ("given", "says", "does_not_say"),
    [
        (
            {"excluded": list(exclusions(99)), "searched": 313, "inventory": VAULT_NOT_READ},
            (
                "This search did NOT look at 99 of 412 backups",
                "In scope at least 412 · listed 340 · searched 313",
                "The inventory of the vaults is PARTIAL: Vault x could not be read.",
            ),
            "it was not compared with the vaults",
        ),
        (
            {},
            ("This search looked at all 385 backups that AWS lists for it", "it was not compared with the vaults"),
            "Not looked at",
        ),
        ({"job": search_job(status="STOPPED"), "searched": 2}, ("its result is in doubt",), "looked at all"),
        ({"excluded": [failed()]}, ("snap-0001",), 'data-column="backup_vault"'),
        ({"excluded": list(exclusions(1))}, ('data-column="backup_vault"',), "more are in the CSV"),
        (
            {"job": search_job(scope=SCOPE)},
            ("after 1 Aug 2026 00:00:00 UTC", *SOURCES, "4 more", "team = payments"),
            "Narrowed by",
        ),
    ],
    ids=["an inventory", "no inventory", "only the job in doubt", "no vault spoke", "a vault spoke", "the whole scope"],
)
def test_the_page_says_what_is_known_and_no_more(
    given: dict[str, Any], says: tuple[str, ...], does_not_say: str
) -> None:
    page = report_page(**given)

    assert [text for text in says if text not in page] == []
    assert does_not_say not in page


@pytest.mark.parametrize("status", [InventoryStatus.OFF, InventoryStatus.COMPLETE])
def test_page_and_mail_do_not_say_that_a_complete_search_proves_what_a_search_of_metadata_cannot(
    status: InventoryStatus,
) -> None:
    made = report(inventory=Inventory(status, in_scope=385))

    for text in (made.page.replace("&#39;", "'"), made.unwrapped_mail):
        assert "It never reads what is inside a file or an object." in text
        assert "this does not prove that a text, or a person's data, is in no backup." in text
        assert "not in them" not in text
    assert "WHAT EVEN A COMPLETE SEARCH DOES NOT SEE - what is inside a file or an object" in made.unwrapped_mail


def test_the_box_of_what_no_search_sees_names_the_vaults_and_what_concerns_this_search() -> None:
    held = (NotSearchable("nightly", 12),)

    page = report_page(
        job=search_job(item_filters=ItemFilters(("CreationTimes",))),
        inventory=Inventory(InventoryStatus.COMPLETE, in_scope=385, not_searchable=held, not_searchable_is_all=True),
    )

    assert '<h2 id="unseen">What even a complete search does not see</h2>' in page
    assert page.count('<dd class="loud">') == 2
    assert "the vaults hold 12 backups of EC2 instances: 12 in nightly." in page
    assert "This search filters by creation time" in page
    assert "Delete markers" not in page
    assert '<dd class="loud">' not in report_page()


def test_what_is_missing_is_named_by_source_on_the_first_screen() -> None:
    payroll = excluded(Reason.REVIEW, source_resource_arn="arn:aws:s3:::payroll-archive")
    records = [
        excluded(Reason.REVIEW, source_resource_arn=f"arn:aws:s3:::hr-records-{number}", created=None)
        for number in range(408, 413)
    ]

    page = report_page([*[payroll] * 22, *records])

    missing = "<b>Not looked at:</b> 22 of payroll-archive (20 Nov), 1 each of hr-records-408 … 412."
    assert page.index(missing) < page.index('class="trust"')


def test_the_verdict_none_is_called_nothing_searched() -> None:
    page = report_page(job=search_job(status="FAILED"), searched=0)

    assert "<title>Nothing searched: find-invoice" in page
    assert "<span>Nothing searched</span>" in page
    assert not re.search(r">[^<]*\bNONE\b", page.partition("</script>")[2])


def test_cells_are_words_and_carry_the_code_for_files() -> None:
    index = BackupIndex("Default", "ACTIVE", None, None)
    unknown = excluded(Reason.UNKNOWN_STATUS, status="EXPIRED", resource_type="EFS", created=None, index_created=None)

    page = report_page([excluded(Reason.INDEX_FAILED, index, status="FAILED", resource_type="S3"), unknown])

    _, _, body = page.partition("<tbody>")
    for code, words in {
        "INDEX_FAILED": "Index failed",
        "S3": "S3 bucket",
        "2026-11-20T10:00:00Z": "20 Nov 2026 10:00:00 UTC",
        "FAILED": "Failed",
        "ACTIVE": "Active",
    }.items():
        assert f'<td data-code="{code}">{words}' in body
    assert "<td>EXPIRED" in body
    assert "<td>EFS" in body
    # What people read has no code and no second form of a moment
    assert not re.search(r"[A-Z]_[A-Z]|\dT\d", read(f"</script>{body.partition('</tbody>')[0]}"))


def test_moments_have_one_form_on_the_whole_page() -> None:
    text = read(report_page(exclusions(20)))

    assert "Ran 20 Nov 2026 09:00:00 UTC to 20 Nov 2026 09:05:30 UTC" in text
    assert not re.search(r"\d{4}-\d\d-\d\d", text)


def test_the_bar_of_the_coverage_never_rounds_a_backup_away() -> None:
    nearly = BackupCounts(listed=1_000_000, searched=999_999, excluded=1, failed=0)
    hardly = BackupCounts(listed=1_000_000, searched=1, excluded=999_999, failed=0)

    assert percent_searched(nearly, 1_000_000) == "99.9%"
    assert searched_width(nearly, 1_000_000) < 1000
    assert searched_width(hardly, 1_000_000) > 0


def test_sources_beyond_the_first_10_000_are_counted_together() -> None:
    tally = Tally()
    for number in range(SOURCES_COUNTED + 5):
        tally.count(failed(source_resource_arn=f"arn:aws:s3:::b-{number}"))

    assert (len(tally.by_source.counts), tally.by_source.further) == (SOURCES_COUNTED, 5)


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-1, "under 1 day"),
        (0.5, "under 1 day"),
        (1, "1–7 days"),
        (89, "30–90 days"),
        (900, "over 1 year"),
        (None, AGE_UNKNOWN),
    ],
)
def test_the_age_of_a_backup_is_its_age_when_the_search_started_and_is_not_made_up(
    days: float | None, age: str
) -> None:
    tally = Tally(searched_at=1_800_000_000.0)

    tally.count(failed(created=None if days is None else 1_800_000_000.0 - days * 86_400))

    assert tally.by_age == {age: 1}
