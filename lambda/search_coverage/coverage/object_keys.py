"""The keys of the objects that a search looked for, if they narrow the listing of a backup."""

from dataclasses import dataclass, field

_FUNCTIONS = {
    "EQUALS_TO": "Key == {}",
    "BEGINS_WITH": "starts_with(Key, {})",
    "ENDS_WITH": "ends_with(Key, {})",
    "CONTAINS": "contains(Key, {})",
}
NARROWING = frozenset(_FUNCTIONS)
"""The operators that say what a search looks for; the others say what it does not look for."""


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """An S3 key, or a part of one, and one of the operators in `NARROWING`.

    It may be personal data: only the page shows it.
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
