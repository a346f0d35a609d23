"""posture.html: the posture for people, in one file that asks nothing of any server."""

from search_coverage import __version__
from search_coverage.coverage.plan_changes import plan_changes
from search_coverage.coverage.posture import Counts, Posture, PostureStatus
from search_coverage.coverage.searchability import Searchability
from search_coverage.report.page.pictures import WIDTH, Bar, Chart, bars
from search_coverage.report.page.rendering import content_security_policy, foot_of_print, template, template_file
from search_coverage.report.page.table import Cell, PageTable, arn_cell, coded_cell, moment_cell, text_cell
from search_coverage.report.posture import wording
from search_coverage.report.posture.tables import age_in_words, count_tables
from search_coverage.report.posture.what_to_do import state_groups
from search_coverage.report.wording import moment_in_words, type_in_words

_COLUMNS = (
    ("newest_searchability", "Why not"),
    ("source_resource_arn", "Source"),
    ("newest_backup_arn", "Backup"),
    ("resource_type", "Type"),
    ("newest_backup_created", "Backup made"),
    ("newest_backup_vault", "Vault"),
    ("backups", "Backups"),
    ("searchable", "Searchable"),
    ("newest_index_status_message", "Message from AWS"),
)
_BAR_WIDTH = 1000
_LEAST_WIDTH = 8
_VAULTS_DRAWN = 8
_PLANS = 20
"""As many plans have their change on the page: those that mend the most sources."""


def page(posture: Posture, csv_key: str) -> str:
    """Write the page, which names where in the bucket the CSV is."""
    style = f"{template_file('report.css')}{template_file('posture.css')}{_foot_of_print(posture)}"
    script = template_file("report.js")
    plans, named = plan_changes(posture), {each.recovery_point_arn for each in posture.index_failures.examples}
    return template("posture.html.j2").render(
        style=style,
        script=script,
        policy=content_security_policy(style, script),
        tone=_tone(posture),
        posture=posture,
        status=wording.status_in_words(posture),
        headline=wording.headline(posture),
        target=wording.target_in_words(posture),
        since=wording.since_in_words(posture),
        percent=wording.percent,
        share_width=_share_width(posture),
        first=wording.first_changes(posture),
        plans=plans[:_PLANS],
        further_plans=plans[_PLANS:],
        groups=state_groups(posture),
        failed=[point for point in posture.failed if point.arn not in named],
        charts=_charts(posture),
        chart_width=WIDTH,
        tables=count_tables(posture),
        table=_table(posture),
        state_in_words=wording.state_in_words,
        limits=wording.LIMITS,
        csv_key=csv_key,
        version=__version__,
    )


def _foot_of_print(posture: Posture) -> str:
    """Write the foot of every printed page; account and Region come from the function's own ARN."""
    taken = moment_in_words(posture.taken_at)
    return foot_of_print(f"Posture of account {posture.account} in {posture.region} · taken {taken}")


def _tone(posture: Posture) -> str:
    """Return the class of the page, which colors it as a verdict colors a report."""
    newest = posture.newest
    if posture.misses_target or (newest.sources and not newest.searchable):
        return "NONE"
    is_whole = posture.status is PostureStatus.COMPLETE and 0 < newest.sources == newest.searchable
    return "COMPLETE" if is_whole else "PARTIAL"


def _share_width(posture: Posture) -> float:
    """Return how much of the bar's 1,000 units is searchable; neither part vanishes while it has a source."""
    newest = posture.newest
    width = _BAR_WIDTH * newest.searchable / newest.sources if newest.sources else 0.0
    if newest.searchable:
        width = max(width, _LEAST_WIDTH)
    if newest.searchable < newest.sources:
        width = min(width, _BAR_WIDTH - _LEAST_WIDTH)
    return round(width, 1)


def _charts(posture: Posture) -> list[Chart]:
    if not posture.total.backups:
        return []
    counted = posture.total.by_searchability
    states = [(wording.state_in_words(state), counted[state]) for state in Searchability if counted.get(state)]
    ages = [(age_in_words(posture, place), age.counts) for place, age in enumerate(posture.ages)]
    vaults = sorted(posture.vaults, key=lambda vault: -vault.counts.not_searchable)[:_VAULTS_DRAWN]
    is_all = len(vaults) == len(posture.vaults)
    return [
        Chart("by-state", "By reason, all backups", bars(states)),
        Chart("by-age", "Not searchable, by age", _not_searchable(ages)),
        Chart(
            "by-vault",
            "Not searchable, by vault",
            _not_searchable([(vault.name, vault.counts) for vault in vaults]),
            None if is_all else f"The {_VAULTS_DRAWN} vaults with the most, of {len(posture.vaults):,}.",
        ),
    ]


def _not_searchable(counted: list[tuple[str, Counts]]) -> tuple[Bar, ...]:
    return bars((name, counts.not_searchable) for name, counts in counted)


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
