"""AWS's errors, each turned into one sentence that begins with what was being done."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from search_coverage.coverage.errors import AwsCallFailed, without_values
from search_coverage.use_cases.ports import SearchKeyDenied

SHAPE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)
"""What botocore's parser, or our own reading, raises for an answer of another shape than AWS documents."""

_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]*:\d*:key/[\w-]+")

# Within an ARN only a key's own counts: a role may be named "key-user".
_ABOUT_A_KEY = re.compile(rf"(?<![\w:/-])(?:kms|keys?|decrypt\w*)\b|{_KEY_ARN.pattern}", re.IGNORECASE)


@contextmanager
def reading(what: str, failed: type[AwsCallFailed] = AwsCallFailed) -> Iterator[None]:
    """Turn the SDK's errors, and an answer of an unexpected shape, into ``failed``, with the first error as its cause.

    The block holds the call, in which botocore parses the answer, and the lines that take members out of it; nothing
    else, so that an error of our own is not taken for one of AWS.
    """
    try:
        yield
    except ClientError as error:
        code, message = _code_and_message(error)
        raise failed(f"{what} failed: {error.operation_name} answered {code}: {message}") from error
    except (BotoCoreError, Boto3Error, HTTPError, ResponseParserError) as error:
        # urllib3's: an error whose body breaks off; the parsers': an answer that is not XML or JSON.
        raise failed(f"{what} failed: {error}") from error
    except SHAPE_ERRORS as error:
        where = without_values(error)
        raise failed(f"{what} failed: AWS answered with something unexpected ({where}).") from error


@contextmanager
def quoting_nothing(what: str) -> Iterator[None]:
    """Turn an answer of an unexpected shape into an error that quotes nothing of it, for answers with personal data.

    The text of a parser's error can be the value that it stumbled over, or the whole answer.
    """
    try:
        yield
    except (*SHAPE_ERRORS, OSError) as error:  # OSError for a time that no calendar has
        unexpected = f"AWS answered with something unexpected ({type(error).__name__})."
        raise AwsCallFailed(f"{what} failed: {unexpected}") from None


@contextmanager
def reading_search_job(what: str, key_arn: str | None = None) -> Iterator[None]:
    """Do as `reading` does, and recognize that the function may not use the search job's key.

    Args:
        what: What is being done.
        key_arn: The key that the search job is encrypted with, where it is known.

    Raises:
        SearchKeyDenied: Access was denied, and AWS's message is about a key.
        AwsCallFailed: It failed for another reason.
    """
    with reading(what):
        try:
            yield
        except ClientError as error:
            code, message = _code_and_message(error)
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


def _code_and_message(error: ClientError) -> tuple[str, str]:
    details: Any = error.response.get("Error", {})
    return str(details.get("Code")), str(details.get("Message"))
