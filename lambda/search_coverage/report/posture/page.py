"""posture.html: the posture for people, in one file that asks nothing of any server."""

from search_coverage import __version__
from search_coverage.coverage.plan_changes import plan_changes
from search_coverage.coverage.posture import Counts, Posture, PostureStatus
from search_coverage.coverage.searchability import Searchability
from search_coverage.report.page.pictures import Bar, Chart, bars
from search_coverage.report.page.rendering import content_security_policy, template, template_file
from search_coverage.report.page.table import Cell, PageTable, arn_cell, coded_cell, moment_cell, text_cell
from search_coverage.report.posture import wording
from search_coverage.report.posture.what_to_do import state_groups
from search_coverage.report.wording import type_in_words

_COLUMNS = (
    ("newest_searchability", "Newest backup"),
    ("source_resource_arn", "Source"),
    ("newest_backup_arn", "Backup"),
    ("resource_type", "Type"),
    ("newest_backup_created", "Backup made"),
    ("newest_backup_vault", "Vault"),
    ("backups", "Backups"),
    ("searchable", "Searchable"),
    ("newest_index_status_message", "Message from AWS"),
)
_WIDTH = 1000
_LEAST_WIDTH = 8


def page(posture: Posture, csv_key: str) -> str:
    """Write the page, which names where in the bucket the CSV is."""
    style, script = f"{template_file('report.css')}{template_file('posture.css')}", template_file("report.js")
    return template("posture.html.j2").render(
        style=style,
        script=script,
        policy=content_security_policy(style, script),
        posture=posture,
        tone=_tone(posture),
        status=wording.status_in_words(posture),
        headline=wording.headline(posture),
        target=wording.target_in_words(posture),
        since=wording.since_in_words(posture),
        percent=wording.percent,
        share_width=_share_width(posture),
        first=wording.first_changes(posture),
        groups=state_groups(posture),
        plans=plan_changes(posture),
        charts=_charts(posture),
        table=_table(posture),
        state_in_words=wording.state_in_words,
        limits=wording.LIMITS,
        csv_key=csv_key,
        version=__version__,
    )


def _tone(posture: Posture) -> str:
    """Return the class of the page, which colors it as a verdict colors a report."""
    newest = posture.newest
    if posture.misses_target or not newest.searchable:
        return "NONE"
    is_whole = posture.status is PostureStatus.COMPLETE and newest.searchable == newest.sources
    return "COMPLETE" if is_whole else "PARTIAL"


def _share_width(posture: Posture) -> float:
    """Return how much of the bar's 1,000 units is searchable; neither part vanishes while it has a source."""
    newest = posture.newest
    width = _WIDTH * newest.searchable / newest.sources if newest.sources else 0.0
    if newest.searchable:
        width = max(width, _LEAST_WIDTH)
    if newest.searchable < newest.sources:
        width = min(width, _WIDTH - _LEAST_WIDTH)
    return round(width, 1)


def _charts(posture: Posture) -> list[Chart]:
    if not posture.total.backups:
        return []
    states = [(wording.state_in_words(state), posture.total.by_searchability.get(state, 0)) for state in Searchability]
    ages = [(_age(age.days), age.counts) for age in posture.ages]
    vaults = sorted(posture.vaults, key=lambda vault: -vault.counts.not_searchable)[:8]
    return [
        Chart("by-state", "All backups, by whether they can be searched", _some_bars(states)),
        Chart("by-age", "Backups that cannot be searched, by age", _not_searchable(ages)),
        Chart(
            "by-vault",
            "Backups that cannot be searched, by vault",
            _not_searchable([(vault.name, vault.counts) for vault in vaults]),
            f"The 8 vaults with the most, of {len(posture.vaults):,}." if len(posture.vaults) > len(vaults) else None,
        ),
    ]


def _age(days: int | None) -> str:
    if days is None:
        return "older"
    return "up to a day" if days == 1 else f"up to {days} days"


def _not_searchable(counted: list[tuple[str, Counts]]) -> tuple[Bar, ...]:
    return bars((name, counts.not_searchable) for name, counts in counted)


def _some_bars(counted: list[tuple[str, int]]) -> tuple[Bar, ...]:
    return bars((name, count) for name, count in counted if count)


def _table(posture: Posture) -> PageTable:
    rows = []
    for source in posture.first_sources:
        newest, state = source.newest, source.searchability
        rows.append(
            [
                Cell(wording.state_in_words(state), code=state.value),
                arn_cell(source.source_arn),
                arn_cell(newest.arn),
                coded_cell(source.resource_type, type_in_words),
                moment_cell(newest.created),
                text_cell(newest.vault),
                Cell(str(source.counts.backups)),
                Cell(str(source.counts.searchable)),
                text_cell(newest.index_status_message),
            ]
        )
    return PageTable(_COLUMNS, rows)
