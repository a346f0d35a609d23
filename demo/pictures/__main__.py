"""Makes docs/images/*.png anew: ``python -m demo.pictures``."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from demo.pictures.chromium import HOW_TO_GET, find_chromium
from demo.pictures.mail_window import mail_window
from demo.pictures.pictures import PICTURES, Picture
from demo.pictures.reports import Report, ReportsNotMade, demo_reports

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Take all pictures, and say so; end with one sentence if there is no browser."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit(f"The pictures need Chromium or Chrome, and there is none here. {HOW_TO_GET}")
    try:
        reports = demo_reports()
    except ReportsNotMade as error:
        sys.exit(str(error))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        # A sandbox needs rights that root and containers do not have; the pages are our own.
        browser = playwright.chromium.launch(
            executable_path=chromium, chromium_sandbox=False, args=["--disable-lcd-text", "--hide-scrollbars"]
        )
        for picture in PICTURES:
            content = _taken(browser, Path(folder), picture, reports[picture.report])
            path = IMAGES / picture.file
            path.write_bytes(content)
            print(f"{path.relative_to(ROOT)}: {picture.report}, {len(content) / 1000:.0f} KB", flush=True)
        browser.close()


def _taken(browser: Browser, folder: Path, picture: Picture, report: Report) -> bytes:
    path = folder / f"{picture.file}.html"
    path.write_text(mail_window(report.mail) if picture.of_mail else report.page, encoding="utf-8")
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=1,
        color_scheme="dark" if picture.dark else "light",
        locale="en-GB",
        timezone_id="UTC",
    )
    page = context.new_page()
    page.goto(path.as_uri())
    content = picture.take(page)
    context.close()
    return content


if __name__ == "__main__":
    main()
