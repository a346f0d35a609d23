"""The one e-mail that a person gets for a search job: plain text, made for phones and ticket systems."""

import textwrap

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.remedies import REMEDIES, remedy_of
from search_coverage.coverage.verdict import InventoryStatus, Verdict
from search_coverage.names import EXCLUDED_BACKUPS_CSV, REPORT_HTML
from search_coverage.report.blind_spots import blind_spots
from search_coverage.report.findings import Findings
from search_coverage.report.plain_text import name_of, one_line
from search_coverage.report.sources import sources_in_words
from search_coverage.report.wording import NOT_COMPARED, moment_in_words, status_in_words, trust, verdict_in_words

SUBJECT_CHARACTERS = 99  # "less than 100 characters long" (aws-facts.md §5)
_LINE_CHARACTERS = 46  # a line that a phone breaks again, indented or not, is hard to read


def subject(findings: Findings) -> str:
    """Write the subject: the verdict, the numbers, and the name of the search job, under 100 characters."""
    excluded, meant = findings.tally.backups.excluded, findings.backups_meant
    if findings.judgement.verdict is Verdict.COMPLETE:
        numbers = f"all {meant} backups searched"
    elif excluded:
        numbers = f"{excluded} of {meant} backups not searched"
    else:
        numbers = f"{meant} backups searched, result in doubt" if meant else "no backup listed"
    start = f"{verdict_in_words(findings.judgement.verdict)}: {numbers} - "
    return start + name_of(findings.job, SUBJECT_CHARACTERS - len(start))


def digest(findings: Findings, bucket: str, prefix: str, console_url: str) -> str:
    """Write the e-mail.

    No line is longer than 78 characters, and most are made for phones; but a link or an ARN is not cut, since nobody
    could use it cut.

    Args:
        prefix: The folder of the report in the bucket, with ``/`` at its end.
    """
    sections = (
        _verdict(findings),
        _what_to_do(findings),
        ["THE FULL REPORT", f"{REPORT_HTML} in", console_url, f"s3://{bucket}/{prefix}"],
        _blind_spots(findings),
        _search_job(findings),
        _search_again(findings),
        _failed(findings),  # last: what is too long for a message is cut here
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _verdict(findings: Findings) -> list[str]:
    verdict, backups = findings.judgement.verdict, findings.tally.backups
    in_scope = findings.inventory.scope_in_words
    sentences = [trust(verdict, findings.inventory.status)]
    if backups.excluded:  # first: it is what a phone shows of a mail that is not open
        not_looked_at = sources_in_words(findings.tally.by_source, findings.generated_at.date())
        sentences.insert(0, f"Not looked at: {not_looked_at}.")
    elif verdict is Verdict.PARTIAL:
        sentences.insert(0, one_line(findings.judgement.reasons[0], 500))
    sentences[0] = f"{verdict_in_words(verdict)}. {sentences[0]}"
    counts = [
        *([f"{in_scope} in scope"] if in_scope else []),
        f"{backups.listed} listed",
        f"{backups.searched} searched",
        f"{backups.excluded} NOT searched",
    ]
    failed = f" ({backups.failed} FAILED)" if backups.failed else ""
    lines = [
        *(line for sentence in sentences for line in (*_wrapped(sentence), "")),
        *_wrapped(f"Backups: {', '.join(counts)}{failed}"),
    ]
    for reason in findings.judgement.reasons:
        lines += _wrapped(f"- {one_line(reason, 500)}", indent="  ")
    if findings.inventory.status is InventoryStatus.OFF:
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
        what_happened = f"{number}. {by_reason[reason]} x {remedy.title}: {remedy.meaning}"
        lines += _wrapped(what_happened, indent="   ")
        lines += _wrapped(f"-> {remedy.remedy}", indent="   ")
    return lines


def _failed(findings: Findings) -> list[str]:
    failed = findings.examples.failed
    if not failed:
        return []
    return [
        f"FAILED BACKUPS ({findings.tally.backups.failed})",
        *(line for example in failed.values() for line in _failed_for_a_reason(findings, example)),
        *_wrapped(f"{EXCLUDED_BACKUPS_CSV} in the same folder names every one."),
    ]


def _failed_for_a_reason(findings: Findings, example: Exclusion) -> list[str]:
    reason, backup = example.reason, example.backup
    sources = sources_in_words(findings.tally.failed_by_reason[reason], findings.generated_at.date())
    message = one_line(backup.status_message, 500) or "AWS gave no message"
    return [
        *_wrapped(f"- {REMEDIES[reason].title}: {sources}", indent="  "),
        "  for example",
        f"  {one_line(backup.backup_arn, 500) or '(AWS did not name the backup)'}",
        *_wrapped(f"  {message}", indent="  "),
    ]


def _blind_spots(findings: Findings) -> list[str]:
    spots = blind_spots(findings.job, findings.inventory)
    return [
        "WHAT EVEN A COMPLETE SEARCH DOES NOT SEE",
        *(line for spot in spots if spot.in_short for line in _wrapped(f"- {spot.in_short}", indent="  ")),
    ]


def _search_job(findings: Findings) -> list[str]:
    job = findings.job
    ended = moment_in_words(job.completion_time) if job.completion_time else "at a time that AWS does not tell"
    return [
        "THE SEARCH",
        *_wrapped(f"Name: {one_line(job.name, 200) or '(none)'}", indent="  "),
        f"Identifier: {job.identifier}",
        *_wrapped(f"Status: {one_line(status_in_words(job.status), 50) or '(none)'}, ended {ended}", indent="  "),
        f"Account {job.arn.account}, Region {job.arn.region}",
    ]


def _search_again(findings: Findings) -> list[str]:
    if findings.judgement.verdict is Verdict.COMPLETE:
        return []
    job = findings.job
    return [
        "TO SEARCH AGAIN",
        *_wrapped(
            f"When the above is done, start a search with the same scope and filters. {REPORT_HTML} has the commands. "
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
