"""What can go wrong at the edge, each with what failed and what comes next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from search_coverage.coverage.errors import AwsCallFailed as AwsCallFailed  # noqa: PLC0414 - others import it here
from search_coverage.coverage.errors import SearchCoverageError

_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]*:\d*:key/[\w-]+")

# Within an ARN only a key's own counts: somebody may have named a role "key-user".
_ABOUT_A_KEY = re.compile(rf"(?<![\w:/-])(?:kms|keys?|decrypt\w*)\b|{_KEY_ARN.pattern}", re.IGNORECASE)


class ClaimLost(SearchCoverageError):
    """Another attempt has taken over the report: this one must not write any more."""


class NotPublished(AwsCallFailed):
    """SNS did not take a message, after the SDK's own retries."""


class SearchJobUnknown(SearchCoverageError):
    """AWS Backup does not know the search job: a wrong identifier, or one that ended more than 7 days ago."""


class SearchKeyDenied(AwsCallFailed):
    """AWS does not hand out a search job, because this function may not use the key that it is encrypted with."""


@contextmanager
def doing(what: str, failed: type[AwsCallFailed] = AwsCallFailed) -> Iterator[None]:
    """Turn the SDK's errors in the block into one sentence that begins with what was being done.

    Raises:
        AwsCallFailed: Or the kind of it that ``failed`` names, with the SDK's error as its cause.
    """
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        raise failed(
            f"{what} failed: {error.operation_name} answered {details.get('Code')}: {details.get('Message')}"
        ) from error
    except (BotoCoreError, Boto3Error, HTTPError, ResponseParserError) as error:
        # Of urllib3, an error's body that breaks off; of botocore's parsers, an answer that is no XML or JSON.
        raise failed(f"{what} failed: {error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError) as error:
        # What botocore, or our own reading of it, says to an answer of another shape than AWS documents.
        raise failed(f"{what} failed: AWS answered with something unexpected ({error!r}).") from error


reading = doing


@contextmanager
def reading_search_job(what: str, key_arn: str | None = None) -> Iterator[None]:
    """Do as `doing` does, and tell when it is the search job's key that the function may not use.

    Args:
        what: What is being done.
        key_arn: The key that the search job is encrypted with, where it is known.

    Raises:
        SearchKeyDenied: Access was denied, and by what AWS says it is about a key.
        AwsCallFailed: It failed for another reason.
    """
    with doing(what):
        try:
            yield
        except ClientError as error:
            details = error.response.get("Error", {})
            code, message = str(details.get("Code")), str(details.get("Message"))
            if "AccessDenied" not in code or not (code.startswith("KMS") or _ABOUT_A_KEY.search(message)):
                raise
            found = _KEY_ARN.search(message)
            named = key_arn or (found[0] if found else "that AWS does not name here")
            raise SearchKeyDenied(
                f"{what} failed: {error.operation_name} answered {code}: {message.removesuffix('.')}. The search job "
                f"is encrypted with a customer key, and this function may not use it: the key {named}. Add its ARN to "
                "the setting searchKeyArns and deploy; if it is there already, the policy of the key itself does not "
                "allow it."
            ) from error
