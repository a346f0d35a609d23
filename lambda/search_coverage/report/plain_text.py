"""Texts from AWS and from people, made fit to be read: on one line of an e-mail, on a page."""

import unicodedata


def one_line(text: str | None, characters: int) -> str:
    """Put a text on one line: no line breaks, control or direction characters.

    Args:
        characters: The most it may have, counted as UTF-16 does, where an emoji is two: nobody who counts otherwise
            counts more.

    Returns:
        The text; a longer one ends in ``…``; nothing gives an empty text.
    """
    visible = "".join(" " if c.isspace() else c for c in text or "" if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(visible.split())
    if _utf16_length(line) <= characters:
        return line
    while _utf16_length(line) > characters - len("…"):
        line = line[:-1]
    return f"{line.rstrip()}…"


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def visible(text: str) -> str:
    """Spell out what cannot be seen: control and direction characters become ``⟨U+202E⟩``; line breaks stay.

    What joins the parts of an emoji stays too.
    """
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or c.isprintable() or c.isspace() else f"⟨U+{ord(c):04X}⟩" for c in text)


_KEPT = "\n\u200c\u200d"
