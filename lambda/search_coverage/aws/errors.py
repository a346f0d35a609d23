"""What can go wrong at the edge, each with what failed and what comes next."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from search_coverage.coverage.errors import SearchCoverageError


class AwsCallFailed(SearchCoverageError):
    """AWS did not do what it was asked, after the SDK's own retries."""


class SearchJobUnknown(SearchCoverageError):
    """AWS Backup does not know the search job: a wrong identifier, or one that ended more than 7 days ago."""


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Turn the SDK's errors in the block into one sentence that begins with what was being done.

    Raises:
        AwsCallFailed: With the SDK's error as its cause.
    """
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        raise AwsCallFailed(
            f"{what} failed: {error.operation_name} answered {details.get('Code')}: {details.get('Message')}"
        ) from error
    except (BotoCoreError, Boto3Error, ResponseParserError, HTTPError) as error:
        # Those of the parser are none of botocore's others; urllib3's own: an error's body that breaks off
        raise AwsCallFailed(f"{what} failed: {error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError) as error:
        # What botocore, or our own reading of it, says to an answer of another shape than AWS documents.
        raise AwsCallFailed(f"{what} failed: AWS answered with something unexpected ({error!r}).") from error
