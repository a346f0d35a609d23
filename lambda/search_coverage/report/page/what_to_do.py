"""What to do about the excluded backups, a group for each reason: the largest first, the easiest of the same size."""

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
    search_again,
    search_all_again,
)
from search_coverage.coverage.search_job import SearchJob
from search_coverage.report.findings import Findings

# What the commands of a group may take on the page, in bytes: it has twelve groups and stays under 2 MB.
_MENDING_BYTES = 12_000
_SEARCHING_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Group:
    """The backups that were left out for one reason.

    Attributes:
        shown: For how many of them there are commands.
        commands: The commands that mend them, one block a backup; a command that holds for several stands once.
        reading: The commands that read them without an index, one whole block a backup; where a loop mends them, for
            the first alone.
        after_reading: The commands that remove what ``reading`` made.
        again: The commands that search all of them again, once they are mended.
        from_csv: Whether commands read excluded-backups.csv: where a command for each backup has no room.
    """

    reason: Reason
    count: int
    remedy: Remedy
    shown: int
    commands: tuple[str, ...]
    reading: tuple[str, ...]
    after_reading: tuple[str, ...]
    again: tuple[str, ...]
    from_csv: bool


def groups(findings: Findings) -> list[Group]:
    """Group what is to be done."""
    first = findings.examples.of_reason
    found = [
        _group(findings.job, Reason(reason), count, first.get(Reason(reason), ()))
        for reason, count in findings.tally.by_reason.items()
    ]
    return sorted(found, key=lambda group: (-group.count, group.remedy.effort))


def _group(job: SearchJob, reason: Reason, count: int, first: Sequence[Exclusion]) -> Group:
    remedy = remedy_of(reason, job.scope.resource_type)
    shown, blocks, reads, removes = _blocks(job, first)
    loops: list[str] = []
    if shown < count and (loops := commands_for_all(remedy, reason, job.arn.region, first)):
        shown, blocks, reads, removes = count, loops, reads[:1], removes[:1]
    again = search_again(job.identifier, job.arn.region, first) if remedy.searchable else []
    all_again = bool(again) and (len(first) < count or _bytes(again) > _SEARCHING_BYTES)
    if all_again:
        again = search_all_again(job.identifier, job.arn.region, reason)
    from_csv = bool(loops) or all_again
    return Group(
        reason, count, remedy, shown, tuple(blocks), tuple(reads), tuple(removes), tuple(again), from_csv=from_csv
    )


def _blocks(job: SearchJob, first: Sequence[Exclusion]) -> tuple[int, list[str], list[str], list[str]]:
    """Give for how many of the first backups there was room, and the three kinds of their commands, a block each."""
    kinds: tuple[list[str], list[str], list[str]] = ([], [], [])
    seen: set[str] = set()
    room = _MENDING_BYTES
    for shown, exclusion in enumerate(first):
        mending = [command for command in commands(exclusion) if command not in seen]
        of_backup = (
            "\n".join(mending),
            *map("\n".join, (reading(exclusion, job.object_keys), after_reading(exclusion))),
        )
        new = ["" if block in blocks else block for block, blocks in zip(of_backup, kinds, strict=True)]
        room -= _bytes(new)
        if room < 0:
            return shown, *kinds
        seen.update(mending)
        for block, blocks in zip(new, kinds, strict=True):
            if block:
                blocks.append(block)
    return len(first), *kinds


def _bytes(texts: Iterable[str]) -> int:
    return sum(len(escape(text).encode("utf-8", "backslashreplace")) for text in texts)
