"""The values of commands, ready for a POSIX shell and the AWS CLI.

A value of another shape is left to the reader: the CLI takes "-…" for an option and "file://…" for a file to send, and
a terminal obeys invisible characters.
"""

import json
import re
import shlex
from typing import Any

from search_coverage.coverage.arn import Arn, MalformedArn

_ARN_CHARACTERS = 2048
IDENTIFIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,99}")
"""The shape of a Region, and of the identifier of a search job."""


def known_arn(text: str | None) -> Arn | None:
    """Return an ARN that can be written into a command; None if it is none, or holds what nobody sees."""
    if not text or len(text) > _ARN_CHARACTERS or not text.isprintable() or " " in text:
        return None
    try:
        return Arn.parse(text)
    except MalformedArn:
        return None


def region_option(region: str | None) -> str:
    """Return the option that names the Region, after a space; nothing if it is not known."""
    return f" --region {region}" if region and IDENTIFIER.fullmatch(region) else ""


def json_word(value: Any) -> str:
    """Write a JSON value as one word. In it, what nobody sees is an escape of JSON, and a line stays one."""
    return shlex.quote(seen_json(value, separators=(",", ":")))


def seen_json(value: Any, **layout: Any) -> str:
    """Write JSON in which what nobody sees is an escape; ``layout`` is that of `json.dumps`."""
    text = json.dumps(value, ensure_ascii=False, **layout)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
