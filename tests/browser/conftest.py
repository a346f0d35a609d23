"""Opens pages in a Chromium from disk, and records its errors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from demo.pictures.chromium import HOW_TO_GET, find_chromium
from tests.reports import exclusions, report_page

CHROMIUM = find_chromium()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, and say so once."""
    of_browser = [item for item in items if Path(__file__).parent in item.path.parents]
    if CHROMIUM is not None or not of_browser:
        return
    first, *others = of_browser
    items[:] = [item for item in items if item not in others]
    reason = f"{len(of_browser)} browser tests were skipped: there is no Chromium here. {HOW_TO_GET}"
    first.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for all tests."""
    with sync_playwright() as playwright:
        # A sandbox needs rights that root and containers do not have; the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page in the browser, with its requests and errors."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def rows(self) -> Locator:
        """The rows that can be seen."""
        return self.page.locator("#table tbody tr:visible")

    @property
    def shown(self) -> Locator:
        """The line that says how many backups are shown."""
        return self.page.locator("#shown")

    def column(self, number: int) -> list[str]:
        """Return the texts of a column as they are shown, without the button."""
        script = f"""() => [...document.querySelectorAll("#table tbody tr")].filter(row => row.offsetParent)
            .map(row => row.cells[{number}].firstChild ? row.cells[{number}].firstChild.textContent : "")"""
        texts: list[str] = self.page.evaluate(script)
        return texts

    def finish(self) -> None:
        """Close the page, and assert that it loaded only itself and logged no error."""
        self.page.context.close()
        (loaded,) = [url for url in self.requests if not url.startswith("blob:file:")]
        assert loaded.startswith("file:")
        assert not self.complaints


Open = Callable[..., Opened]
"""Opens the text of a page; keywords go to the browser's context."""


def _opener(browser: Browser, folder: Path) -> Iterator[Open]:
    pages: list[Opened] = []

    def open_page(text: str, **context: Any) -> Opened:
        path = folder / f"report-{len(pages)}.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context}).new_page()
        one = Opened(page)
        page.on("request", lambda request: one.requests.append(request.url))
        page.on("console", lambda message: one.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.goto(path.as_uri())
        pages.append(one)
        return one

    yield open_page
    for one in pages:
        one.finish()


def expect_on_the_first_screen(page: Page, *texts: str) -> None:
    """Expect that texts, the sign of the verdict and the bar are seen without scrolling."""
    for text in texts:
        expect(page.get_by_text(text, exact=False).first).to_be_in_viewport(ratio=1)
    for part in (".verdict svg", ".coverage"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens pages from disk. A page never sends a request and never logs an error, whatever a test does with it."""
    yield from _opener(browser, tmp_path)


@pytest.fixture(scope="module")
def opened_once(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens pages as `opened` does, for all tests of a module."""
    yield from _opener(browser, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def partial() -> str:
    """The page of a search that left out 20 backups."""
    return report_page(exclusions(20))


@pytest.fixture(scope="session")
def long() -> str:
    """The page of a search that left out 2,000 backups."""
    return report_page(exclusions(2_000))
