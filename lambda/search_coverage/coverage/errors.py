"""The family of errors that this product raises on purpose: each carries a sentence for a person."""

import traceback

_FRAMES = 3


class SearchCoverageError(Exception):
    """An error that an operator has to know: what failed, on which job or key, and what comes next."""


class AwsCallFailed(SearchCoverageError):
    """AWS did not do what it was asked, after the SDK's own retries."""


class UnexpectedError(SearchCoverageError):
    """A defect of this product. It stands for an error whose text may quote what a search looked for."""


def without_values(error: BaseException) -> str:
    """Name the type of an error and the lines of code that it came through last, but no value.

    Its text may quote a value of an item filter or of a result: `int` and the SDK's parser do. Of an error of the
    operating system the text is kept; it is that system's own.
    """
    said = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    lines = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}{said} at {lines or 'an unknown line'}"
