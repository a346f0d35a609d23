"""What a search was asked, in words: the backups that it was to look into, what it looked for, and its tags."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_commands import filters_are_long
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.names import SUMMARY_JSON
from search_coverage.report.plain_text import visible
from search_coverage.report.wording import moment_in_words, type_in_words

_PART_BYTES = 12_000  # on the page, which stays under 2 MB

_NAMES = {
    "ObjectKeys": "Object key",
    "FilePaths": "File path",
    "Sizes": "Size",
    "CreationTimes": "Created",
    "LastModificationTimes": "Last modified",
    "VersionIds": "Version",
    "ETags": "ETag",
}
_OPERATORS = {
    "EQUALS_TO": "is",
    "NOT_EQUALS_TO": "is not",
    "CONTAINS": "contains",
    "DOES_NOT_CONTAIN": "does not contain",
    "BEGINS_WITH": "begins with",
    "ENDS_WITH": "ends with",
    "DOES_NOT_BEGIN_WITH": "does not begin with",
    "DOES_NOT_END_WITH": "does not end with",
}
_OPERATORS_OF_SIZES = {"LESS_THAN_EQUAL_TO": "at most", "GREATER_THAN_EQUAL_TO": "at least"}
_OPERATORS_OF_TIMES = {"LESS_THAN_EQUAL_TO": "not after", "GREATER_THAN_EQUAL_TO": "not before"}
_ITEMS = {"S3": "object", "EBS": "file"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the question.

    Attributes:
        further: How many lines the page has no room for.
    """

    title: str
    lines: tuple[str, ...]
    further: int = 0


def question(job: SearchJob) -> list[Part]:
    """Describe what a search was asked; what was not asked is left out."""
    tags = ("could not be read",) if job.tags is None else tuple(f"{key} = {value}" for key, value in job.tags)
    parts = [*_scope(job.scope), ("Looked for", _looked_for(job)), ("Tags of the search", tags)]
    return [_part(title, lines) for title, lines in parts if lines]


def filters_note(job: SearchJob) -> str | None:
    """State what a command that brings the filters of a search needs; None where there is no such command."""
    filters = job.item_filters
    if not filters.are_known:
        return (
            "The values of the filters are not kept (setting keepItemFilters). The first command asks AWS for them, "
            "which works within 7 days of the search's end. After that, write item-filters.json yourself: the search "
            f"filtered by {_names(filters)}."
        )
    if filters_are_long(filters):
        return (
            f"The filters are too long for this page. The first command takes them from {SUMMARY_JSON}, which is next "
            "to this page: run it in the folder of that file."
        )
    return None


def _scope(scope: SearchScope) -> list[tuple[str, tuple[str, ...]]]:
    types = " and ".join(map(type_in_words, scope.resource_types)) or "any"
    bounds = (("after", scope.created_after), ("before", scope.created_before))
    made = " and ".join(f"{word} {moment_in_words(moment)}" for word, moment in bounds if moment)
    lines = [
        ("Resource type", (types,)),
        ("Backups made", (made,) if made else ()),
        ("Backups of", scope.source_arns),
        ("These backups", scope.backup_arns),
        ("Backups tagged", tuple(f"{key} = {value}" for key, value in scope.tags)),
    ]
    found = [(title, values) for title, values in lines if values]
    return found if len(found) > 1 else [*found, ("Narrowed by", ("nothing: every backup of that type with an index",))]


def _looked_for(job: SearchJob) -> tuple[str, ...]:
    filters = job.item_filters
    if not filters.names:
        return (f"every {_ITEMS.get(job.scope.resource_type or '', 'file or object')}",)
    if filters.content is None:
        return (f"{_names(filters)}: the values are not kept (setting keepItemFilters)",)
    return tuple(_filters(filters))


def _names(filters: ItemFilters) -> str:
    return ", ".join(_NAMES.get(name, name) for name in filters.names)


def _filters(filters: ItemFilters) -> Iterator[str]:
    every = [one for of_type in (filters.content or {}).values() for one in of_type]
    for number, one in enumerate(every, start=1):
        start = f"Filter {number}: " if len(every) > 1 else ""
        for name, conditions in one.items():
            if conditions:  # AWS returns what matches any of them
                yield f"{start}{_NAMES.get(name, name)} {' or '.join(_condition(name, each) for each in conditions)}"


def _condition(name: str, condition: Mapping[str, Any]) -> str:
    operator, value = condition.get("Operator"), condition.get("Value")
    if name == "Sizes" and isinstance(value, int):
        special, text = _OPERATORS_OF_SIZES, f"{value:,} {'byte' if value == 1 else 'bytes'}"
    elif name.endswith("Times") and (moment := _moment(value)):
        special, text = _OPERATORS_OF_TIMES, moment_in_words(moment)
    else:
        special, text = {}, f"“{value}”"
    if not operator:
        return f"{text} (AWS gives no operator)"
    return f"{special.get(operator) or _OPERATORS.get(operator, operator)} {text}"


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _part(title: str, lines: tuple[str, ...]) -> Part:
    room = _PART_BYTES
    for shown, line in enumerate(lines):
        room -= len(escape(visible(line)).encode("utf-8", "backslashreplace"))
        if room < 0:
            return Part(title, lines[:shown], len(lines) - shown)
    return Part(title, lines)
