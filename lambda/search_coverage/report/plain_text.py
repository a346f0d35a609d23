"""Texts from AWS and from people, made fit for one line of an e-mail."""

import unicodedata


def one_line(text: str | None, characters: int) -> str:
    """Put a text on one line of at most ``characters``: no line breaks, control or direction characters.

    A longer text ends in ``…``. Nothing gives an empty text.
    """
    visible = "".join(" " if c.isspace() else c for c in text or "" if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(visible.split())
    return line if len(line) <= characters else f"{line[: characters - 1].rstrip()}…"
