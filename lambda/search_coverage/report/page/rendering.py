"""What the pages share: the templates, and the policy that allows a browser nothing else.

A Content-Security-Policy with the hashes of style and script allows the browser these two and nothing else.
"""

import hashlib
from base64 import b64encode
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from search_coverage.report import wording
from search_coverage.report.plain_text import visible

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_TEMPLATES = Path(__file__).parent / "templates"


def content_security_policy(style: str, script: str) -> str:
    """Write the Content-Security-Policy that allows this style and this script and nothing else."""
    style_hash, script_hash = (b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )


def foot_of_print(line: str, second_line: str = "") -> str:
    """Write the style of every printed page's foot, which Chromium takes from the style alone.

    Nothing in it may come from AWS or from people.
    """
    text = f"{line}\\a {second_line}" if second_line else line
    return f'@page {{ @bottom-left {{ content: "{text}"; }} }}\n'


@cache
def template_file(name: str) -> str:
    """Read a file that a page takes in as it is."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def template(name: str) -> "Template":
    """Return the template of a page. Everything that it shows is escaped."""
    return _environment().get_template(name)


@cache
def _environment() -> "Environment":
    # Not at the top: a cold start does not need it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["moment"] = _moment
    environment.filters["visible"] = visible
    environment.filters["status"] = wording.status_in_words
    return environment


def _moment(moment: datetime | float | None) -> str:
    return "–" if moment is None else wording.moment_in_words(moment)
