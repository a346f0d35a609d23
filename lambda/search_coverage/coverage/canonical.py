"""One text, and so one hash, for one meaning: JSON with sorted keys, without spaces, in ASCII."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from search_coverage.coverage.timestamp import utc_text


def canonical_json(value: object) -> str:
    """Write a JSON value as its one text: what ``json.dumps`` writes with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def sha256_of(value: object) -> str:
    """Return the SHA-256 of the one text of a JSON value, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


def plain(value: Any) -> Any:
    """Return a value of the SDK as JSON has it: moments as text in UTC, members without a value left out."""
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    return utc_text(value) if isinstance(value, datetime) else value


def as_a_set(value: Any) -> Any:
    """Return a plain value without what does not change a question: order, repetitions, and members that are empty."""
    if isinstance(value, Mapping):
        members = {name: as_a_set(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member not in (None, [], {})}
    if isinstance(value, list):
        by_text = {canonical_json(element): element for element in map(as_a_set, value)}
        return [by_text[text] for text in sorted(by_text)]
    return value
