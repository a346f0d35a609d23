"""What to do about the excluded backups: a group per reason, each with its commands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.remedies import Remedy, remedy_of
from search_coverage.coverage.remedy_commands import (
    after_reading,
    commands,
    commands_for_all,
    reading,
)
from search_coverage.coverage.search_commands import search_again, search_all_again
from search_coverage.coverage.search_job import SearchJob
from search_coverage.report.findings import Findings
from search_coverage.report.wording import reasons_in_order

# What the commands of a group may take on the page, in bytes: it has a group per reason and stays under 2 MB.
_COMMANDS_BYTES = 12_000
_SEARCHES_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Group:
    """The backups that were left out for one reason.

    Attributes:
        shown: How many of them have commands.
        commands: One block per backup; a command that holds for several backups is there once.
        reading: The commands that read them without an index, one block per backup. With a loop in ``commands``, for
            the first backup only.
        after_reading: The commands that remove what ``reading`` makes.
        again: The commands that search all of them again.
        from_csv: Whether commands read excluded-backups.csv, since the page has no room for those of each backup.
    """

    reason: Reason
    count: int
    remedy: Remedy
    shown: int
    commands: list[str]
    reading: list[str]
    after_reading: list[str]
    again: list[str]
    from_csv: bool


def groups(findings: Findings) -> list[Group]:
    """Group what is to be done, in the order of the reasons."""
    examples = findings.examples.of_reason
    return [
        _group(findings.job, reason, count, examples.get(reason, ()))
        for reason, count in reasons_in_order(findings.tally)
    ]


def _group(job: SearchJob, reason: Reason, count: int, first: Sequence[Exclusion]) -> Group:
    remedy = remedy_of(reason, job.scope.resource_type)
    shown, blocks, reads, removes = _blocks(job, first)
    loops: list[str] = []
    if shown < count and (loops := commands_for_all(remedy, reason.value, job.arn.region, first)):
        shown, blocks, reads, removes = count, loops, reads[:1], removes[:1]
    again = search_again(job, first) if remedy.searchable else []
    all_again = bool(again) and (len(first) < count or _bytes(again) > _SEARCHES_BYTES)
    if all_again:
        again = search_all_again(job, reason)
    return Group(reason, count, remedy, shown, blocks, reads, removes, again, from_csv=bool(loops) or all_again)


def _blocks(job: SearchJob, first: Sequence[Exclusion]) -> tuple[int, list[str], list[str], list[str]]:
    """Return the number of backups that there was room for, and their three kinds of commands, a block each."""
    kinds: tuple[list[str], list[str], list[str]] = ([], [], [])
    seen: set[str] = set()
    room = _COMMANDS_BYTES
    for shown, exclusion in enumerate(first):
        unseen = [command for command in commands(exclusion) if command not in seen]
        of_backup = map("\n".join, (unseen, reading(exclusion, job.item_filters.object_keys), after_reading(exclusion)))
        new = ["" if block in blocks else block for block, blocks in zip(of_backup, kinds, strict=True)]
        room -= _bytes(new)
        if room < 0:
            return shown, *kinds
        seen.update(unseen)
        for block, blocks in zip(new, kinds, strict=True):
            blocks.extend([block] if block else [])
    return len(first), *kinds


def _bytes(texts: Iterable[str]) -> int:
    return sum(len(escape(text).encode("utf-8", "backslashreplace")) for text in texts)
