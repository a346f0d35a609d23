"""What to do about the sources whose newest backup cannot be searched: a group for each reason, with its commands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.posture import Posture
from search_coverage.coverage.remedies import IN_AN_AIR_GAPPED_VAULT, Remedy, remedy_of
from search_coverage.coverage.remedy_commands import commands, commands_for_all, commands_in_turn
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
        commands: For their newest backups, a block for each; or a loop that orders one index after another.
        from_csv: Whether the loop reads sources.csv, since the page has no room for all of them.
    """

    state: Searchability
    title: str
    remedy: Remedy
    sources: int
    backups: int
    shown: int
    commands: list[str]
    from_csv: bool


def state_groups(posture: Posture) -> list[StateGroup]:
    """Group what is to be done: the reason with the most sources first."""
    newest, all_backups = posture.newest.by_searchability, posture.total.by_searchability
    states = [state for state in Searchability if state.reason and (newest.get(state) or all_backups.get(state))]
    groups = [_group(posture, state) for state in states]
    return sorted(groups, key=lambda group: (-group.sources, -group.backups))


def _group(posture: Posture, state: Searchability) -> StateGroup:
    examples = list(_newest_of(posture, state))
    remedy = _remedy(state, examples)
    sources = posture.newest.by_searchability.get(state, 0)
    blocks, from_csv = _blocks(remedy if remedy is IN_AN_AIR_GAPPED_VAULT else None, examples), False
    shown = len(blocks)
    if len(examples) == sources > 1 and (loop := commands_in_turn(remedy, posture.region, examples)):
        blocks, shown = loop, sources
    elif shown < sources and (loop := commands_for_all(remedy, state.value, posture.region, examples, NEWEST_CSV)):
        blocks, shown, from_csv = loop, sources, True
    backups = posture.total.by_searchability.get(state, 0)
    return StateGroup(state, state_in_words(state), remedy, sources, backups, shown, blocks, from_csv)


def _remedy(state: Searchability, examples: Iterable[Exclusion]) -> Remedy:
    types = {example.backup.resource_type for example in examples}
    if state is Searchability.AIR_GAPPED:
        return IN_AN_AIR_GAPPED_VAULT
    assert state.reason  # noqa: S101 - the caller leaves out what can be searched
    return remedy_of(state.reason, types.pop() if len(types) == 1 else None)


def _newest_of(posture: Posture, state: Searchability) -> Iterator[Exclusion]:
    for source in posture.first_sources:
        if source.searchability is state and (exclusion := source.newest_left_out):
            yield exclusion


def _blocks(remedy: Remedy | None, examples: list[Exclusion]) -> list[str]:
    """Return the commands of the first backups, as many as there is room for."""
    blocks: list[str] = []
    room = _COMMANDS_BYTES
    for example in examples:
        block = "\n".join(commands(example, remedy))
        room -= len(escape(block).encode("utf-8", "backslashreplace"))
        if room < 0 or not block:
            break
        blocks.append(block)
    return blocks
