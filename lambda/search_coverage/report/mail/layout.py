"""The lines of an email: short enough for a phone, with links and ARNs whole, since a cut one is of no use."""

import textwrap
from collections.abc import Iterable, Sequence

SUBJECT_CHARACTERS = 99  # "less than 100 characters long" (aws-facts.md §5)
_LINE_CHARACTERS = 46  # a line that a phone breaks again, indented or not, is hard to read


def joined(sections: Iterable[Sequence[str]]) -> str:
    """Put sections under each other; one without lines is left out."""
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def bulleted(texts: Iterable[str]) -> list[str]:
    """Return the lines of a list."""
    return [line for text in texts for line in wrapped(f"- {text}", indent="  ")]


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return the lines of a text, all but the first one indented."""
    return textwrap.wrap(
        text, _LINE_CHARACTERS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
