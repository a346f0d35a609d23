"""How an invocation that fails is logged."""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import SearchCoverageError


@contextmanager
def logging_failures(logger: Logger) -> Iterator[None]:
    """Log the error that ends an invocation: one of ours as its sentence, any other with its traceback."""
    try:
        yield
    except SearchCoverageError as error:
        logger.error(str(error), error=type(error).__name__)
        raise
    except Exception as error:
        message = f"unexpected error: {error!r}"
        logger.exception(message, error=type(error).__name__)
        raise
