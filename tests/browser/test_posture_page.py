"""The page of a posture in a real Chromium: what is seen first, what helps most, its table, and on paper."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from search_coverage.coverage.posture import PostureStatus
from tests.browser.conftest import Open, Opened, expect_on_the_first_screen
from tests.browser.test_page import DESKTOP, NARROWEST, PHONE, text_of_pages
from tests.postures import posture
from tests.whole_posture import VOLUME, hostile_posture, posture_page, whole_posture


@pytest.fixture(scope="module")
def whole() -> str:
    """The page of the whole posture."""
    return posture_page(whole_posture())


@pytest.fixture(scope="module")
def shared(opened_once: Open, whole: str) -> Opened:
    """The page, for all tests that only look at it."""
    return opened_once(whole)


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_how_much_could_be_searched_and_what_helps_most_is_seen_without_scrolling(
    opened: Open, whole: str, viewport: dict[str, int], scheme: str
) -> None:
    page = opened(whole, viewport=viewport, color_scheme=scheme).page

    expect_on_the_first_screen(
        page,
        "NOT ALL SEARCHABLE",
        "A search could look into the newest backup of 61 of 82 sources",
        "Target 95% of the sources: MISSED, it is 74.3%.",
        "Index the newest backup of 15 sources",
        "Turn on indexing in backup plan databases",
        "Turn on indexing in backup plan finance",
    )


def test_that_some_vaults_were_not_read_comes_before_everything_else(opened: Open) -> None:
    problem = "Vault payments could not be read: AccessDeniedException."
    partial = replace(whole_posture(), status=PostureStatus.PARTIAL, problems=(problem,))
    page = opened(posture_page(partial)).page

    for text in ("NOT ALL VAULTS READ", f"This is not the whole picture. {problem}", "not known"):
        expect(page.get_by_text(text).first).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("link", "command"),
    [
        ("Index the newest backup of 15 sources", "#commands-INDEX_MISSING"),
        ("Turn on indexing in backup plan databases", "#plan-cli-1"),
        ("Turn on indexing in backup plan finance", "#plan-organizations-2"),
    ],
)
def test_a_reader_comes_from_what_helps_most_to_its_commands_with_one_click_and_copies_them_with_another(
    opened: Open, whole: str, link: str, command: str
) -> None:
    page = opened(whole, permissions=["clipboard-read", "clipboard-write"]).page

    page.get_by_role("link", name=link).click()
    expect(page.locator(command)).to_be_in_viewport(ratio=0.5)
    page.locator(f"[data-copy={command[1:]}]").click()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(command).text_content()


@pytest.mark.parametrize("viewport", [NARROWEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
def test_nothing_is_wider_than_the_screen(opened: Open, whole: str, viewport: dict[str, int]) -> None:
    for text in (whole, posture_page(hostile_posture()), posture_page(posture())):
        page = opened(text, viewport=viewport).page
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        show_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def show_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")


def test_every_table_fits_1280_pixels_and_its_titles_do_not_run_into_each_other(shared: Opened) -> None:
    for region in shared.page.locator(".scroll").all():
        assert region.evaluate("element => element.scrollWidth <= element.clientWidth")
    titles = shared.page.locator("#table th button").evaluate_all(
        "all => all.map(button => [button.getBoundingClientRect(), button.closest('th').getBoundingClientRect()])"
        ".filter(([button, cell]) => button.right > cell.right).length"
    )
    assert titles == 0


@pytest.mark.parametrize("width", [1280, 1900])
def test_everything_begins_at_one_left_edge(opened: Open, whole: str, width: int) -> None:
    page = opened(whole, viewport={"width": width, "height": 800}).page

    edges = page.locator("h1, h2:not(#ages), .coverage, .group, .changes-first, .unseen dl, #sources + p").evaluate_all(
        "all => all.map(element => Math.round(element.getBoundingClientRect().left))"
    )
    assert len(edges) > 12
    assert len(set(edges)) == 1


def test_the_sources_are_searched_filtered_and_sorted(opened: Open, whole: str) -> None:
    one = opened(whole)
    page = one.page

    expect(one.shown).to_have_text("21 of 21 sources")
    page.get_by_role("combobox", name="Why not").select_option("=Index failed")
    expect(one.shown).to_have_text("2 of 21 sources")
    assert set(one.column(8)) == {"Access denied trying to call ebs:ListSnapshotBlocks on the snapshot."}
    page.get_by_role("button", name="Clear").first.click()
    page.get_by_role("searchbox").fill("finance")
    expect(one.shown).to_have_text("4 of 21 sources")
    page.get_by_role("columnheader", name="Source").get_by_role("button").click()
    assert page.locator("#table tbody tr:visible td:nth-child(2)").all_inner_texts() == [
        f"arn:aws:s3:::{name}" for name in ("audit-log", "ledger", "tax", "treasury")
    ]


def test_the_shown_sources_are_downloaded_under_the_names_of_the_csv(opened: Open, whole: str, tmp_path: Path) -> None:
    one = opened(whole)
    one.page.get_by_role("combobox", name="Vault").select_option("=nightly")
    one.page.get_by_role("combobox", name="Type").select_option("=EBS volume")

    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="Download these as CSV").click()

    assert download.value.suggested_filename == "sources-shown.csv"
    download.value.save_as(tmp_path / "shown.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "shown.csv").read_bytes().decode(), newline="")))
    assert [(row["source_resource_arn"], row["newest_searchability"]) for row in rows] == [
        (VOLUME.format(60), "INDEX_FAILED"),
        (VOLUME.format(61), "INDEX_FAILED"),
        (VOLUME.format(70), "ARCHIVED"),
    ]
    assert {row["resource_type"] for row in rows} == {"EBS"}
    assert rows[0]["newest_backup_created"] == "2026-11-19T23:44:00Z"


def test_without_javascript_everything_can_be_read(opened: Open, whole: str) -> None:
    page = opened(whole, java_script_enabled=False).page

    expect(page.locator("#plan-cli-1")).to_contain_text("aws backup update-backup-plan")
    expect(page.locator("#table tbody tr").last).to_be_visible()
    for role in ("button", "searchbox"):
        assert page.get_by_role(role).count() == 0


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_with_every_form_of_a_change_and_a_foot_on_every_page(opened: Open, whole: str, paper: str) -> None:
    page = opened(whole, color_scheme="dark").page

    pages = text_of_pages(page.pdf(format=paper))

    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert "Posture of account 000000000000 in us-east-1 · taken 20 Nov 2026 03:00:00 UTC" in text
        assert f"Page {number} of {len(pages)}" in text
        assert len(text.split()) > 50, f"page {number} is nearly empty"
    printed = " ".join(pages)
    for form in ("update-backup-plan", "BackupPlanIndexActionProps", "BackupPlanRule:", "@@assign"):
        assert form in printed
    for words in ("audit-log", "Can no longer be searched", "The AWS provider of Terraform"):
        assert words in printed


def test_hostile_texts_from_aws_run_nothing(opened: Open) -> None:
    one = opened(posture_page(hostile_posture()))
    dialogs: list[str] = []
    one.page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    one.page.get_by_role("columnheader", name="Vault").get_by_role("button").click()
    one.page.get_by_role("combobox", name="Vault").select_option(index=1)
    show_all(one.page)

    assert one.rows.count() > 1
    assert one.page.locator("script").count() == 1
    assert one.page.locator("img").count() == 0
    assert not dialogs
