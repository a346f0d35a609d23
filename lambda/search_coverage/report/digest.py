"""The one e-mail that a person gets for a search job: plain text, made for phones and ticket systems."""

import textwrap

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.remedies import REMEDIES, remedy_of
from search_coverage.coverage.timestamp import utc_text
from search_coverage.coverage.verdict import InventoryStatus, Verdict
from search_coverage.report.plain_text import name_of, one_line
from search_coverage.report.row import Row
from search_coverage.report.summary import Findings

SUBJECT_CHARACTERS = 99  # "less than 100 characters long" (aws-facts.md §5)
_LINE_CHARACTERS = 46  # a line that a phone breaks again, indented or not, is hard to read

NOT_COMPARED = (
    "Backups without an index may be missing from the list that AWS gives; it was not compared with the vaults."
)
"""What every report without an inventory of the vaults has to say."""

_VERDICT_SENTENCES = {
    Verdict.COMPLETE: "Every backup in its scope was searched: what was not found is not in them.",
    Verdict.PARTIAL: "Do NOT read this result as complete: what was not found may be in a backup not searched.",
    Verdict.NONE: "NOTHING was searched: the result of this search says nothing about your backups.",
}
_COMPLETE_NOT_COMPARED = "Every backup that AWS lists for this search was searched."


def subject(findings: Findings) -> str:
    """Write the subject: the verdict, the numbers, and the name of the search job, under 100 characters."""
    excluded, meant = findings.tally.backups.excluded, findings.backups_meant
    if findings.judgement.verdict is Verdict.COMPLETE:
        numbers = f"all {meant} backups searched"
    else:
        numbers = f"{excluded} of {meant} backups not searched" if meant else "no backup searched"
    start = f"{findings.judgement.verdict.value}: {numbers} - "
    return start + name_of(findings.job, SUBJECT_CHARACTERS - len(start))


def digest(findings: Findings, first_failed: list[Row], bucket: str, prefix: str, console_url: str) -> str:
    """Write the e-mail.

    No line is longer than 78 characters, and most are made for phones; but a link or an ARN is not cut, since nobody
    could use it cut.

    Args:
        first_failed: The failed backups that are named, in the order of the list.
        prefix: The folder of the report in the bucket, with ``/`` at its end.
    """
    sections = (
        _verdict(findings),
        _what_to_do(findings),
        ["THE FULL REPORT", "report.html in", console_url, f"s3://{bucket}/{prefix}"],
        _search_job(findings),
        _search_again(findings),
        _failed(first_failed, findings.tally.backups.failed),  # last: what is too long for a message is cut here
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _verdict(findings: Findings) -> list[str]:
    verdict, backups = findings.judgement.verdict, findings.tally.backups
    in_scope = findings.inventory.scope_in_words
    not_compared = findings.inventory.status is InventoryStatus.OFF
    claims_less = not_compared and verdict is Verdict.COMPLETE
    sentence = _COMPLETE_NOT_COMPARED if claims_less else _VERDICT_SENTENCES[verdict]
    counts = [
        *([f"{in_scope} in scope"] if in_scope else []),
        f"{backups.listed} listed",
        f"{backups.searched} searched",
        f"{backups.excluded} NOT searched",
    ]
    failed = f" ({backups.failed} FAILED)" if backups.failed else ""
    lines = [
        *_wrapped(f"{verdict.value}. {sentence}"),
        "",
        *_wrapped(f"Backups: {', '.join(counts)}{failed}"),
    ]
    for reason in findings.judgement.reasons:
        lines += _wrapped(f"- {one_line(reason, 500)}", indent="  ")
    if not_compared:
        lines += _wrapped(f"- {NOT_COMPARED}", indent="  ")
    return lines


def _what_to_do(findings: Findings) -> list[str]:
    by_reason = {Reason(name): count for name, count in findings.tally.by_reason.items()}
    if not by_reason:
        return []
    lines = ["WHY, AND WHAT TO DO"]
    in_order = sorted(by_reason, key=lambda reason: (-by_reason[reason], REMEDIES[reason].effort))
    for number, reason in enumerate(in_order, start=1):
        remedy = remedy_of(reason, findings.job.scope.resource_type)
        what_happened = f"{number}. {by_reason[reason]} x {reason}: {remedy.meaning}"
        lines += _wrapped(what_happened, indent="   ")
        lines += _wrapped(f"-> {remedy.remedy}", indent="   ")
    return lines


def _failed(first_failed: list[Row], failed: int) -> list[str]:
    if not first_failed:
        return []
    return [
        f"FAILED BACKUPS ({len(first_failed)} of {failed})",
        *(line for row in first_failed for line in _failed_backup(row)),
    ]


def _failed_backup(failed: Row) -> list[str]:
    source = one_line(failed["source_resource_arn"], 500)
    message = one_line(failed["status_message"], 500) or "AWS gave no message"
    return [
        f"- {one_line(failed['backup_arn'], 500) or '(AWS did not name the backup)'}",
        *([f"  of {source}"] if source else []),
        *_wrapped(f"  {failed['reason']}: {message}", indent="  "),
    ]


def _search_job(findings: Findings) -> list[str]:
    job = findings.job
    ended = utc_text(job.completion_time) or "at a time that AWS does not tell"
    return [
        "THE SEARCH",
        *_wrapped(f"Name: {one_line(job.name, 200) or '(none)'}", indent="  "),
        f"Identifier: {job.identifier}",
        *_wrapped(f"Status: {one_line(job.status, 50) or '(none)'}, ended {ended}", indent="  "),
        f"Account {job.arn.account}, Region {job.arn.region}",
    ]


def _search_again(findings: Findings) -> list[str]:
    if findings.judgement.verdict is Verdict.COMPLETE:
        return []
    job = findings.job
    return [
        "TO SEARCH AGAIN",
        *_wrapped(
            "When the above is done, start a search with the same scope and filters. report.html has the commands. "
            "The scope and the filters of this search are shown by"
        ),
        "aws backupsearch get-search-job \\",
        f"  --search-job-identifier {job.identifier} \\",
        f"  --region {job.arn.region}",
    ]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, _LINE_CHARACTERS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
