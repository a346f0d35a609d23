"""What a search looked for: the filters of its items, which can hold personal data such as file names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from search_coverage.coverage.canonical import as_a_set, plain, sha256_of
from search_coverage.coverage.object_keys import NARROWING, KeyFilter


@dataclass(frozen=True, slots=True)
class ItemFilters:
    """The filters of a search job (GetSearchJob's ItemFilters). Without names, it looked for every item.

    Attributes:
        names: What they filter by, such as ``ObjectKeys`` and ``Sizes``, sorted.
        sha256: Their hash, which order and repetitions do not change (docs/report-format.md, *Fingerprint*).
        content: As AWS sends them, with moments as text; None where they are not kept. Never for a log, a message or
            a mail.
        object_keys: The S3 objects that it looked for, by their keys, so that a listing of them finds too much rather
            than too little. Empty if the keys do not narrow it, or are not kept.
    """

    names: tuple[str, ...] = ()
    sha256: str = sha256_of({})
    content: Mapping[str, Any] | None = field(default=None, repr=False)
    object_keys: tuple[KeyFilter, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, item_filters: Any) -> Self:
        """Take the ItemFilters of an answer of AWS.

        Raises:
            TypeError: They have another shape than AWS documents. The text does not quote them.
        """
        try:
            content = plain(item_filters or {})
            filters = [one for of_type in content.values() for one in of_type]
            names = sorted({name for one in filters for name, conditions in one.items() if conditions})
            for condition in (condition for one in filters for some in one.values() for condition in some):
                _check_operator(condition.get("Operator", ""))
            return cls(tuple(names), sha256_of(as_a_set(content)), content, _object_keys(content))
        except (TypeError, ValueError, LookupError, AttributeError):
            raise TypeError("ItemFilters has another shape than AWS documents") from None

    @property
    def are_known(self) -> bool:
        """Whether it is known what the filters are; that there are none is known, too."""
        return self.content is not None or not self.names

    def without_values(self) -> Self:
        """Return what may be kept of them in any case: names and hash."""
        return replace(self, content=None, object_keys=())


def _check_operator(operator: Any) -> None:
    if not isinstance(operator, str):
        raise TypeError


def _object_keys(content: Mapping[str, Any]) -> tuple[KeyFilter, ...]:
    filters = [one.get("ObjectKeys") for one in content.get("S3ItemFilters", ())]
    keys = [key for some in filters for key in some or ()]
    if not all(filters) or not all(key.get("Value") and key.get("Operator") in NARROWING for key in keys):
        return ()
    return tuple(KeyFilter(key["Value"], key["Operator"]) for key in keys)
