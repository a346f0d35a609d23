"""Texts with a number in them: one template represents a million ARNs, and returns the number of an ARN."""

import re
from collections.abc import Callable, Mapping
from itertools import zip_longest

PLACEHOLDER = re.compile(r"\{i(?::(0?\d{0,3}[dxX]?))?\}")
"""The placeholders of a number in a text: ``{i}``, ``{i:04}``, ``{i:017x}``."""

_TYPES = {"d", "x", "X"}


def with_names(template: str, names: Mapping[str, str]) -> str:
    """Return the template with ``{account}``, ``{region}`` and the like filled in."""
    for name, value in names.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def numbering(template: str) -> Callable[[int], str]:
    """Return the function that puts a number into the template."""
    texts, specs = _parts(template)
    # str % tuple is several times faster than str.format.
    formats = [f"%{spec}" if spec[-1:] in _TYPES else f"%{spec}d" for spec in specs]
    pattern = "".join(text.replace("%", "%%") + form for text, form in zip_longest(texts, formats, fillvalue=""))
    return lambda number: pattern % ((number,) * len(formats))


class NumberedText:
    """A text with a number in it, read in both directions.

    Attributes:
        template: The text with the names filled in.
        is_numbered: Whether there is a number in it.
        of: Returns the text of a number.
    """

    def __init__(self, template: str, names: Mapping[str, str]) -> None:
        self.template = with_names(template, names)
        self.of = numbering(self.template)
        texts, specs = _parts(self.template)
        self.is_numbered = bool(specs)
        self._bases = [16 if spec[-1:] in {"x", "X"} else 10 for spec in specs]
        digits = [r" *([0-9a-fA-F]+)" if base == 16 else r" *(\d+)" for base in self._bases]
        self._pattern = re.compile("".join(re.escape(a) + b for a, b in zip_longest(texts, digits, fillvalue="")))

    def numbers(self, text: str, numbers: range) -> range:
        """Return which of these numbers have this text: none, one, or all if there is no number in it."""
        found = self._pattern.fullmatch(text)
        if found is None:
            return range(0)
        if not self.is_numbered:
            return numbers
        number = int(found[1], self._bases[0])
        return range(number, number + 1) if number in numbers and self.of(number) == text else range(0)


def _parts(template: str) -> tuple[list[str], list[str]]:
    parts = PLACEHOLDER.split(template)
    return parts[::2], [spec or "" for spec in parts[1::2]]
