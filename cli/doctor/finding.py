"""What a check found: a state, a sentence, and what to do where something is not in order."""

from dataclasses import dataclass
from enum import StrEnum

from cli.doctor.section import Section


class State(StrEnum):
    """How it is, the best first.

    `ATTENTION` is a state that the product itself gets into: somebody has to look, and nothing is broken. `WRONG` is
    what keeps search jobs from being noticed, or reports from being made, kept and protected, or failures from being
    told.
    """

    OK = "ok"
    UNKNOWN = "unknown"
    ATTENTION = "attention"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        state: How it is.
        found: One sentence that says so.
        remedy: One sentence that says what to do; empty if it is in order.
        section: Where the runbook says more.
    """

    state: State
    found: str
    remedy: str = ""
    section: Section | None = None


def ok(found: str) -> Finding:
    """Say that something is in order."""
    return Finding(State.OK, found)


def attention(found: str, remedy: str, section: Section) -> Finding:
    """Say that somebody has to look."""
    return Finding(State.ATTENTION, found, remedy, section)


def wrong(found: str, remedy: str, section: Section) -> Finding:
    """Say that something is broken."""
    return Finding(State.WRONG, found, remedy, section)


def unknown(found: str, remedy: str, section: Section) -> Finding:
    """Say that it could not be found out, and why."""
    return Finding(State.UNKNOWN, found, remedy, section)
