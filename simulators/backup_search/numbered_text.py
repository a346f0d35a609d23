"""Texts with a number in them: one template stands for a million ARNs, and tells which number an ARN has."""

import re
from collections.abc import Callable, Mapping

PLACEHOLDER = re.compile(r"\{i(?::(0?\d{0,3}[dxX]?))?\}")
"""Where a number stands in a text: ``{i}``, ``{i:04}``, ``{i:017x}``."""


def numbering(template: str, names: Mapping[str, str]) -> Callable[[int], str]:
    """Returns what gives the text with a number put in.

    Args:
        template: The text.
        names: What ``{account}``, ``{region}`` and the like stand for.
    """
    text = with_names(template, names)
    pieces: list[str] = []
    end = 0
    for found in PLACEHOLDER.finditer(text):
        pieces += [text[end : found.start()].replace("%", "%%"), _percent(found[1] or "")]
        end = found.end()
    if not pieces:
        return lambda _: text
    count = len(pieces) // 2
    pattern = "".join([*pieces, text[end:].replace("%", "%%")])
    return lambda i: pattern % ((i,) * count)


def with_names(template: str, names: Mapping[str, str]) -> str:
    """Returns the text with the names filled in; the places of the number are still there."""
    for name, value in names.items():
        template = template.replace(f"{{{name}}}", value)
    return template


class NumberedText:
    """A text with a number in it, to be read in both directions.

    Args:
        template: The text.
        names: What ``{account}``, ``{region}`` and the like stand for.

    Attributes:
        template: The text with the names filled in.
        is_numbered: Whether there is a number in it at all.
        of: Gives the text of a number.
    """

    def __init__(self, template: str, names: Mapping[str, str]) -> None:
        self.template = with_names(template, names)
        self.of = numbering(self.template, {})
        pattern = ""
        end = 0
        for found in PLACEHOLDER.finditer(self.template):
            pattern += re.escape(self.template[end : found.start()]) + _digits(found[1] or "")
            end = found.end()
        self.is_numbered = bool(pattern)
        self._pattern = re.compile(pattern + re.escape(self.template[end:]))
        self._bases = [16 if (found[1] or "")[-1:] in {"x", "X"} else 10 for found in PLACEHOLDER.finditer(template)]

    def numbers(self, text: str, numbers: range) -> range:
        """Returns which of these numbers have this text: none, one, or all if there is no number in it."""
        if not self.is_numbered:
            return numbers if text == self.template else range(0)
        found = self._pattern.fullmatch(text)
        if found is None:
            return range(0)
        number = int(found[1], self._bases[0])
        return range(number, number + 1) if number in numbers and self.of(number) == text else range(0)


def _percent(spec: str) -> str:
    # str % tuple is several times faster than str.format.
    return f"%{spec}" if spec[-1:] in {"d", "x", "X"} else f"%{spec}d"


def _digits(spec: str) -> str:
    return r" *([0-9a-fA-F]+)" if spec[-1:] in {"x", "X"} else r" *(\d+)"
