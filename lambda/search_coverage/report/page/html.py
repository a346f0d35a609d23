"""report.html: the report for people, in one file that asks nothing of any server.

The templates are HTML, style and script. A Content-Security-Policy with the hashes of style and script allows the
browser these two and nothing else.
"""

import hashlib
from base64 import b64encode
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from search_coverage import __version__
from search_coverage.coverage.search_commands import same_search
from search_coverage.report import wording
from search_coverage.report.blind_spots import blind_spots
from search_coverage.report.findings import Findings
from search_coverage.report.page.pictures import WIDTH, charts, percent_searched, searched_width
from search_coverage.report.page.question import filters_note, question
from search_coverage.report.page.table import page_table
from search_coverage.report.page.what_to_do import groups
from search_coverage.report.plain_text import name_of, visible

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = Path(__file__).parent / "templates"


def page(findings: Findings, csv_key: str, content_sha256: str) -> str:
    """Write the page, which names where in the bucket the CSV is, and the hash of what the summary says."""
    job, tally, verdict = findings.job, findings.tally, findings.judgement.verdict
    backups = tally.backups
    total = max(findings.backups_meant, backups.searched + backups.excluded)
    style, script = f"{_file('report.css')}{_foot_of_print(findings, content_sha256)}", _file("report.js")
    return _template().render(
        style=style,
        script=script,
        policy=_policy(style, script),
        name=name_of(job, 300),
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


def _moment(moment: datetime | None) -> str:
    return wording.moment_in_words(moment) if moment else "–"


def _foot_of_print(findings: Findings, content_sha256: str) -> str:
    """Write the foot of every printed page, which Chromium takes from the style alone.

    It has no text from AWS: the identifier was checked to be a UUID.
    """
    verdict, made = wording.verdict_in_words(findings.judgement.verdict), wording.moment_in_words(findings.generated_at)
    job = f"Search job {findings.job.identifier} · {verdict} · report made {made}"
    lines = f"{job}\\a Hash of the summary (SHA-256): {content_sha256}"
    return f'@page {{ @bottom-left {{ content: "{lines}"; }} }}\n'


def _policy(style: str, script: str) -> str:
    """Write the Content-Security-Policy that allows this style and this script and nothing else."""
    style_hash, script_hash = (b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    # Not at the top: a cold start does not need it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["moment"] = _moment
    environment.filters["visible"] = visible
    environment.filters["status"] = wording.status_in_words
    return environment.get_template("report.html.j2")
