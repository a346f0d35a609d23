"""Makes texts from AWS and from people readable, on one line of an email or on a page.

AWS does not bound a message: all functions here take linear time.
"""

import unicodedata
from collections.abc import Iterator

from search_coverage.coverage.search_job import SearchJob

PAGE_CHARACTERS = 4_000
"""How much of a text the page shows."""

_CUT = "… (cut: the other files of the report have all of it)"

# The characters that join the parts of an emoji stay.
_KEPT = "\n\u200c\u200d"

# The space, the blank Braille pattern, and the letters and marks without a shape: Unicode's
# Default_Ignorable_Code_Point without its control and format characters, which are left out in any case.
_BLANK = frozenset(
    " \u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def name_of(job: SearchJob, characters: int) -> str:
    """Return the name of a search job on one line; its identifier if it has no visible name."""
    return one_line(job.name, characters) or job.identifier


def one_line(text: str | None, characters: int) -> str:
    """Put a text on one line: no line breaks, control or direction characters.

    Args:
        characters: The maximum, in UTF-16 code units, which are at least as many as the characters. Of a long text
            only the beginning is read.

    Returns:
        The text, with ``…`` at its end if it was cut; an empty text if nothing in it is visible.
    """
    line: list[str] = []
    length = 0
    for character in _seen(text or ""):
        line.append(character)
        length += _utf16_length(character)
        if length > characters:
            break
    if all(character in _BLANK for character in line):
        return ""
    if length <= characters:
        return "".join(line)
    while length > characters - len("…"):
        length -= _utf16_length(line.pop())
    return f"{''.join(line).rstrip()}…"


def _seen(text: str) -> Iterator[str]:
    """Yield the visible characters of a text, with one space between its words."""
    between = ""
    started = False
    for character in text:
        if character.isspace():
            between = " " if started else ""
        elif unicodedata.category(character)[0] != "C":
            yield from between
            yield character
            started, between = True, ""


def _utf16_length(character: str) -> int:
    return 2 if character > "\uffff" else 1


def visible(text: str) -> str:
    """Spell out control and direction characters, as ``⟨U+202E⟩``, but no line breaks; cut a long text, and say so."""
    if len(text) > PAGE_CHARACTERS:
        text = text[:PAGE_CHARACTERS] + _CUT
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or c.isprintable() or c.isspace() else f"⟨U+{ord(c):04X}⟩" for c in text)
