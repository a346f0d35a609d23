"""The error of the bundling: a sentence that the CDK passes on."""

from typing import Final


class BundlingError(RuntimeError):
    """The bundle could not be built; the message is a sentence and the output of the tool that failed."""

    OPENING: Final = "The functions could not be bundled: "

    def __init__(self, cause: str) -> None:
        super().__init__(self.OPENING + cause)

    @classmethod
    def sentence_in(cls, error: RuntimeError) -> str | None:
        """Find our sentence in an error of the CDK, which passes on the text of an exception only.

        Returns:
            The sentence, or None if the error is about something else.
        """
        _, opening, cause = str(error).partition(cls.OPENING)
        return opening + cause if opening else None
