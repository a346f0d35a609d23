"""Which objects a search looked for by their keys, as far as that narrows a listing of a backup."""

from dataclasses import dataclass, field

_FUNCTIONS = {
    "EQUALS_TO": "Key == {}",
    "BEGINS_WITH": "starts_with(Key, {})",
    "ENDS_WITH": "ends_with(Key, {})",
    "CONTAINS": "contains(Key, {})",
}
NARROWING = frozenset(_FUNCTIONS)
"""The operators that name what was looked for; the others say what was not."""


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """A key of S3, or a part of one. It may be personal data: it goes onto the page, and nowhere else.

    Attributes:
        operator: One of `NARROWING`.
    """

    text: str = field(repr=False)
    operator: str

    @property
    def function(self) -> str:
        """The condition in JMESPath, with ``{}`` for the text."""
        return _FUNCTIONS[self.operator]

    @property
    def is_beginning(self) -> bool:
        """Whether the keys begin with the text."""
        return self.operator in {"EQUALS_TO", "BEGINS_WITH"}
