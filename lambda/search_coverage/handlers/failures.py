"""How an invocation that fails is logged."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import SearchCoverageError, UnexpectedError, without_values


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
        message = f"unexpected error: {without_values(error)}"
        lines = "".join(traceback.format_tb(error.__traceback__))
        logger.error(message, error=type(error).__name__, traceback=lines)
        raise UnexpectedError(message) from None
