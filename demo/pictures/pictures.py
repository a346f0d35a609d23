"""The pictures: the report that each shows, its size, and what is done on the page before."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from demo.pictures.reports import SEARCHED_AGAIN

MANY_BACKUPS, MANY_REASONS, NOT_LISTED = "ransomware-first-seen", "find-invoice-2026-10", "quarterly-audit"
"""The reports: many backups and two reasons, few backups and many reasons, backups that the search did not list."""

FIRST_SCREEN = "header, .pair"

_MARGIN = 16  # above and below what is shown, in pixels
_EXTENT = """elements => [
    scrollY + Math.min(...elements.map(element => element.getBoundingClientRect().top)),
    scrollY + Math.max(...elements.map(element => element.getBoundingClientRect().bottom)),
]"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        file: Its name in docs/images.
        report: The search job whose report it shows.
        height: The most that it shows.
        shows: The selector of what it shows, from the first element to the last; None for the top of the page.
        before: What is done on the page before.
    """

    file: str
    report: str
    width: int
    height: int
    shows: str | None = None
    dark: bool = False
    of_mail: bool = False
    before: Callable[[Page], None] | None = None

    def take(self, page: Page) -> bytes:
        """Take the picture of an opened page, as PNG."""
        if self.before:
            self.before(page)
        top, bottom = 0.0, float(self.height)
        if self.shows is not None:
            first, last = page.locator(self.shows).evaluate_all(_EXTENT)
            top = max(0.0, first - _MARGIN)
            bottom = min(top + self.height, last + _MARGIN)
        clip = {"x": 0.0, "y": top, "width": float(self.width), "height": bottom - top}
        return page.screenshot(clip=clip, full_page=True, animations="disabled")  # type: ignore[arg-type]


def _search_table(page: Page) -> None:
    page.fill("#search", "records-40")
    page.get_by_text("2 of 27 backups").wait_for()  # the page searches a moment after the last key


PICTURES = (
    Picture("report.png", MANY_BACKUPS, 1200, 1400, shows=FIRST_SCREEN),
    Picture("report-dark.png", MANY_BACKUPS, 1200, 900, shows="header, .hero", dark=True),
    Picture("report-phone.png", MANY_BACKUPS, 390, 844),
    Picture("what-to-do.png", MANY_REASONS, 1200, 900, shows="#do, article:has(#title-PERMISSION_DENIED)"),
    Picture("backups-table.png", MANY_BACKUPS, 1280, 900, shows="section.backups", before=_search_table),
    Picture("not-listed.png", NOT_LISTED, 1200, 1400, shows=FIRST_SCREEN),
    Picture("closed.png", SEARCHED_AGAIN, 1200, 1400, shows=FIRST_SCREEN),
    Picture("mail.png", MANY_BACKUPS, 390, 844, of_mail=True),
)
