"""What page and mail say in the same words: each sentence, the words for AWS's codes, and the order of the reasons."""

from datetime import UTC, datetime

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.search_result import ResultsStatus
from search_coverage.coverage.verdict import Inventory, Verdict
from search_coverage.report.findings import Changes, Findings
from search_coverage.report.sources import sources_in_words
from search_coverage.report.tally import Tally

METADATA_ONLY = "A search compares names, sizes and times. It never reads what is inside a file or an object."
"""What a search looks at (aws-facts.md §7)."""

NOT_COMPARED = (
    "Backups without an index may be missing from the list that AWS gives; it was not compared with the vaults."
)
"""What every report without an inventory of the vaults has to say."""

_VERDICTS = {Verdict.COMPLETE: "COMPLETE", Verdict.PARTIAL: "PARTIAL", Verdict.NONE: "Nothing searched"}

_NOT_PROOF = (
    f"{METADATA_ONLY} What it did not find is in none of the indexes that it searched; "
    "this does not prove that a text, or a person's data, is in no backup."
)
_TRUST = {
    Verdict.COMPLETE: f"No backup in its scope was left out. {_NOT_PROOF}",
    Verdict.PARTIAL: (
        "Do NOT read this result as complete: what was not found may be in a backup that was not searched."
    ),
    Verdict.NONE: "The result of this search says nothing about your backups.",
}
_TRUST_NOT_COMPARED = f"No backup that AWS lists for it was left out. {_NOT_PROOF}"

_TYPES = {"S3": "S3 bucket", "EBS": "EBS volume"}
_STATUSES = frozenset({"RUNNING", "COMPLETED", "STOPPING", "STOPPED", "FAILED", "PENDING", "ACTIVE", "DELETING"})


def headline(findings: Findings) -> str:
    """State in one sentence how much of the backups the search looked at, and no more than is known."""
    tally, verdict, meant = findings.tally, findings.judgement.verdict, findings.backups_meant
    noun = "backup" if meant == 1 else "backups"
    if meant == 0:
        return "This search looked at no backup at all"
    if verdict is Verdict.NONE and meant > 1:
        return f"This search did NOT look at any of the {meant:,} {noun}"
    if tally.excluded:
        return f"This search did NOT look at {tally.excluded:,} of {meant:,} {noun}"
    if verdict is Verdict.COMPLETE:
        of_what = "that AWS lists for it" if findings.inventory.is_off else "in its scope"
        return f"This search looked at all {tally.listed:,} {noun} {of_what}"
    return f"This search lists {tally.listed:,} {noun} as searched, but its result is in doubt"


def headline_in_short(findings: Findings) -> str:
    """State the verdict and the numbers in a few words, as for the subject of a mail."""
    excluded, verdict, meant = findings.tally.excluded, findings.judgement.verdict, findings.backups_meant
    if verdict is Verdict.COMPLETE:
        numbers = f"{'closed, ' if findings.closes_previous else ''}all {meant:,} backups searched"
    elif excluded:
        numbers = f"{excluded:,} of {meant:,} backups not searched"
    else:
        numbers = f"{meant:,} backups searched, result in doubt" if meant else "no backup listed"
    return f"{verdict_in_words(verdict)}: {numbers}"


def previous_in_words(findings: Findings) -> list[str]:
    """State what changed since the previous search with the same question; nothing if there is none."""
    previous = findings.previous
    if previous is None:
        return []
    if previous.ended is None:
        return [f"It is not known whether an earlier search asked the same question: {previous.message}"]
    verdict = verdict_in_words(Verdict(previous.verdict)) if previous.verdict in set(Verdict) else previous.verdict
    then = f"the previous search, of {moment_in_words(datetime.fromisoformat(previous.ended))}"
    if findings.closes_previous:
        sentences = [f"CLOSED: {then}, was not COMPLETE ({verdict}), and this one is."]
    else:
        sentences = [f"T{then[1:]}, asked the same question. Its verdict: {verdict}."]
    if previous.changes is None:
        return [*sentences, f"The two could not be compared: {previous.message}"]
    sentences.append(_changes_in_words(previous.changes, is_closed=findings.closes_previous))
    if previous.without_arn:
        sentences.append(f"AWS did not name {_backups(previous.without_arn)}, which cannot be compared.")
    return sentences


def _changes_in_words(changes: Changes, *, is_closed: bool) -> str:
    gone = f"{changes.not_in_this_search:,} not in this search" if changes.not_in_this_search else ""
    searched = f"{changes.now_searched:,} searched now" if changes.now_searched or not gone else ""
    became = ", ".join(filter(None, (searched, gone)))
    if is_closed:
        return f"Of {_backups(changes.no_longer_excluded)} that it left out: {became}."
    since = changes.still_excluded_since
    still = f" (the first since {moment_in_words(datetime.fromisoformat(since))})" if since else ""
    no_longer = f"{changes.no_longer_excluded:,} no longer{f' ({became})' if changes.no_longer_excluded else ''}"
    return f"Left out now: {changes.newly_excluded:,} newly, {changes.still_excluded:,} still{still}, {no_longer}."


def _backups(count: int) -> str:
    return f"{count:,} {'backup' if count == 1 else 'backups'}"


def results_in_words(findings: Findings) -> list[str]:
    """State what is kept of the results, in sentences without a word of them; none if nobody asked for it."""
    results = findings.results
    if results.status is ResultsStatus.OFF:
        return []
    if results.are_missing:
        return [f"The results of this search are NOT kept: {results.message}"]
    number, noun = f"{results.rows or 0:,}", "result" if results.rows == 1 else "results"
    sentences = [f"{number} {noun} kept." if results.message is None else f"INCOMPLETE: {number} {noun} kept."]
    sentences += [results.message] if results.message else []
    if findings.judgement.verdict is not Verdict.COMPLETE:
        sentences.append("They are of the backups that were searched, and of no other.")
    return sentences


def not_looked_at(findings: Findings) -> str | None:
    """Name the sources of the excluded backups; None if there are none."""
    if not findings.tally.excluded:
        return None
    return sources_in_words(findings.tally.by_source, findings.generated_at.date())


def trust(verdict: Verdict, inventory: Inventory) -> str:
    """State how far the result can be trusted, in words that claim no more than a search of metadata shows."""
    return _TRUST_NOT_COMPARED if verdict is Verdict.COMPLETE and inventory.is_off else _TRUST[verdict]


def reasons_in_order(tally: Tally) -> list[tuple[Reason, int]]:
    """Return the reasons and their numbers of backups: the largest first, of the same size the easiest first."""
    effort = list(REMEDIES)
    return sorted(tally.by_reason.items(), key=lambda counted: (-counted[1], effort.index(counted[0])))


def verdict_in_words(verdict: Verdict) -> str:
    """Return the name of a verdict for people."""
    return _VERDICTS[verdict]


def type_in_words(code: str) -> str:
    """Name a resource type; an unknown type keeps its code."""
    return _TYPES.get(code, code)


def status_in_words(code: str) -> str:
    """Name a status of a search job, of a backup in it, or of an index; an unknown status keeps its code."""
    return code.capitalize() if code in _STATUSES else code


def moment_in_words(moment: datetime | float) -> str:
    """Write a moment in the one form that people read: 20 Nov 2026 09:05:30 UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return f"{moment.astimezone(UTC):%-d %b %Y %H:%M:%S} UTC"
