"""The fingerprint of a question: two searches with the same one asked for the same items in the same backups."""

from collections.abc import Mapping
from typing import Any

from search_coverage.coverage.canonical import as_a_set, sha256_of
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_scope import SearchScope

_VERSION = 1


def fingerprint(scope: SearchScope, item_filters: ItemFilters) -> str:
    """Return the SHA-256 of scope and filters, in hexadecimal (docs/report-format.md, *Fingerprint*).

    The order of keys and lists, repetitions, and time zones do not change it. It holds the hash of the filters and not
    the filters, so that everybody who has the summary can calculate it. An account or a Region is not part of it.
    """
    return fingerprint_of(scope.members(), item_filters.sha256)


def fingerprint_of(scope: Mapping[str, Any], item_filters_sha256: str) -> str:
    """Do the same with what a summary says: its ``scope`` and its ``itemFiltersSha256``."""
    return sha256_of({"version": _VERSION, "scope": as_a_set(scope), "itemFiltersSha256": item_filters_sha256})
