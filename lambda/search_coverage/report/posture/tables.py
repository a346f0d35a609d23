"""The tables of the page that say how many backups could be searched: by resource type, age, plan and rule, vault."""

from collections.abc import Sequence
from dataclasses import dataclass

from search_coverage.coverage.posture import Counts, Newest, Posture, RulePosture
from search_coverage.report.posture.wording import percent
from search_coverage.report.wording import type_in_words

_ROWS = 100
"""As many rows has a table; summary.json has all."""


@dataclass(frozen=True, slots=True)
class CountTable:
    """A table of counts.

    Attributes:
        columns: The titles: first those of texts, then those of numbers.
        texts: How many columns have texts.
        rows: The cells as people read them; None for what AWS does not name.
        further: How many rows there was no room for.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    texts: int
    rows: list[list[str | None]]
    further: int = 0


def count_tables(posture: Posture) -> list[CountTable]:
    """Lay out the tables; without backups there is none."""
    if not posture.total.backups:
        return []
    return [_by_type(posture), _by_age(posture), _by_rule(posture), _by_vault(posture)]


def age_in_words(posture: Posture, place: int) -> str:
    """Name an age of a posture: ``place`` counts from the newest."""
    days, newer = posture.ages[place].days, posture.ages[place - 1].days if place else None
    if days is None:
        return f"over {newer} days" if newer else "any age"
    if newer is None:
        return f"up to {days} day{'' if days == 1 else 's'}"
    return f"{newer} to {days} days"


def _by_type(posture: Posture) -> CountTable:
    rows: list[list[str | None]] = []
    for kind, counts in sorted(posture.by_type.items()):
        newest = posture.newest_by_type.get(kind, Newest())
        rows.append(
            [
                type_in_words(kind),
                f"{newest.sources:,}",
                f"{newest.searchable:,}",
                percent(newest.share),
                f"{counts.backups:,}",
                f"{counts.searchable:,}",
            ]
        )
    columns = ("Type", "Sources", "Newest searchable", "Share", "Backups", "Searchable")
    return _table("types", "By resource type", columns, 1, rows)


def _by_age(posture: Posture) -> CountTable:
    rows: list[list[str | None]] = [
        [age_in_words(posture, place), *_counts(age.counts)] for place, age in enumerate(posture.ages)
    ]
    return _table("ages", "By age of the backup", ("Age", "Backups", "Searchable", "Share"), 1, rows)


def _by_rule(posture: Posture) -> CountTable:
    rows = [
        [_plan(posture, rule), rule.rule if rule.plan_id else "", _indexes(posture, rule), f"{rule.sources:,}", *counts]
        for rule in posture.rules
        for counts in [_counts(Counts.sum_of(rule.by_type.values()))]
    ]
    columns = ("Backup plan", "Rule", "Indexes", "Sources", "Backups", "Searchable", "Share")
    return _table("rules", "By backup plan and rule", columns, 3, rows)


def _by_vault(posture: Posture) -> CountTable:
    vaults = sorted(posture.vaults, key=lambda vault: (-vault.counts.not_searchable, vault.name))
    rows = [[vault.name, _words(vault.type), *_counts(vault.counts)] for vault in vaults]
    return _table("vaults", "By vault", ("Vault", "Type", "Backups", "Searchable", "Share"), 2, rows)


def _table(name: str, title: str, columns: tuple[str, ...], texts: int, rows: Sequence[list[str | None]]) -> CountTable:
    return CountTable(name, title, columns, texts, list(rows[:_ROWS]), max(0, len(rows) - _ROWS))


def _counts(counts: Counts) -> list[str]:
    return [f"{counts.backups:,}", f"{counts.searchable:,}", percent(counts.share)]


def _plan(posture: Posture, rule: RulePosture) -> str | None:
    if rule.plan_id is None:
        return "none: on demand, or a copy"
    plan, _ = posture.in_plan(rule)
    return plan.name if plan and plan.name else rule.plan_id


def _indexes(posture: Posture, rule: RulePosture) -> str:
    _, of_plan = posture.in_plan(rule)
    return (", ".join(sorted(of_plan.indexed_types)) or "nothing") if of_plan else "–"


def _words(code: str | None) -> str | None:
    return code.replace("_", " ").lower() if code else None
