"""report.html: the report for people, in one file that asks nothing of any server."""

from collections.abc import Iterator
from html import escape

from search_coverage import __version__
from search_coverage.coverage.exclusion import EXPLANATIONS, Reason
from search_coverage.coverage.timestamp import utc_text
from search_coverage.coverage.verdict import InventoryStatus, Verdict
from search_coverage.report.digest import NOT_COMPARED
from search_coverage.report.row import COLUMNS, Row
from search_coverage.report.summary import Findings

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --warn: #9a6700; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --good: #57c878; --warn: #e3b341; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; border-left: .4rem solid var(--tone); padding-left: .8rem; }
h1 small { display: block; font-size: .95rem; letter-spacing: .06em; color: var(--tone); }
.COMPLETE { --tone: var(--good); } .PARTIAL { --tone: var(--warn); } .NONE { --tone: var(--bad); }
.bar { display: flex; height: 1.2rem; border: 1px solid var(--line); border-radius: .3rem; overflow: hidden; }
.bar i { background: var(--good); } .bar b { background: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line); }
td.n { text-align: right; } .backups td { font-size: .85rem; } td.status_message { min-width: 18rem; }
td.backup_arn, td.source_resource_arn { overflow-wrap: anywhere; min-width: 14rem; }
@media print { body { max-width: none; margin: 0; } .scroll { overflow: visible; } }
"""

# The column that names the search job is the same in every row; the remedy stands in its own table.
_SHOWN = [name for name in COLUMNS if not name.startswith(("search_job", "index_status", "backup_vault", "remedy"))]
_TITLES = {
    "backup_arn": "Backup",
    "resource_type": "Type",
    "source_resource_arn": "Source",
    "backup_created": "Backup made",
    "index_created": "Index made",
    "status": "Status",
    "status_message": "Message from AWS",
    "reason": "Reason",
}


def page(findings: Findings, first_rows: list[Row], csv_key: str) -> str:
    """Write the page.

    Args:
        first_rows: The excluded backups to show in full; the CSV has all of them.
        csv_key: The key of the CSV in the bucket.
    """
    return "\n".join(_parts(findings, first_rows, csv_key)) + "\n"


def headline(findings: Findings) -> str:
    """Say in one sentence how much of the backups the search looked at, and no more than is known."""
    backups, verdict = findings.tally.backups, findings.judgement.verdict
    if backups.listed == 0:
        return "This search looked at no backup at all"
    if backups.excluded:
        return f"This search did NOT look at {backups.excluded:,} of {backups.listed:,} backups"
    if verdict is Verdict.COMPLETE:
        of_what = "that AWS lists for it" if findings.inventory.status is InventoryStatus.OFF else "in its scope"
        return f"This search looked at all {backups.listed:,} backups {of_what}"
    return f"This search lists {backups.listed:,} backups as searched, but its result is in doubt"


def _parts(findings: Findings, first_rows: list[Row], csv_key: str) -> Iterator[str]:
    job, tally, judgement = findings.job, findings.tally, findings.judgement
    backups, verdict = tally.backups, judgement.verdict.value
    name = job.name or job.identifier
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{verdict}: {escape(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f'<h1 class="{verdict}"><small>{verdict}</small>{headline(findings)}</h1>'
    if backups.listed:
        label = f"{backups.searched} searched, {backups.excluded} not searched"
        yield f'<div class="bar" role="img" aria-label="{label}"><i style="flex:{backups.searched}"></i>'
        yield f'<b style="flex:{backups.excluded}"></b></div>'
    yield f"<p>{backups.listed:,} listed · {backups.searched:,} searched · {backups.excluded:,} not searched"
    yield f"({backups.failed:,} failed)</p>"
    if findings.inventory.status is InventoryStatus.OFF:
        yield f"<p>{NOT_COMPARED}</p>"
    if judgement.reasons:
        yield "<h2>Why it is not complete</h2>\n<ul>"
        yield from (f"<li>{escape(reason)}</li>" for reason in judgement.reasons)
        yield "</ul>"
    if tally.by_reason:
        yield from _what_to_do(tally.by_reason.most_common())
    yield from _search_job(findings)
    if first_rows:
        yield from _table(first_rows, backups.excluded, csv_key)
    generated = utc_text(findings.generated_at)
    yield f"<p>Made {generated} by Search Coverage {__version__}.</p>\n</body>\n</html>"


def _what_to_do(reasons: list[tuple[str, int]]) -> Iterator[str]:
    yield '<h2>What to do</h2>\n<div class="scroll"><table>'
    yield "<thead><tr><th>Backups<th>Reason<th>What happened<th>What to do</thead>"
    for reason, count in reasons:
        explanation = EXPLANATIONS[Reason(reason)]
        yield f'<tr><td class="n">{count:,}<td>{reason}<td>{escape(explanation.meaning)}'
        yield f"<td>{escape(explanation.remedy)}"
    yield "</table></div>"


def _search_job(findings: Findings) -> Iterator[str]:
    job = findings.job
    facts = {
        "Name": job.name,
        "Identifier": job.identifier,
        "Status": job.status,
        "Message from AWS": job.status_message,
        "Resource types": ", ".join(job.scope.resource_types),
        "Account, Region": f"{job.arn.account}, {job.arn.region}",
        "Created": utc_text(job.creation_time),
        "Ended": utc_text(job.completion_time),
        "Backups to scan, scanned": _pair(job.recovery_points_to_scan, job.recovery_points_scanned),
        "Items to scan, scanned": _pair(job.items_to_scan, job.items_scanned),
        "Items that matched": job.items_matched,
        "Inventory of the vaults": findings.inventory.status.value,
    }
    yield "<h2>The search</h2>\n<dl>"
    for term, value in facts.items():
        shown = "–" if value is None or value == "" else escape(str(value))
        yield f"<dt>{term}</dt><dd>{shown}</dd>"
    yield "</dl>"


def _pair(first: int | None, second: int | None) -> str:
    return ", ".join("–" if number is None else f"{number:,}" for number in (first, second))


def _table(first_rows: list[Row], excluded: int, csv_key: str) -> Iterator[str]:
    yield "<h2>The backups that were not searched</h2>"
    if excluded > len(first_rows):
        yield f"<p>The first {len(first_rows):,} of {excluded:,}."
        yield f"All of them are in <code>{escape(csv_key)}</code>.</p>"
    yield '<div class="scroll"><table class="backups">\n<thead><tr>'
    yield "".join(f"<th>{_TITLES[name]}" for name in _SHOWN) + "</thead>"
    for row in first_rows:
        cells = row.items()
        yield "<tr>" + "".join(
            f"<td{' class=arn' if name.endswith('_arn') else ''}>{escape(value or '–')}"
            for name, value in cells
            if name in _TITLES and isinstance(value, str | None)
        )
    yield "</table></div>"
