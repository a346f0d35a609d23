"""The one e-mail that a person gets for a search job: plain text, made for phones and ticket systems."""

import textwrap

from search_coverage.coverage.exclusion import EXPLANATIONS, Reason
from search_coverage.coverage.timestamp import utc_text
from search_coverage.coverage.verdict import InventoryStatus, Verdict
from search_coverage.report.plain_text import one_line
from search_coverage.report.row import Row
from search_coverage.report.summary import Findings

SUBJECT_CHARACTERS = 99  # "less than 100 characters long" (aws-facts.md §5)
_LINE_CHARACTERS = 78

NOT_COMPARED = (
    "Backups without an index may be missing from the list that AWS gives; it was not compared with the vaults."
)
"""What every report without an inventory of the vaults has to say."""

_VERDICT_SENTENCES = {
    Verdict.COMPLETE: "Every backup that AWS lists for this search was searched.",
    Verdict.PARTIAL: "Do NOT read this result as complete: what was not found may be in a backup not searched.",
    Verdict.NONE: "NOTHING was searched: the result of this search says nothing about your backups.",
}


def subject(findings: Findings) -> str:
    """Write the subject: the verdict, the numbers, and the name of the search job, under 100 characters."""
    backups = findings.tally.backups
    numbers = f"{backups.excluded} of {backups.listed} backups not searched" if backups.listed else "no backup searched"
    start = f"{findings.judgement.verdict.value}: {numbers} - "
    return start + one_line(findings.job.name or findings.job.identifier, SUBJECT_CHARACTERS - len(start))


def digest(findings: Findings, first_failed: list[Row], bucket: str, prefix: str, console_url: str) -> str:
    """Write the e-mail.

    Args:
        first_failed: The failed backups that are named, in the order of the list.
        prefix: The folder of the report in the bucket, with ``/`` at its end.
    """
    job, tally = findings.job, findings.tally
    backups, verdict = tally.backups, findings.judgement.verdict
    lines = [
        *_wrapped(f"{verdict.value}. {_VERDICT_SENTENCES[verdict]}"),
        *(_wrapped(NOT_COMPARED) if findings.inventory.status is InventoryStatus.OFF else []),
        "",
        f"Backups: {backups.listed} listed, {backups.searched} searched, {backups.excluded} NOT searched",
        f"         ({backups.failed} of them failed)",
        *_wrapped(f"Search job: {one_line(job.name, 200) or '(without a name)'}"),
        f"Identifier: {job.identifier}",
        *_wrapped(f"Status: {one_line(job.status, 50)}, ended {utc_text(job.completion_time) or 'at an unknown time'}"),
        f"Account {job.arn.account}, Region {job.arn.region}",
    ]
    if findings.judgement.reasons:
        lines += ["", "WHY IT IS NOT COMPLETE" if verdict is not Verdict.NONE else "WHY"]
        for reason in findings.judgement.reasons:
            lines += _wrapped(f"- {one_line(reason, 500)}", indent="  ")
    if tally.by_reason:
        lines += ["", "WHAT WAS NOT SEARCHED, AND WHAT TO DO"]
        for name, count in tally.by_reason.most_common():
            explanation = EXPLANATIONS[Reason(name)]
            lines += _wrapped(f"{count} x {name}: {explanation.meaning}")
            lines += _wrapped(f"    -> {explanation.remedy}", indent="       ")
    lines += ["", "THE FULL REPORT", console_url, f"s3://{bucket}/{prefix}"]
    if first_failed:
        lines += ["", f"FAILED BACKUPS ({len(first_failed)} of {backups.failed})"]
        for failed in first_failed:
            lines += _failed_lines(failed)
    return "\n".join(lines) + "\n"


def _failed_lines(failed: Row) -> list[str]:
    arn = one_line(failed["backup_arn"], 500) or "(AWS did not name the backup)"
    source = one_line(failed["source_resource_arn"], 500)
    message = one_line(failed["status_message"], 500)
    return [
        f"- {arn}",
        *([f"  of {source}"] if source else []),
        *_wrapped(f"  {failed['reason']}: {message or 'AWS gave no message'}", indent="  "),
    ]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, _LINE_CHARACTERS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
