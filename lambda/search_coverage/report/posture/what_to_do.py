"""What to do about the sources whose newest backup cannot be searched: a group for each reason, with its commands."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.posture import Posture
from search_coverage.coverage.remedies import Remedy, remedy_of
from search_coverage.coverage.remedy_commands import commands, commands_for_all
from search_coverage.coverage.search_commands import NEWEST_CSV
from search_coverage.coverage.searchability import Searchability
from search_coverage.report.posture.wording import state_in_words

_COMMANDS_BYTES = 8_000


@dataclass(frozen=True, slots=True)
class StateGroup:
    """The sources whose newest backup cannot be searched for one reason.

    Attributes:
        sources: How many they are, and
        backups: how many backups of whatever age cannot be searched for this reason.
        shown: How many of the sources have commands.
        commands: For their newest backups, a block for each; or a loop over sources.csv.
    """

    state: Searchability
    title: str
    remedy: Remedy
    sources: int
    backups: int
    shown: int
    commands: list[str]


def state_groups(posture: Posture) -> list[StateGroup]:
    """Group what is to be done: the reason with the most sources first."""
    newest, all_backups = posture.newest.by_searchability, posture.total.by_searchability
    states = [state for state in Searchability if state.reason and (newest.get(state) or all_backups.get(state))]
    groups = [_group(posture, state) for state in states]
    return sorted(groups, key=lambda group: (-group.sources, -group.backups))


def _group(posture: Posture, state: Searchability) -> StateGroup:
    examples = list(_newest_of(posture, state))
    types = {example.backup.resource_type for example in examples}
    reason = state.reason
    assert reason  # noqa: S101 - the caller leaves out what can be searched
    remedy = remedy_of(reason, types.pop() if len(types) == 1 else None)
    sources, blocks = posture.newest.by_searchability.get(state, 0), _blocks(examples)
    shown = len(blocks)
    if shown < sources and (loop := commands_for_all(remedy, state.value, posture.region, examples, NEWEST_CSV)):
        blocks, shown = loop, sources
    return StateGroup(
        state,
        state_in_words(state),
        remedy,
        sources,
        posture.total.by_searchability.get(state, 0),
        shown,
        blocks,
    )


def _newest_of(posture: Posture, state: Searchability) -> Iterator[Exclusion]:
    for source in posture.first_sources:
        if source.searchability is state and state.reason:
            yield source.newest.left_out_for(state.reason)


def _blocks(examples: list[Exclusion]) -> list[str]:
    """Return the commands of the first backups, as many as there is room for."""
    blocks: list[str] = []
    room = _COMMANDS_BYTES
    for example in examples:
        block = "\n".join(commands(example))
        room -= len(escape(block).encode("utf-8", "backslashreplace"))
        if room < 0 or not block:
            break
        blocks.append(block)
    return blocks
