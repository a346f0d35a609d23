"""What the page and the mail of a posture say in the same words."""

import math
from dataclasses import dataclass

from search_coverage.coverage.plan_changes import plan_changes
from search_coverage.coverage.posture import Posture, PostureStatus
from search_coverage.coverage.remedies import BACKUPS_IN_A_SEARCH, IN_AN_AIR_GAPPED_VAULT, REMEDIES
from search_coverage.coverage.searchability import Searchability
from search_coverage.names import SERVICE
from search_coverage.report.plain_text import one_line
from search_coverage.report.wording import METADATA_ONLY

_TITLES = {
    Searchability.SEARCHABLE: "Searchable",
    Searchability.AIR_GAPPED: IN_AN_AIR_GAPPED_VAULT.title,
}

LIMITS = {
    "Searchable": (
        "It means that the backup has an index that is ACTIVE. It does not mean that the index holds all of the "
        f"backup, nor that whoever searches is allowed to: {SERVICE} preflight --as ROLE_ARN asks that."
    ),
    "One search": (
        f"A search takes {BACKUPS_IN_A_SEARCH} recovery points by default. {SERVICE} preflight says how many searches "
        "a scope needs, and what they would miss."
    ),
    "Contents": METADATA_ONLY,
    "Other types": "Backups of databases and of other types are not counted: AWS Backup searches S3 and EBS alone.",
}
"""What a posture does not say, by what it is about (aws-facts.md §2 and §7)."""


def state_in_words(state: Searchability) -> str:
    """Name whether a backup can be searched, or why not."""
    reason = state.reason
    return _TITLES.get(state) or (REMEDIES[reason].title if reason else state.value)


def headline(posture: Posture) -> str:
    """State in one sentence how many sources could be searched, and no more than is known."""
    sources, searchable = posture.newest.sources, posture.newest.searchable
    known = " that could be read" if posture.status is PostureStatus.PARTIAL else ""
    if not sources:
        return f"There is no backup of S3 or EBS in the vaults{known}"
    noun = "source" if sources == 1 else "sources"
    if searchable == sources:
        return f"A search could look into the newest backup of all {sources:,} {noun}{known}"
    if not searchable:
        return f"A search could NOT look into the newest backup of any of the {sources:,} {noun}{known}"
    return f"A search could look into the newest backup of {searchable:,} of {sources:,} {noun}{known}"


def status_in_words(posture: Posture) -> str:
    """Name the tone of a posture in a few words."""
    if posture.status is PostureStatus.PARTIAL:
        return "NOT ALL VAULTS READ"
    if not posture.newest.sources:
        return "NO BACKUPS"
    return "SEARCHABLE" if posture.newest.searchable == posture.newest.sources else "NOT ALL SEARCHABLE"


def target_in_words(posture: Posture) -> str | None:
    """Say whether the target is met; None if there is none, or no source."""
    if posture.target is None or posture.newest.share is None:
        return None
    share = percent(posture.newest.share)
    if posture.misses_target is None:
        return f"Target {posture.target}% of the sources: not known; of those that could be read it is {share}."
    return f"Target {posture.target}% of the sources: {'MISSED' if posture.misses_target else 'met'}, it is {share}."


def since_in_words(posture: Posture) -> list[str]:
    """State what changed since the last mail, or the posture before; nothing where there is none."""
    since = posture.since
    if since is None:
        return []
    known = ", as far as the vaults could be read" if posture.status is PostureStatus.PARTIAL else ""
    if not since.is_change:
        return [f"No source got better or worse{known}."]
    counts = (
        (since.worse, "can no longer be searched"),
        (since.new_not_searchable, "new and not searchable"),
        (since.better, "can be searched now"),
        (since.gone, "without a backup now"),
    )
    parts = [f"{count:,} {words}" for count, words in counts if count]
    shares = f"The share was {percent(since.share)} and is {percent(posture.newest.share)}{known}."
    return [f"Sources: {', '.join(parts)}. {shares}"]


def percent(share: float | None) -> str:
    """Write a percentage, rounded down: it says 100% only if it is all."""
    if share is None:
        return "–"
    tenths = math.floor(round(share * 10, 6))
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10}%"


@dataclass(frozen=True, slots=True)
class FirstChange:
    """One of the changes that help most.

    Attributes:
        sources: How many sources it makes searchable.
        anchor: Where the page has it.
    """

    sources: int
    title: str
    sentence: str
    anchor: str


def first_changes(posture: Posture, at_most: int = 3) -> list[FirstChange]:
    """Return the changes that make the most sources searchable, the one with the most first."""
    changes = []
    for number, change in enumerate(plan_changes(posture), start=1):
        if change.sources:
            name = one_line(change.plan.name, 60) or change.plan.plan_id
            changes.append(
                FirstChange(
                    change.sources,
                    f"Turn on indexing in backup plan {name}",
                    f"A search could then look into the next backups of {_sources(change.sources)}.",
                    f"plan-{number}",
                )
            )
    for state, sources in posture.newest.by_searchability.items():
        if (texts := _CHANGES.get(state)) and sources:
            title, sentence = texts
            indexes = f"{sources:,} {'index' if sources == 1 else 'indexes'}"
            changes.append(
                FirstChange(sources, title.format(_sources(sources)), sentence.format(indexes), f"do-{state.value}")
            )
    return sorted(changes, key=lambda change: -change.sources)[:at_most]


_CHANGES = {
    Searchability.INDEX_MISSING: (
        "Index the newest backup of {}",
        "It takes {}, one after another: AWS makes one on demand at a time.",
    ),
    Searchability.INDEX_FAILED: (
        "Mend the index of the newest backup of {}",
        "AWS says why each of {} failed. Backups of EBS need a role that may read snapshots.",
    ),
    Searchability.INDEX_DELETING: (
        "Create the index of the newest backup of {} again",
        "It takes {}, once the old ones are gone.",
    ),
    Searchability.AIR_GAPPED: (
        "Keep the newest backup of {} in a standard vault as well",
        "In an air-gapped vault no backup gets an index.",
    ),
}


def _sources(count: int) -> str:
    return f"{count:,} {'source' if count == 1 else 'sources'}"
