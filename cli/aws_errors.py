"""What an error of AWS means, and the sentence that says it to the operator."""

import re
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from search_coverage.coverage.errors import AwsCallFailed

# The answer to a HEAD request has no body: its code is the status.
_DENIED: Final = re.compile("AccessDenied|AuthorizationError|UnauthorizedOperation|403")
_MISSING: Final = re.compile("NoSuch|NotFound|NonExistent|DoesNotExist|404")


def code_of(error: ClientError) -> str:
    """Return the error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return the message of AWS, without the full stop that most of them end with."""
    return str(error.response.get("Error", {}).get("Message", "")).strip().removesuffix(".")


def is_denied(error: ClientError) -> bool:
    """Whether the caller lacks a permission."""
    return bool(_DENIED.match(code_of(error)))


def is_missing(error: ClientError) -> bool:
    """Whether the resource does not exist."""
    return bool(_MISSING.search(code_of(error)))


def summarize(error: Exception) -> str:
    """Return what went wrong, as the end of a sentence: for an answer of AWS, which call answered what."""
    if isinstance(error, ClientError):
        return f"{error.operation_name} answered {code_of(error)}: {message_of(error)}"
    return str(error).removesuffix(".")


def sentence_about(error: Exception) -> str:
    """Return one sentence about an error that ended a command."""
    cause = error.__cause__ if isinstance(error, AwsCallFailed) else error
    if isinstance(cause, ClientError) and is_denied(cause):
        return f"You do not have permission to call {cause.operation_name} ({message_of(cause)})."
    if isinstance(error, ClientError | BotoCoreError | AwsCallFailed):
        return f"{summarize(error)}."
    return f"Unexpected error, please report it to the maintainers: {error!r}."
