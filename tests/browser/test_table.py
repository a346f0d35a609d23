"""What a person does with the table of the page: search, filter, sort, copy, download, by mouse and by keyboard."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open, Opened
from tests.reports import exclusions, failed, hostile_exclusion, hostile_job, report_page

SNAPSHOT = "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000000"
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture(scope="module")
def shared(opened_once: Open, partial: str) -> Opened:
    """The page of a search that left out 20 backups, for all tests that only look at its table."""
    return opened_once(partial)


@pytest.fixture
def one(shared: Opened) -> Opened:
    """The shared page, without a search and without filters."""
    shared.page.evaluate("document.querySelector('#controls').reset()")
    return shared


def choose(one: Opened, box: str, value: str) -> None:
    """Choose a value in one of the filters."""
    one.page.get_by_role("combobox", name=box).select_option(value)


def head(one: Opened, title: str) -> Locator:
    return one.page.get_by_role("columnheader", name=title)


@pytest.mark.parametrize(
    ("words", "count", "reasons"),
    [("DENIED kms", 3, {"KMS key not allowed"}), ("kms_access_denied 2026-", 2, {"KMS key not allowed"})],
    ids=["words of the page", "a code from the CSV"],
)
def test_searching_shows_the_backups_with_all_the_words(one: Opened, words: str, count: int, reasons: set[str]) -> None:
    one.page.get_by_role("searchbox", name="Search").fill(words)

    expect(one.shown).to_have_text(f"{count} of 20 backups")
    assert set(one.column(0)) == reasons


def test_filters_narrow_together_and_are_cleared(one: Opened) -> None:
    choose(one, "Status", "=Failed")
    assert set(one.column(6)) == {"Failed"}
    choose(one, "Reason", "=In cold storage")
    expect(one.shown).to_have_text("3 of 20 backups")
    choose(one, "Type", "=S3 bucket")
    expect(one.page.get_by_text("No backup matches.")).to_be_visible()

    one.page.get_by_role("button", name="Clear search and filters").click()
    expect(one.shown).to_have_text("20 of 20 backups")
    assert one.rows.count() == 20


def test_what_aws_did_not_send_can_be_filtered_for(one: Opened) -> None:
    choose(one, "Status", "=")

    assert set(one.column(0)) == {"No index"}


def test_a_column_sorts_up_and_down_and_says_which(one: Opened) -> None:
    def moments() -> list[datetime]:
        return [datetime.strptime(text, "%d %b %Y %H:%M:%S UTC").replace(tzinfo=UTC) for text in one.column(4)]

    head(one, "Backup made").get_by_role("button").click()
    ascending = moments()
    expect(head(one, "Backup made")).to_have_attribute("aria-sort", "ascending")
    head(one, "Backup made").get_by_role("button").click()

    expect(head(one, "Backup made")).to_have_attribute("aria-sort", "descending")
    assert ascending == sorted(ascending)
    assert moments() == sorted(ascending, reverse=True)


def test_what_aws_did_not_send_is_sorted_last(one: Opened) -> None:
    for _ in range(2):
        head(one, "Status").get_by_role("button").click()
        assert one.column(6)[-1] == ""


def test_a_long_table_starts_short_and_grows(opened: Open, long: str) -> None:
    one = opened(long)
    assert one.rows.count() == 200
    expect(one.shown).to_have_text("2,000 of 2,000 backups, the first 200 shown")

    one.page.get_by_role("button", name="Show 200 more").click()
    assert one.rows.count() == 400
    one.page.get_by_role("button", name="Show all 2,000").click()
    assert one.rows.count() == 2_000
    # A search looks at all of them, shown or not
    one.page.get_by_role("searchbox").fill(f"snap-{1999:017x}")
    expect(one.shown).to_have_text("1 of 2,000 backups")


def test_hostile_texts_from_aws_run_nothing(opened: Open) -> None:
    one = opened(report_page([hostile_exclusion()], job=hostile_job()))
    dialogs: list[str] = []
    one.page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    one.page.get_by_role("button", name="Reason").click()
    one.page.get_by_role("combobox", name="Status").select_option(index=1)

    assert one.rows.count() == 1
    assert one.page.locator("script").count() == 1
    assert one.page.locator("img").count() == 0
    assert not dialogs


def test_a_copy_button_is_seen_when_its_row_is_pointed_at_or_it_has_the_focus(opened: Open, partial: str) -> None:
    one = opened(partial)
    button, other = (one.rows.nth(row).get_by_role("button") for row in (2, 5))

    expect(button).to_have_css("opacity", "0")
    one.rows.nth(2).hover()
    expect(button).to_have_css("opacity", "1")
    expect(other).to_have_css("opacity", "0")
    other.focus()
    expect(other).to_have_css("opacity", "1")


def test_an_arn_and_commands_are_copied_as_they_are_shown(opened: Open, partial: str) -> None:
    one = opened(partial, **CLIPBOARD)
    button = one.rows.first.get_by_role("button", name="Copy the ARN")

    button.click()
    expect(button).to_have_text("Copied")
    assert one.page.evaluate("navigator.clipboard.readText()") == SNAPSHOT

    one.page.locator("[data-copy=commands-INDEX_MISSING]").click()
    copied = one.page.evaluate("navigator.clipboard.readText()")
    assert copied == one.page.locator("#commands-INDEX_MISSING").text_content()
    assert SNAPSHOT in copied


def test_an_arn_is_copied_even_without_access_to_the_clipboard(opened: Open, partial: str) -> None:
    one = opened(partial)
    one.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    copied = one.page.evaluate_handle(
        """() => {
            const copied = [];
            document.addEventListener("copy", () => copied.push(String(getSelection())));
            return copied;
        }"""
    )

    button = one.rows.first.get_by_role("button")
    button.click()

    expect(button).to_have_text("Copied")
    assert copied.json_value()


def test_the_shown_rows_are_downloaded_as_csv_and_safe_in_a_spreadsheet(opened: Open, tmp_path: Path) -> None:
    one = opened(report_page([failed(status_message='=HYPERLINK("x"),\n2;=1+1'), *exclusions(20)]))
    choose(one, "Reason", "=Failed, cause unclear")

    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="Download these as CSV").click()

    assert download.value.suggested_filename == "excluded-backups-shown.csv"
    download.value.save_as(tmp_path / "shown.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "shown.csv").read_bytes().decode(), newline=""))
    assert row["reason"] == "FAILED_OTHER"
    assert row["backup_arn"] == "arn:aws:ec2:us-east-1::snapshot/snap-0001"
    assert row["status"] == "FAILED"
    assert row["backup_created"] == "2026-11-20T10:00:00Z"
    assert row["status_message"] == "'=HYPERLINK(\"x\"),\n2;'=1+1"


def test_all_of_it_works_by_keyboard(opened: Open, partial: str) -> None:
    one = opened(partial, **CLIPBOARD)
    page = one.page

    def press(key: str, times: int = 1) -> None:
        for _ in range(times):
            page.keyboard.press(key)

    # Given a person who tabs: the first stop skips the head, and every stop can be seen
    press("Tab")
    expect(page.get_by_role("link", name="Skip to the report")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the report")).to_be_in_viewport()
    # When they search and filter
    page.get_by_role("searchbox").focus()
    page.keyboard.type("index")
    expect(one.shown).to_have_text("9 of 20 backups")
    press("Tab")
    press("ArrowDown", 2)
    expect(one.shown).to_have_text("3 of 20 backups")
    # And go on to sort
    press("Tab", 6)
    expect(page.get_by_role("region", name="Table")).to_be_focused()
    press("Tab")
    press("Enter")
    expect(head(one, "Reason")).to_have_attribute("aria-sort", "ascending")
    # And to the copy buttons, which are one stop, with the arrows between them
    press("Tab", 11)
    expect(one.rows.nth(0).get_by_role("button")).to_be_focused()
    press("ArrowDown")
    expect(one.rows.nth(1).get_by_role("button")).to_be_focused()
    press("Enter")
    expect(one.rows.nth(1).get_by_role("button")).to_have_text("Copied")
    press("End")
    expect(one.rows.last.get_by_role("button")).to_be_focused()
