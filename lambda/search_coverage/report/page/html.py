"""report.html: the report for people, in one file that asks nothing of any server.

The templates are HTML, style and script.
"""

from search_coverage import __version__
from search_coverage.coverage.search_commands import same_search
from search_coverage.report import wording
from search_coverage.report.blind_spots import blind_spots
from search_coverage.report.findings import Findings
from search_coverage.report.page.pictures import WIDTH, charts, percent_searched, searched_width
from search_coverage.report.page.question import filters_note, question
from search_coverage.report.page.rendering import content_security_policy, foot_of_print, template, template_file
from search_coverage.report.page.table import page_table
from search_coverage.report.page.what_to_do import groups
from search_coverage.report.plain_text import name_of


def page(findings: Findings, csv_key: str, content_sha256: str) -> str:
    """Write the page, which names where in the bucket the CSV is, and the hash of what the summary says."""
    job, tally, verdict = findings.job, findings.tally, findings.judgement.verdict
    backups = tally.backups
    total = max(findings.backups_meant, backups.searched + backups.excluded)
    style = f"{template_file('report.css')}{_foot_of_print(findings, content_sha256)}"
    script = template_file("report.js")
    return template("report.html.j2").render(
        style=style,
        script=script,
        policy=content_security_policy(style, script),
        name=name_of(job, 300),
        tone=verdict.value,
        verdict=verdict.value,
        verdict_in_words=wording.verdict_in_words(verdict),
        headline=wording.headline(findings),
        previous=wording.previous_in_words(findings),
        results=wording.results_in_words(findings),
        not_looked_at=wording.not_looked_at(findings),
        trust=wording.trust(verdict, findings.inventory),
        not_compared=wording.NOT_COMPARED if findings.inventory.is_off else None,
        blind_spots=blind_spots(job, findings.inventory),
        findings=findings,
        job=job,
        question=question(job),
        same_search=same_search(job),
        filters_note=filters_note(job),
        backups=backups,
        total=total,
        searched_width=searched_width(backups, total),
        percent_searched=percent_searched(backups, total),
        groups=groups(findings),
        charts=charts(tally),
        chart_width=WIDTH,
        table=page_table(findings.examples.of_all),
        csv_key=csv_key,
        content_sha256=content_sha256,
        version=__version__,
    )


def _foot_of_print(findings: Findings, content_sha256: str) -> str:
    """Write the foot of every printed page: the identifier was checked to be a UUID."""
    verdict, made = wording.verdict_in_words(findings.judgement.verdict), wording.moment_in_words(findings.generated_at)
    job = f"Search job {findings.job.identifier} · {verdict} · report made {made}"
    return foot_of_print(job, f"Hash of the summary (SHA-256): {content_sha256}")
