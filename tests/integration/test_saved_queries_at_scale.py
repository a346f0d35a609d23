"""The saved queries of Athena over many reports, compared with the same questions answered in Python."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from simulators.backup_search import Scope
from tests.integration.athena import MONDAY, Reports, backup, left_out, of_columns, reports, searched, simulator, source

__all__ = ["reports", "simulator"]  # fixtures

REASONS = {"FAILED": "PERMISSION_DENIED", "STOPPED": "NOT_FINISHED", "TIMED_OUT": "UNKNOWN_STATUS"}


@dataclass(frozen=True)
class Search:
    """A search job as it was made up, with the source, the number and the status of each backup that it left out."""

    identifier: str
    day: str
    resource_type: str
    searched: int
    left_out: tuple[tuple[str, int, str], ...]


Found = dict[str, list[tuple[Search, int, str]]]
"""By source: the searches that left out a backup of it, with its number and status."""


def test_all_queries_answer_rightly_over_100_reports(reports: Reports) -> None:
    # Given 100 reports over ten weeks
    made_up = random.Random(20261005)  # noqa: S311  # not for secrets
    searches = [_made_up_search(reports, made_up, MONDAY + timedelta(days=number * 2 // 3)) for number in range(100)]
    found: Found = defaultdict(list)
    for search in searches:
        for name, number, status in search.left_out:
            found[name].append((search, number, status))
    athena = reports.athena()

    # Then each query says what counting by hand says
    assert {tuple(row.values()) for row in athena.answer("excluded-again-and-again")} == set(_again_and_again(found))
    by_backup = Counter(backup(name, number) for name, each in found.items() for _, number, _ in each)
    assert dict(of_columns(athena.answer("excluded-again-and-again-backups"), "backup_arn searches")) == {
        arn: count for arn, count in by_backup.items() if count > 1
    }
    columns = "searched_whole source_resource_arn searches_to_check"
    assert set(of_columns(athena.answer("never-searched-whole"), columns)) == set(_never_whole(searches, found))
    assert [tuple(row.values()) for row in athena.answer("coverage-by-week")] == _trend(searches)
    day = searches[50].day
    assert Counter(of_columns(athena.answer("excluded-on-a-day", day), "backup_arn left_out_since")) == Counter(
        (backup(name, number), min(search.day for search, other, _ in found[name] if other == number))
        for search in searches
        if search.day == day
        for name, number, _ in search.left_out
    )
    for name, each in found.items():
        assert Counter(of_columns(athena.answer("one-bucket-or-volume", name), "search_job_id backup_arn")) == (
            Counter((search.identifier, backup(name, number)) for search, number, _ in each)
        )


def _made_up_search(reports: Reports, made_up: random.Random, day: date) -> Search:
    """Make up a search: some leave out nothing, some search nothing, and one source is left out by all of its type."""
    resource_type = made_up.choice(["S3", "S3", "EBS"])
    names = [f"vol-{number}" if resource_type == "EBS" else f"bucket-{number}" for number in range(12)]
    chosen = [] if made_up.random() < 0.2 else made_up.sample(names[1:], made_up.randrange(0, 5))
    if resource_type == "EBS":
        chosen.append(names[0])
    rows = tuple((name, made_up.randrange(3), made_up.choice(list(REASONS))) for name in chosen)
    count = made_up.choice([0, 1, 7, 90])
    groups = [searched(count=count), *(left_out(*row) for row in rows)]
    identifier = reports.of_search(day, *groups, resource_type=resource_type, scope=Scope())
    return Search(identifier, f"{day:%Y-%m-%d}", resource_type, count, rows)


def _again_and_again(found: Found) -> Iterator[tuple[Any, ...]]:
    for name, each in found.items():
        jobs = len({search.identifier for search, _, _ in each})
        if jobs > 1:
            days = [search.day for search, _, _ in each]
            reasons = ", ".join(sorted({REASONS[status] for _, _, status in each}))
            yield source(name), jobs, len({number for _, number, _ in each}), min(days), max(days), reasons


def _never_whole(searches: list[Search], found: Found) -> Iterator[tuple[str, str, int]]:
    for name, each in found.items():
        resource_type = "EBS" if name.startswith("vol-") else "S3"
        others = [search for search in searches if search not in [search for search, _, _ in each]]
        to_check = sum(search.searched > 0 and search.resource_type == resource_type for search in others)
        yield "NOT KNOWN" if to_check else "NEVER", source(name), to_check


def _trend(searches: list[Search]) -> list[tuple[Any, ...]]:
    weeks: dict[date, list[Search]] = defaultdict(list)
    for search in searches:
        day = date.fromisoformat(search.day)
        weeks[day - timedelta(days=day.weekday())].append(search)
    trend: list[tuple[Any, ...]] = []
    for week, each in sorted(weeks.items()):
        looked_at = sum(search.searched for search in each)
        excluded = sum(len(search.left_out) for search in each)
        failed = sum(status == "FAILED" for search in each for _, _, status in search.left_out)
        verdicts = Counter("NONE" if not one.searched else "PARTIAL" if one.left_out else "COMPLETE" for one in each)
        percent = (1000 * looked_at // (looked_at + excluded)) / 10 if looked_at + excluded else None
        counts = (verdicts["COMPLETE"], verdicts["PARTIAL"], verdicts["NONE"])
        trend.append((week, len(each), *counts, looked_at + excluded, 0, looked_at, excluded, failed, percent))
    return trend
