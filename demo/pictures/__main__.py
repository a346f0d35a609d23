"""Takes the pictures docs/images/*.png: ``python -m demo.pictures``."""

import sys
import tempfile
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from demo.pictures.chromium import HOW_TO_GET, find_chromium
from demo.pictures.pictures import PICTURES, Picture
from demo.pictures.reports import Mail, Report, ReportsNotMade, demo_reports

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"

_MAIL_STYLE = """
body { margin: 0; background: #fff; color: #1b1f24; font: 13px/1.5 "Liberation Mono", Menlo, Consolas, monospace; }
header { padding: 14px 14px 12px; border-bottom: 1px solid #dedbd5; font: 13px/1.45 system-ui, sans-serif; }
header p { margin: 0; color: #555d66; }
header .subject { margin-bottom: 6px; font-size: 17px; font-weight: 600; line-height: 1.3; color: #1b1f24; }
pre { margin: 0; padding: 14px; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


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
    path.write_text(_mail_window(report.mail) if picture.of_mail else report.page, encoding="utf-8")
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


def _mail_window(mail: Mail) -> str:
    """Return the HTML of a window with a mail: plain text, as narrow as on a phone."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{_MAIL_STYLE}</style>'
        f'<header><p class="subject">{escape(mail.subject)}</p><p>From: Search Coverage</p></header>'
        f"<pre>{escape(mail.text)}</pre></html>"
    )


if __name__ == "__main__":
    main()
