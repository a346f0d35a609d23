"""How an invocation that fails is logged."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import SearchCoverageError

_FRAMES_NAMED = 3


class UnexpectedError(SearchCoverageError):
    """A defect of this product. It stands for an error whose text may quote what a search looked for, or found."""


@contextmanager
def logging_failures(logger: Logger) -> Iterator[None]:
    """Log the error that ends an invocation: one of ours as its sentence, any other with the lines of code it passed.

    Raises:
        UnexpectedError: In place of any other error, because Lambda logs the text of what ends an invocation, and puts
            it into the failure queue.
    """
    try:
        yield
    except SearchCoverageError as error:
        logger.error(str(error), error=type(error).__name__)
        raise
    except Exception as error:
        message = f"unexpected error: {_without_its_text(error)}"
        lines = "".join(traceback.format_tb(error.__traceback__))
        logger.error(message, error=type(error).__name__, traceback=lines)
        raise UnexpectedError(message) from None


def _without_its_text(error: Exception) -> str:
    """Name an error and the last lines of code that it passed. What the operating system says of it is no value."""
    said = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_NAMED:]
    lines = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}{said} at {lines}"
