"""Finds a Chromium on this computer, for the pictures of the pages and for their tests."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

HOW_TO_GET = "Get one with 'apt install chromium' or '.venv/bin/playwright install chromium'."

_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of the first Chromium there is: the system's, Chrome, or Playwright's own."""
    for name in _COMMANDS:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None
