"""JSON the same everywhere: UTF-8 that can always be encoded, members in the order they were given."""

import json


def compact_json(value: object) -> str:
    """Write a value as JSON on one line.

    A lone surrogate (half a character; JSON can carry one, UTF-8 cannot) stays what it is, as an escape.
    """
    return _encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def readable_json(value: object) -> str:
    """Write a value as indented JSON for people and machines."""
    return _encodable(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
