"""What a check finds: a state, a sentence, and what to do where something is not in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError

from cli.aws_errors import is_missing
from cli.doctor.section import Section


class State(StrEnum):
    """The state of what a check looks at, the best first.

    `ATTENTION` is a state that the product reaches by itself: a person has to act, and nothing is broken. `WRONG` means
    that search jobs stay unnoticed, that reports are not made, kept or protected, or that failures are not reported.
    """

    OK = "ok"
    UNKNOWN = "unknown"
    ATTENTION = "attention"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check finds.

    Attributes:
        found: One sentence that explains the state.
        remedy: What to do, without a full stop; empty if all is in order.
        section: The section of the runbook that says more.
    """

    state: State
    found: str
    remedy: str = ""
    section: Section | None = None


def ok(found: str) -> Finding:
    """Report that something is in order."""
    return Finding(State.OK, found)


def attention(found: str, remedy: str, section: Section) -> Finding:
    """Report that a person has to act."""
    return Finding(State.ATTENTION, found, remedy, section)


def wrong(found: str, remedy: str, section: Section = Section.CHANGED) -> Finding:
    """Report that something is broken; the default section is the one about changed resources."""
    return Finding(State.WRONG, found, remedy, section)


def unknown(found: str, remedy: str, section: Section) -> Finding:
    """Report that the state cannot be determined, and why."""
    return Finding(State.UNKNOWN, found, remedy, section)


class Concluded(Exception):
    """Ends a check early, with its finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.found)
        self.finding = finding


@contextmanager
def wrong_if_missing(
    what: str, section: Section = Section.CHANGED, remedy: str = "Find out who deleted it, and restore it"
) -> Iterator[None]:
    """Conclude the check as wrong if AWS answers in the block that the resource does not exist."""
    try:
        yield
    except ClientError as error:
        if is_missing(error):
            raise Concluded(wrong(f"There is no {what}.", remedy, section)) from error
        raise
