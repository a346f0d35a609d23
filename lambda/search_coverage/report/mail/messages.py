"""The SNS messages: every FAILED backup to machines, in parts that fit, and one digest to people.

SNS takes 256 KiB per message, body and attributes together, in UTF-8 bytes (aws-facts.md §5).
"""

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from search_coverage.report.files.json_text import compact_json
from search_coverage.report.files.row import Row

SUBJECT_CHARACTERS = 99  # "less than 100 characters long" (aws-facts.md §5)
_LINE_CHARACTERS = 46  # a line that a phone breaks again, indented or not, is hard to read

# How the 256 KiB of a message are divided, less 6 KiB that a queue adds around it. A character takes at most seven
# bytes (a control character is quoted twice), so the rest has room for five texts of 1,000 characters.
_ROWS_BYTES = 195 * 1024
_EMAIL_BYTES = 16 * 1024
_ROW_TEXT_CHARACTERS = 1900
_HEAD_TEXT_CHARACTERS = 1000
_CUT = "… (cut to fit the message: the report has all of it)"
_CUT_LINE = f"\n{_CUT}\n"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A message attribute as SNS types them."""

    type: Literal["String", "Number", "String.Array"]
    value: str


@dataclass(frozen=True, slots=True)
class Message:
    """One SNS message; ``body`` is for ``MessageStructure=json``, with JSON in ``default`` and text in ``email``."""

    subject: str
    body: str
    attributes: dict[str, Attribute]

    @property
    def size(self) -> int:
        """Body and attributes together, in UTF-8 bytes."""
        attributes = sum(len(text.encode()) for name, a in self.attributes.items() for text in (name, a.type, a.value))
        return len(self.body.encode()) + attributes


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all messages of one report share.

    Attributes:
        head: The members of the JSON before ``part``, ``parts`` and ``failedBackups``.
        email: The text for people, which only the first part carries.
    """

    subject: str
    head: dict[str, object]
    email: str
    attributes: dict[str, Attribute]

    def message(self, part: int, parts: int, rows: list[str]) -> Message:
        """Make one part. ``rows`` are failed backups, each already JSON."""
        head = compact_json({**self.head, "part": part, "parts": parts})
        default = f'{head[:-1]},"failedBackups":[{",".join(rows)}]}}'
        body = {"default": default}
        if part == 1:
            body["email"] = fitting_text(self.email)
        kind = Attribute("String", "digest" if part == 1 else "entries")
        return Message(self.subject, compact_json(body), {"kind": kind, **self.attributes})


class FailedRows:
    """Failed backups on their way to the messages: in a file, and divided into parts.

    The size of a part is the size of its rows *inside* the message, where JSON is quoted in JSON.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lengths: list[int] = []
        self._filled = 0

    def add(self, row: Row, text: str) -> None:
        """Take a failed backup and its row as compact JSON; if it does not fit into one part, its texts are cut."""
        size = _size_of_json_in_message(text)
        if size > _ROWS_BYTES:
            text = compact_json({name: _cut(value, _ROW_TEXT_CHARACTERS) for name, value in row.items()})
            size = _size_of_json_in_message(text)
        if not self._lengths or self._filled + size > _ROWS_BYTES:
            self._lengths.append(0)
            self._filled = 0
        self._filled += size
        self._lengths[-1] += 1
        self._file.write(text.encode() + b"\n")

    @property
    def parts(self) -> int:
        """How many messages it takes; one, even if nothing failed."""
        return max(1, len(self._lengths))

    def rows_of_parts(self) -> Iterator[list[str]]:
        """Read the parts back, first to last, each as a list of JSON texts."""
        self._file.seek(0)
        for length in self._lengths or [0]:
            yield [self._file.readline().decode().rstrip("\n") for _ in range(length)]


def head_text(text: str | None) -> str | None:
    """Cut a text, which AWS does not bound, to the room in the head of a message."""
    return None if text is None else str(_cut(text, _HEAD_TEXT_CHARACTERS))


def _size_of_json_in_message(text: str) -> int:
    """Count the bytes with quoting, which adds one per quote and backslash, and with the comma after it."""
    return len(text.encode()) + text.count('"') + text.count("\\") + len(",")


def _size_in_message(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')


def _cut(value: Any, characters: int) -> Any:
    return f"{value[:characters]}{_CUT}" if isinstance(value, str) and len(value) > characters else value


def fitting_text(text: str) -> str:
    """Cut the text of a mail to its room in a message."""
    # A character takes at least one byte: do not measure what is longer anyway.
    if len(text) <= _EMAIL_BYTES and _size_in_message(text) <= _EMAIL_BYTES:
        return text
    room = _EMAIL_BYTES - _size_in_message(_CUT_LINE)
    text = text[:room]
    while _size_in_message(text) > room:
        text = text[: len(text) * 3 // 4]
    return text.rstrip() + _CUT_LINE


def joined(sections: Iterable[Sequence[str]]) -> str:
    """Return the text of a mail: sections under each other; one without lines is left out."""
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def bulleted(texts: Iterable[str]) -> list[str]:
    """Return the lines of a list."""
    return [line for text in texts for line in wrapped(f"- {text}", indent="  ")]


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return the lines of a text, all but the first one indented. A link or an ARN stays whole: cut it is of no use."""
    return textwrap.wrap(
        text, _LINE_CHARACTERS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
