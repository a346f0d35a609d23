"""Texts from AWS and from people, made fit to be read: on one line of an e-mail, on a page.

None takes longer than in proportion to the length of the text, whatever is in it: AWS does not bound a message.
"""

import unicodedata
from collections.abc import Iterator

from search_coverage.coverage.search_job import SearchJob

PAGE_CHARACTERS = 4_000
"""How much of one text the page shows."""

_CUT = "… (cut: the other files of the report have all of it)"

# What joins the parts of an emoji stays.
_KEPT = "\n\u200c\u200d"

# The space, the Braille pattern without a dot, and the letters and marks that show as nothing: Unicode's
# Default_Ignorable_Code_Point without its control and format characters, which are left out in any case.
_BLANK = frozenset(
    " \u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def name_of(job: SearchJob, characters: int) -> str:
    """Give what people call a search job, on one line: its identifier where it has no name that can be seen."""
    return one_line(job.name, characters) or job.identifier


def one_line(text: str | None, characters: int) -> str:
    """Put a text on one line: no line breaks, control or direction characters.

    Args:
        characters: The most it may have, counted as UTF-16 does, where an emoji is two: nobody who counts otherwise
            counts more. No more of the text is read than it takes to fill them.

    Returns:
        The text; a longer one ends in ``…``; nothing, or nothing that can be seen, gives an empty text.
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
    """Give the characters of a text that can be seen, with one space for whatever stands between its words."""
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
    """Spell out what cannot be seen: control and direction characters become ``⟨U+202E⟩``; line breaks stay.

    What is longer than a page has room for is cut, and says so.
    """
    if len(text) > PAGE_CHARACTERS:
        text = text[:PAGE_CHARACTERS] + _CUT
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or c.isprintable() or c.isspace() else f"⟨U+{ord(c):04X}⟩" for c in text)
