"""The one email that a person gets for a search job: plain text, made for phones and ticket systems."""

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.remedies import REMEDIES, remedy_of
from search_coverage.coverage.verdict import Verdict
from search_coverage.names import EXCLUDED_BACKUPS_CSV, REPORT_HTML
from search_coverage.report import wording
from search_coverage.report.blind_spots import blind_spots
from search_coverage.report.findings import Findings
from search_coverage.report.mail.messages import SUBJECT_CHARACTERS, bulleted, joined, wrapped
from search_coverage.report.plain_text import name_of, one_line
from search_coverage.report.sources import sources_in_words


def subject(findings: Findings) -> str:
    """Write the subject: the verdict, the numbers, and the name of the search job, under 100 characters."""
    start = f"{wording.headline_in_short(findings)} - "
    return start + name_of(findings.job, SUBJECT_CHARACTERS - len(start))


def digest(findings: Findings, bucket: str, prefix: str, console_url: str) -> str:
    """Write the email.

    Args:
        prefix: The folder of the report in the bucket, with ``/`` at its end.
    """
    sections = (
        _verdict(findings),
        _since_the_previous_search(findings),
        _what_to_do(findings),
        ["THE FULL REPORT", f"{REPORT_HTML} in", console_url, f"s3://{bucket}/{prefix}"],
        _blind_spots(findings),
        _search_job(findings),
        _results(findings),
        _search_again(findings),
        _failed(findings),  # last: what is too long for a message is cut here
    )
    return joined(sections)


def _verdict(findings: Findings) -> list[str]:
    verdict, inventory, backups = findings.judgement.verdict, findings.inventory, findings.tally.backups
    reasons = [one_line(reason, 500) for reason in findings.judgement.reasons]
    sentences = [wording.trust(verdict, inventory)]
    if sources := wording.not_looked_at(findings):  # first: a phone shows the beginning of a mail that is not open
        sentences.insert(0, f"Not looked at: {sources}.")
    elif verdict is Verdict.PARTIAL:
        sentences.insert(0, reasons[0])
    sentences[0] = f"{wording.verdict_in_words(verdict)}. {sentences[0]}"
    in_scope = f"{inventory.scope_in_words} in scope, " if inventory.scope_in_words else ""
    failed = f" ({backups.failed:,} FAILED)" if backups.failed else ""
    return [
        *(line for sentence in sentences for line in (*wrapped(sentence), "")),
        *wrapped(
            f"Backups: {in_scope}{backups.listed:,} listed, {backups.searched:,} searched, "
            f"{backups.excluded:,} NOT searched{failed}"
        ),
        *bulleted([*reasons, *([wording.NOT_COMPARED] if inventory.is_off else [])]),
    ]


def _since_the_previous_search(findings: Findings) -> list[str]:
    sentences = wording.previous_in_words(findings)
    lines = [line for each in sentences for line in wrapped(one_line(each, 500))]
    return ["SINCE THE PREVIOUS SEARCH", *lines] if lines else []


def _what_to_do(findings: Findings) -> list[str]:
    lines = []
    for number, (reason, count) in enumerate(wording.reasons_in_order(findings.tally), start=1):
        remedy = remedy_of(reason, findings.job.scope.resource_type)
        lines += wrapped(f"{number}. {count:,} x {remedy.title}: {remedy.meaning}", indent="   ")
        lines += wrapped(f"-> {remedy.remedy}", indent="   ")
    return ["WHY, AND WHAT TO DO", *lines] if lines else []


def _failed(findings: Findings) -> list[str]:
    examples = findings.examples.failed.values()
    if not examples:
        return []
    return [
        f"FAILED BACKUPS ({findings.tally.failed:,})",
        *(line for example in examples for line in _failed_for_a_reason(findings, example)),
        *wrapped(f"{EXCLUDED_BACKUPS_CSV} in the same folder names all of them."),
    ]


def _failed_for_a_reason(findings: Findings, example: Exclusion) -> list[str]:
    reason, backup = example.reason, example.backup
    sources = sources_in_words(findings.tally.failed_by_reason[reason], findings.generated_at.date())
    message = one_line(backup.status_message, 500) or "AWS gave no message"
    return [
        *wrapped(f"- {REMEDIES[reason].title}: {sources}", indent="  "),
        "  for example",
        f"  {one_line(backup.backup_arn, 500) or '(AWS did not name the backup)'}",
        *wrapped(f"  {message}", indent="  "),
    ]


def _blind_spots(findings: Findings) -> list[str]:
    spots = blind_spots(findings.job, findings.inventory)
    return ["WHAT EVEN A COMPLETE SEARCH DOES NOT SEE", *bulleted(spot.in_short for spot in spots if spot.in_short)]


def _search_job(findings: Findings) -> list[str]:
    job = findings.job
    status = one_line(wording.status_in_words(job.status), 50) or "(none)"
    ended = wording.moment_in_words(job.completion_time) if job.completion_time else "at an unknown time"
    return [
        "THE SEARCH",
        *wrapped(f"Name: {one_line(job.name, 200) or '(none)'}", indent="  "),
        f"Identifier: {job.identifier}",
        *wrapped(f"Status: {status}, ended {ended}", indent="  "),
        f"Account {job.arn.account}, Region {job.arn.region}",
    ]


def _results(findings: Findings) -> list[str]:
    sentences = wording.results_in_words(findings)
    return ["THE RESULTS", *(line for each in sentences for line in wrapped(one_line(each, 500)))] if sentences else []


def _search_again(findings: Findings) -> list[str]:
    if findings.judgement.verdict is Verdict.COMPLETE:
        return []
    job = findings.job
    return [
        "TO SEARCH AGAIN",
        *wrapped(
            f"When the above is done, start a search with the same scope and filters. {REPORT_HTML} has the commands. "
            "This one shows scope and filters, for 7 days after the end of the search:"
        ),
        "aws backupsearch get-search-job \\",
        f"  --search-job-identifier {job.identifier} \\",
        f"  --region {job.arn.region}",
    ]
