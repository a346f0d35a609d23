"""Reads a SearchScope as StartSearchJob takes it, from whatever JSON somebody sent."""

from datetime import UTC, datetime
from typing import Any

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_scope import SEARCHED_TYPES, SearchScope

_ARNS_AT_MOST = 50
"""Of sources, and of backups (aws-facts.md §2)."""

_MEMBERS = (
    "BackupResourceTypes",
    "BackupResourceCreationTime",
    "SourceResourceArns",
    "BackupResourceArns",
    "BackupResourceTags",
)
_BOUNDS = ("CreatedAfter", "CreatedBefore")


class InvalidScope(SearchCoverageError):
    """A search scope is not one that StartSearchJob takes; the message says what it has and what is allowed."""


def scope_of(given: object) -> SearchScope:
    """Read a SearchScope.

    Args:
        given: For example ``{"BackupResourceTypes": ["S3"], "BackupResourceCreationTime": {"CreatedAfter":
            "2026-11-01T00:00:00Z"}}``; times are ISO 8601, or seconds since the epoch.

    Raises:
        InvalidScope: It is not one.
    """
    members = _object("searchScope", given, _MEMBERS)
    types = _texts("BackupResourceTypes", members.get("BackupResourceTypes"))
    if len(types) != 1 or types[0] not in SEARCHED_TYPES:
        raise InvalidScope(
            f"BackupResourceTypes is {_shown(list(types))}; it takes exactly one of {', '.join(SEARCHED_TYPES)}."
        )
    window = _object("BackupResourceCreationTime", members.get("BackupResourceCreationTime") or {}, _BOUNDS)
    after, before = (_moment(name, window.get(name)) for name in _BOUNDS)
    if after and before and after > before:
        raise InvalidScope(f"CreatedAfter ({after.isoformat()}) is later than CreatedBefore ({before.isoformat()}).")
    return SearchScope(
        resource_types=types,
        created_after=after,
        created_before=before,
        source_arns=_arns("SourceResourceArns", members.get("SourceResourceArns")),
        backup_arns=_arns("BackupResourceArns", members.get("BackupResourceArns")),
        tags=_tags(members.get("BackupResourceTags")),
    )


def _object(name: str, given: object, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidScope(f"{name} is {_shown(given)}; it takes a JSON object.")
    if unknown := sorted(set(map(str, given)) - set(known)):
        raise InvalidScope(f"{name} has the unknown member {unknown[0][:100]!r}; it takes {', '.join(known)}.")
    return given


def _texts(name: str, given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(text, str) and text for text in given):
        raise InvalidScope(f"{name} is {_shown(given)}; it takes a list of texts.")
    return tuple(dict.fromkeys(given))


def _arns(name: str, given: object) -> tuple[str, ...]:
    arns = _texts(name, given)
    if wrong := [arn for arn in arns if not arn.startswith("arn:")]:
        raise InvalidScope(f"{name} has {_shown(wrong[0])}; it takes ARNs, such as arn:aws:s3:::my-bucket.")
    if len(arns) > _ARNS_AT_MOST:
        raise InvalidScope(f"{name} has {len(arns)} ARNs; it takes {_ARNS_AT_MOST} at most.")
    return arns


def _tags(given: object) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if not isinstance(given, dict) or not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise InvalidScope(f"BackupResourceTags is {_shown(given)}; it takes an object of texts.")
    return tuple(given.items())


def _moment(name: str, given: object) -> datetime | None:
    if given is None:
        return None
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return datetime.fromtimestamp(given, UTC)
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None:
        raise InvalidScope(f"{name} is {_shown(given)}; it takes a time such as 2026-11-01T00:00:00Z.")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shown(given: object) -> str:
    return repr(given)[:100]
