"""What to do about the excluded backups, a group for each reason: the largest first, the easiest of the same size."""

from collections.abc import Mapping
from dataclasses import dataclass

from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.remedies import REMEDIES, Remedy, commands, search_again
from search_coverage.coverage.search_job import SearchJob
from search_coverage.report.tally import Tally

_COMMAND_CHARACTERS = 12_000  # of one group: a name of 2,000 characters does not push the rest off the page


@dataclass(frozen=True, slots=True)
class Group:
    """The backups that were left out for one reason.

    Attributes:
        shown: For how many of them there are commands.
        commands: The commands that mend them, one block a backup.
        again: The commands that search them again, once they are mended.
    """

    reason: Reason
    count: int
    remedy: Remedy
    shown: int
    commands: tuple[str, ...]
    again: tuple[str, ...]


def groups(job: SearchJob, tally: Tally, first_by_reason: Mapping[Reason, list[Exclusion]]) -> list[Group]:
    """Group what is to be done.

    Args:
        first_by_reason: The first exclusions of each reason, which get their commands written out.
    """
    found = [
        _group(job, Reason(reason), count, first_by_reason.get(Reason(reason), []))
        for reason, count in tally.by_reason.items()
    ]
    return sorted(found, key=lambda group: (-group.count, group.remedy.effort))


def _group(job: SearchJob, reason: Reason, count: int, first: list[Exclusion]) -> Group:
    blocks: list[str] = []
    room = _COMMAND_CHARACTERS
    shown = 0
    for exclusion in first:
        block = "\n".join(commands(exclusion))
        # The search names the backup once more.
        room -= len(block) + len(exclusion.backup.backup_arn or "")
        if room < 0:
            break
        shown += 1
        if block and block not in blocks:
            blocks.append(block)
    remedy = REMEDIES[reason]
    again = search_again(job.identifier, job.arn.region, first[:shown]) if remedy.documented else []
    return Group(reason, count, remedy, shown, tuple(blocks), tuple(again))
