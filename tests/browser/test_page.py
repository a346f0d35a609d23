"""What a person does with the page of a report."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from tests.browser.conftest import Open
from tests.examples import JOB_ID, backup, search_job
from tests.pages import CSV_KEY, exclusions, hostile_exclusion, hostile_job, report_page

PHONE, NARROWEST, DESKTOP = ({"width": w, "height": h} for w, h in ((390, 844), (320, 640), (1280, 800)))
SNAPSHOT = "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000000"


@pytest.fixture(scope="module")
def partial() -> str:
    """The page of a search that left out 20 backups."""
    return report_page(exclusions(20))


@pytest.fixture(scope="module")
def long() -> str:
    """The page of a search that left out 2,000 backups."""
    return report_page(exclusions(2_000))


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whether_the_search_can_be_trusted_is_seen_without_scrolling(
    opened: Open, partial: str, viewport: dict[str, int], scheme: str
) -> None:
    page = opened(partial, viewport=viewport, color_scheme=scheme).page

    for text in (
        "PARTIAL",
        "This search did NOT look at 20 of 405 backups",
        "Not looked at: ",
        "Do NOT read this result as complete",
    ):
        expect(page.get_by_text(text, exact=False).first).to_be_in_viewport(ratio=1)
    expect(page.locator(".verdict svg")).to_be_in_viewport(ratio=1)
    expect(page.locator(".coverage")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("Do this first")).to_be_in_viewport()


@pytest.mark.parametrize("count", [0, 1, 20, 2_000, 50_000])
def test_reports_of_every_size_open_without_a_complaint(opened: Open, count: int) -> None:
    one = opened(report_page(exclusions(count)))

    expect(one.page.locator("h1")).to_be_visible()
    if count:
        expect(one.page.locator("#shown")).to_contain_text(f"of {min(count, 2_000):,} backups")
    if count > 2_000:
        expect(one.page.get_by_text(f"{count - 2_000:,} more are in the CSV")).to_be_visible()
        expect(one.page.locator(".backups > .lead")).to_contain_text(CSV_KEY)


@pytest.mark.parametrize("viewport", [NARROWEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
def test_nothing_is_wider_than_the_screen(opened: Open, viewport: dict[str, int]) -> None:
    inventory = Inventory(InventoryStatus.UNAVAILABLE, str(hostile_job().name))
    for text in (
        report_page([hostile_exclusion(), *exclusions(20)], job=hostile_job(), inventory=inventory),
        report_page(exclusions(20)),
        report_page(),
    ):
        page = opened(text, viewport=viewport).page
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_table_with_vault_and_index_fits_1280_pixels_with_each_arn_on_one_line(opened: Open) -> None:
    one = opened(report_page(exclusions(20)))
    page = one.page

    scroll = page.locator(".scroll")
    assert scroll.evaluate("element => element.scrollWidth <= element.clientWidth")
    for title in ("Vault", "Index now", "Index message"):
        box = page.get_by_role("columnheader", name=title).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1280
    for column in (2, 3):
        cell = page.locator(f"#table tbody tr:first-child td:nth-child({column})")
        heights = cell.locator("span").evaluate_all("spans => spans.map(span => span.getBoundingClientRect().top)")
        assert len(set(heights)) == 1
        assert cell.evaluate("cell => cell.getBoundingClientRect().right") >= cell.locator("span").last.evaluate(
            "span => span.getBoundingClientRect().right"
        )
    expect(page.locator("#table tbody td[title]").first).to_have_attribute("title", SNAPSHOT)


def test_everything_begins_at_one_left_edge(opened: Open, partial: str) -> None:
    for width in (1280, 1900):
        page = opened(partial, viewport={"width": width, "height": 800}).page

        edges = page.locator("h1, h2:not(#searched), .coverage, .group, .unseen dl, .scroll").evaluate_all(
            "all => all.map(element => Math.round(element.getBoundingClientRect().left))"
        )
        assert len(edges) > 8
        assert len(set(edges)) == 1


def test_a_copy_button_is_seen_when_its_row_is_pointed_at_or_it_has_the_focus(opened: Open, partial: str) -> None:
    page = opened(partial).page
    row = page.locator("#table tbody tr").nth(2)
    button = row.get_by_role("button")
    other = page.locator("#table tbody tr").nth(5).get_by_role("button")

    expect(button).to_have_css("opacity", "0")
    row.hover()
    expect(button).to_have_css("opacity", "1")
    expect(other).to_have_css("opacity", "0")
    other.focus()
    expect(other).to_have_css("opacity", "1")


def test_what_aws_sends_does_nothing(opened: Open) -> None:
    one = opened(report_page([hostile_exclusion()], job=hostile_job()))
    dialogs: list[str] = []
    one.page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    one.page.get_by_role("button", name="Reason").click()
    one.page.get_by_role("combobox", name="Status").select_option(index=1)

    assert one.shown_rows() == 1
    assert one.page.locator("script").count() == 1
    assert one.page.locator("img").count() == 0
    assert not dialogs


def test_searching_shows_the_backups_with_all_the_words(opened: Open, partial: str) -> None:
    one = opened(partial)

    one.page.get_by_role("searchbox", name="Search").fill("DENIED kms")

    expect(one.page.locator("#shown")).to_have_text("3 of 20 backups")
    assert set(one.column(0)) == {"KMS key not allowed"}


def test_a_code_from_the_csv_is_found_too(opened: Open, partial: str) -> None:
    one = opened(partial)

    one.page.get_by_role("searchbox", name="Search").fill("kms_access_denied 2026-")

    expect(one.page.locator("#shown")).to_have_text("2 of 20 backups")


def test_filters_narrow_together_and_are_cleared(opened: Open, partial: str) -> None:
    one = opened(partial)
    reason, status = one.page.get_by_role("combobox", name="Reason"), one.page.get_by_role("combobox", name="Status")

    status.select_option("=Failed")
    assert set(one.column(6)) == {"Failed"}
    reason.select_option("=In cold storage")
    expect(one.page.locator("#shown")).to_have_text("3 of 20 backups")
    one.page.get_by_role("combobox", name="Type").select_option("=S3 bucket")
    expect(one.page.get_by_text("No backup matches.")).to_be_visible()

    one.page.get_by_role("button", name="Clear search and filters").click()
    expect(one.page.locator("#shown")).to_have_text("20 of 20 backups")
    assert one.shown_rows() == 20


def test_what_aws_did_not_send_can_be_filtered_for(opened: Open, partial: str) -> None:
    one = opened(partial)

    one.page.get_by_role("combobox", name="Status").select_option("=")

    assert set(one.column(0)) == {"No index"}


def test_a_column_sorts_up_and_down_and_says_which(opened: Open, partial: str) -> None:
    one = opened(partial)
    head = one.page.get_by_role("columnheader", name="Backup made")
    button = head.get_by_role("button")

    button.click()
    ascending = moments(one.column(4))
    expect(head).to_have_attribute("aria-sort", "ascending")
    button.click()

    expect(head).to_have_attribute("aria-sort", "descending")
    assert ascending == sorted(ascending)
    assert moments(one.column(4)) == sorted(ascending, reverse=True)


def moments(texts: list[str]) -> list[datetime]:
    return [datetime.strptime(text, "%d %b %Y %H:%M:%S UTC").replace(tzinfo=UTC) for text in texts]


def test_what_aws_did_not_send_is_sorted_last(opened: Open, partial: str) -> None:
    one = opened(partial)
    button = one.page.get_by_role("columnheader", name="Status").get_by_role("button")

    for _ in range(2):
        button.click()
        assert one.column(6)[-1] == ""


def test_a_long_table_starts_short_and_grows(opened: Open, long: str) -> None:
    one = opened(long)
    assert one.shown_rows() == 200
    expect(one.page.locator("#shown")).to_have_text("2,000 of 2,000 backups, the first 200 shown")

    one.page.get_by_role("button", name="Show 200 more").click()
    assert one.shown_rows() == 400
    one.page.get_by_role("button", name="Show all 2,000").click()
    assert one.shown_rows() == 2_000
    # A search looks at all of them, shown or not
    one.page.get_by_role("searchbox").fill(f"snap-{1999:017x}")
    expect(one.page.locator("#shown")).to_have_text("1 of 2,000 backups")


def test_an_arn_is_copied(opened: Open, partial: str) -> None:
    page = opened(partial, permissions=["clipboard-read", "clipboard-write"]).page

    page.locator("#table tbody tr").first.get_by_role("button", name="Copy the ARN").click()

    expect(page.locator("#table tbody tr").first.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == SNAPSHOT


def test_commands_are_copied_as_they_are_shown(opened: Open, partial: str) -> None:
    page = opened(partial, permissions=["clipboard-read", "clipboard-write"]).page
    block = page.locator("#commands-INDEX_MISSING")

    page.locator("[data-copy=commands-INDEX_MISSING]").click()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == block.text_content()
    assert SNAPSHOT in copied


def test_where_the_clipboard_is_closed_an_arn_is_copied_all_the_same(opened: Open, partial: str) -> None:
    one = opened(partial)
    one.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    copied = one.page.evaluate_handle(
        """() => {
            const copied = [];
            document.addEventListener("copy", () => copied.push(String(getSelection())));
            return copied;
        }"""
    )

    button = one.page.locator("#table tbody tr").first.get_by_role("button")
    button.click()

    expect(button).to_have_text("Copied")
    assert copied.json_value()


def test_what_is_shown_is_downloaded_as_csv_and_safe_in_a_spreadsheet(opened: Open, tmp_path: Path) -> None:
    formula = Exclusion(backup(status="FAILED", status_message='=HYPERLINK("x"),\n2;=1+1'), Reason.FAILED_OTHER)
    one = opened(report_page([formula, *exclusions(20)]))
    one.page.get_by_role("combobox", name="Reason").select_option("=Failed, cause unclear")

    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="Download these as CSV").click()

    assert download.value.suggested_filename == "excluded-backups-shown.csv"
    path = tmp_path / "shown.csv"
    download.value.save_as(path)
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert [row["reason"] for row in rows] == ["FAILED_OTHER"]
    assert rows[0]["backup_arn"] == "arn:aws:ec2:us-east-1::snapshot/snap-0001"
    assert rows[0]["status"] == "FAILED"
    assert rows[0]["backup_created"] == "2026-11-20T10:00:00Z"
    assert rows[0]["status_message"] == "'=HYPERLINK(\"x\"),\n2;'=1+1"


def test_all_of_it_works_by_keyboard(opened: Open, partial: str) -> None:
    one = opened(partial, permissions=["clipboard-read", "clipboard-write"])
    page = one.page
    press = page.keyboard.press

    # Given a person who tabs: the first stop skips the head, and every stop can be seen
    press("Tab")
    expect(page.get_by_role("link", name="Skip to the report")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the report")).to_be_in_viewport()
    # When they search and filter
    page.get_by_role("searchbox").focus()
    page.keyboard.type("index")
    expect(page.locator("#shown")).to_have_text("9 of 20 backups")
    press("Tab")
    press("ArrowDown")
    press("ArrowDown")
    expect(page.locator("#shown")).to_have_text("3 of 20 backups")
    # And go on to sort
    for _ in range(6):
        press("Tab")
    expect(page.get_by_role("region", name="Table")).to_be_focused()
    press("Tab")
    press("Enter")
    expect(page.get_by_role("columnheader", name="Reason")).to_have_attribute("aria-sort", "ascending")
    # And to the copy buttons, which are one stop, with the arrows between them
    for _ in range(11):
        press("Tab")
    rows = page.locator("#table tbody tr:visible")
    expect(rows.nth(0).get_by_role("button")).to_be_focused()
    press("ArrowDown")
    expect(rows.nth(1).get_by_role("button")).to_be_focused()
    press("Enter")
    expect(rows.nth(1).get_by_role("button")).to_have_text("Copied")
    press("End")
    expect(rows.last.get_by_role("button")).to_be_focused()


def test_without_javascript_everything_can_be_read_and_nothing_is_offered_that_does_not_work(
    opened: Open, long: str
) -> None:
    one = opened(long, java_script_enabled=False)
    page = one.page

    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("#commands-INDEX_MISSING")).to_contain_text("aws backup update-recovery-point-index-settings")
    assert page.locator("#table tbody tr").count() == 2_000
    expect(page.locator("#table tbody tr").last).to_be_visible()
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("searchbox").count() == 0


def text_of_pages(pdf: bytes) -> list[str]:
    """Read a PDF's pages, each as one line of text."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_with_all_rows_and_page_numbers(opened: Open, paper: str) -> None:
    page = opened(report_page(exclusions(300)), color_scheme="dark").page

    printed = page.pdf(format=paper)

    pages = text_of_pages(printed)
    assert len(pages) > 5
    foot = f"Search job {JOB_ID} · PARTIAL · report made 20 Nov 2026 09:06:00 UTC"
    for number, text in enumerate(pages, start=1):
        assert foot in text
        assert f"Page {number} of {len(pages)}" in text
        assert len(text.split()) > 50, f"page {number} is nearly empty"
    of_table = [text for text in pages if "snap-" in text and "aws " not in text]
    assert len(of_table) > 2
    assert all("Message from" in text for text in of_table)
    page.emulate_media(media="print")
    assert page.locator("#table tbody tr:visible").count() == 300
    assert page.locator("#controls:visible, .copy:visible").count() == 0
    expect(page.get_by_role("columnheader", name="Message from AWS")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_no_printed_page_ends_with_a_heading(opened: Open, partial: str) -> None:
    page = opened(partial).page
    headings = ["".join(text.split()) for text in page.locator("h2, h3, h4, .lead").all_inner_texts()]

    # Wherever the pages break; the text of a page begins with its foot
    for height in range(200, 300, 7):
        for text in text_of_pages(page.pdf(width="210mm", height=f"{height}mm")):
            for heading in filter(None, headings):
                assert text.replace(" ", "")[-min(20, len(heading)) :] not in heading, (height, heading)


@pytest.mark.parametrize("verdict", ["COMPLETE", "NONE"])
def test_the_other_verdicts_say_what_they_mean(opened: Open, verdict: str) -> None:
    job = search_job(status="COMPLETED" if verdict == "COMPLETE" else "FAILED")

    page = opened(report_page(job=job, searched=5 if verdict == "COMPLETE" else 0)).page

    expect(page.locator(".verdict")).to_have_text("Nothing searched" if verdict == "NONE" else verdict)
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    assert page.locator("#table").count() == 0
