"""Refuses a planted word in what the product says: logs, metrics, messages and mails, in all tests."""

from tests.examples import JANE


class PlantedWordFound(AssertionError):
    """Something of an item filter or of a result was in an output, where nobody may read it."""


def refuse_planted(output: object, where: str) -> None:
    """Raise `PlantedWordFound` if an output has a planted word."""
    text = output if isinstance(output, str) else repr(output)
    if JANE in text:
        raise PlantedWordFound(f"{where} holds what a search looked for, or what it found.")
