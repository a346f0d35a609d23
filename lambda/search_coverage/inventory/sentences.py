"""Sentences about the inventory that a person reads in the report."""

from collections.abc import Iterator, Mapping, Sequence

from search_coverage.coverage.recovery_point import LeftOut

_LEFT_OUT = {
    LeftOut.TOO_LATE: "made or completed after the search began",
    LeftOut.BEING_MADE: "still being made",
    LeftOut.DELETING: "being deleted",
    LeftOut.GONE: "deleted while the inventory was taken",
}
_MESSAGES_AT_MOST = 5


def first_few(messages: Sequence[str]) -> list[str]:
    """Give the first messages, and how many more there are."""
    more = len(messages) - _MESSAGES_AT_MOST
    return [*messages[:_MESSAGES_AT_MOST], *([f"And {more} more of the kind."] if more > 0 else ())]


def left_out_sentence(left_out: Mapping[LeftOut, int]) -> Iterator[str]:
    """Say how many backups match the scope and do not count, by reason."""
    if counted := [f"{left_out[reason]} {words}" for reason, words in _LEFT_OUT.items() if left_out.get(reason)]:
        yield f"Of the backups that match the scope, these are left out: {', '.join(counted)}."


def not_counted_sentence(not_counted: Sequence[str]) -> Iterator[str]:
    """Say in how many vaults the backups of EC2 instances could not be counted, and why in the first of them."""
    if not_counted:
        vaults = "1 vault" if len(not_counted) == 1 else f"{len(not_counted)} vaults"
        yield f"The backups of EC2 instances in {vaults} could not be counted: {not_counted[0].rstrip('.')}."
