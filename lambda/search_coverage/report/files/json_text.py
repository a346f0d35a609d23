"""JSON in one form: text that UTF-8 can always encode, members in the given order."""

import json


def compact_json(value: object) -> str:
    """Write a value as JSON on one line; a lone surrogate, which UTF-8 cannot carry, becomes an escape."""
    return _encodable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def readable_json(value: object) -> str:
    """Write a value as indented JSON for people and machines."""
    return _encodable(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
