"""How the page of a report looks: on every screen, without script, and on paper."""

import io

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from search_coverage.coverage.verdict import Inventory, InventoryStatus
from tests.browser.conftest import Open, expect_on_the_first_screen
from tests.examples import JOB_ID, search_job
from tests.reports import CSV_KEY, exclusions, hostile_exclusion, hostile_job, report, report_page

PHONE, NARROWEST, DESKTOP = ({"width": w, "height": h} for w, h in ((390, 844), (320, 640), (1280, 800)))


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whether_the_search_can_be_trusted_is_seen_without_scrolling(
    opened: Open, partial: str, viewport: dict[str, int], scheme: str
) -> None:
    page = opened(partial, viewport=viewport, color_scheme=scheme).page

    expect_on_the_first_screen(
        page,
        "PARTIAL",
        "This search did NOT look at 20 of 405 backups",
        "Not looked at: ",
        "Do NOT read this result as complete",
    )
    expect(page.get_by_text("Do this first")).to_be_in_viewport()


@pytest.mark.parametrize("count", [0, 1, 20, 2_000, 12_000])
def test_reports_of_every_size_open_without_a_complaint(opened: Open, count: int) -> None:
    one = opened(report_page(exclusions(count)))

    expect(one.page.locator("h1")).to_be_visible()
    if count:
        expect(one.shown).to_contain_text(f"of {min(count, 2_000):,} backups")
    if count > 2_000:
        expect(one.page.get_by_text(f"{count - 2_000:,} more are in the CSV")).to_be_visible()
        expect(one.page.locator(".backups > .lead")).to_contain_text(CSV_KEY)


@pytest.mark.parametrize("viewport", [NARROWEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
def test_nothing_is_wider_than_the_screen(opened: Open, partial: str, viewport: dict[str, int]) -> None:
    inventory = Inventory(InventoryStatus.UNAVAILABLE, str(hostile_job().name))
    hostile = report_page([hostile_exclusion(), *exclusions(20)], job=hostile_job("S3"), inventory=inventory)
    for text in (hostile, partial, report_page()):
        page = opened(text, viewport=viewport).page
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_table_with_vault_and_index_fits_1280_pixels_with_each_arn_on_one_line(opened: Open, partial: str) -> None:
    page = opened(partial).page

    assert page.locator(".scroll").evaluate("element => element.scrollWidth <= element.clientWidth")
    for title in ("Vault", "Index now", "Index message"):
        box = page.get_by_role("columnheader", name=title).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1280
    for column in (2, 3):
        cell = page.locator(f"#table tbody tr:first-child td:nth-child({column})")
        spans = cell.locator("span")
        assert len(set(spans.evaluate_all("spans => spans.map(span => span.getBoundingClientRect().top)"))) == 1
        right = "element => element.getBoundingClientRect().right"
        assert cell.evaluate(right) >= spans.last.evaluate(right)
    snapshot = "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000000"
    expect(page.locator("#table tbody td[title]").first).to_have_attribute("title", snapshot)


@pytest.mark.parametrize("width", [1280, 1900])
def test_everything_begins_at_one_left_edge(opened: Open, partial: str, width: int) -> None:
    page = opened(partial, viewport={"width": width, "height": 800}).page

    edges = page.locator("h1, h2:not(#question, #searched), .coverage, .group, .unseen dl, .scroll").evaluate_all(
        "all => all.map(element => Math.round(element.getBoundingClientRect().left))"
    )
    assert len(edges) > 8
    assert len(set(edges)) == 1


@pytest.mark.parametrize(
    ("status", "searched", "verdict"), [("COMPLETED", 5, "COMPLETE"), ("FAILED", 0, "Nothing searched")]
)
def test_the_other_verdicts_say_what_they_mean(opened: Open, status: str, searched: int, verdict: str) -> None:
    page = opened(report_page(job=search_job(status=status), searched=searched)).page

    expect(page.locator(".verdict")).to_have_text(verdict)
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    assert page.locator("#table").count() == 0


def test_without_javascript_everything_can_be_read_and_nothing_is_offered_that_does_not_work(
    opened: Open, long: str
) -> None:
    one = opened(long, java_script_enabled=False)

    expect(one.page.locator("h1")).to_be_visible()
    expect(one.page.locator("#commands-INDEX_MISSING")).to_contain_text(
        "aws backup update-recovery-point-index-settings"
    )
    assert one.page.locator("#table tbody tr").count() == 2_000
    expect(one.page.locator("#table tbody tr").last).to_be_visible()
    for role in ("button", "searchbox"):
        assert one.page.get_by_role(role).count() == 0


def text_of_pages(pdf: bytes) -> list[str]:
    """Read a PDF's pages, each as one line of text."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_with_all_rows_and_page_numbers(opened: Open, paper: str) -> None:
    made = report(exclusions(120))
    one = opened(made.page, color_scheme="dark")
    page = one.page

    pages = text_of_pages(page.pdf(format=paper))

    assert len(pages) > 5
    foot = f"Search job {JOB_ID} · PARTIAL · report made 20 Nov 2026 09:06:00 UTC "
    foot += f"Hash of the summary (SHA-256): {made.summary['contentSha256']}"
    for number, text in enumerate(pages, start=1):
        assert foot in text
        assert f"Page {number} of {len(pages)}" in text
        assert len(text.split()) > 50, f"page {number} is nearly empty"
    of_table = [text for text in pages if "snap-" in text and "aws " not in text]
    assert len(of_table) > 2
    assert all("Message from" in text for text in of_table)
    page.emulate_media(media="print")
    assert one.rows.count() == 120
    assert page.locator("#controls:visible, .copy:visible").count() == 0
    expect(page.get_by_role("columnheader", name="Message from AWS")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_search_can_be_started_again_from_the_page_and_from_paper(opened: Open, partial: str) -> None:
    page = opened(partial).page
    command = page.locator("#same-search")

    expect(command).not_to_be_visible()
    page.get_by_text("Start the same search again").first.click()
    expect(command).to_contain_text("aws backupsearch start-search-job")
    expect(page.locator(".question").get_by_role("button", name="Copy")).to_be_visible()
    assert '--search-scope \'{"BackupResourceTypes":["EBS"]}\'' in " ".join(text_of_pages(page.pdf()))


def test_no_printed_page_ends_with_a_heading(opened: Open) -> None:
    page = opened(report_page(exclusions(7))).page
    headings = ["".join(text.split()) for text in page.locator("h2, h3, h4, .lead").all_inner_texts()]

    # Wherever the pages break; the text of a page begins with its foot
    for height in range(200, 300, 7):
        for text in text_of_pages(page.pdf(width="210mm", height=f"{height}mm")):
            for heading in filter(None, headings):
                assert not text.replace(" ", "").endswith(heading[-20:]), (height, heading)
