"""What an error of AWS means, and the sentence that says it to the operator."""

from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from search_coverage.coverage.errors import AwsCallFailed

_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "UnauthorizedOperation",
        "403",  # the answer to a HEAD request has no body, and so no other code
    }
)
_MISSING: Final = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)


def code_of(error: ClientError) -> str:
    """Return the error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return the message of AWS, without the full stop that most of them end with."""
    return str(error.response.get("Error", {}).get("Message", "")).strip().removesuffix(".")


def is_denied(error: ClientError) -> bool:
    """Whether the caller lacks a permission."""
    return code_of(error) in _DENIED


def is_missing(error: ClientError) -> bool:
    """Whether the resource does not exist."""
    return code_of(error) in _MISSING


def is_missing_stack(error: ClientError) -> bool:
    """Whether CloudFormation does not know the stack."""
    return code_of(error) == "ValidationError" and "does not exist" in message_of(error)


def summarize(error: ClientError) -> str:
    """Return which call answered what, as the end of a sentence."""
    return f"{error.operation_name} answered {code_of(error)}: {message_of(error)}"


def sentence_about(error: Exception) -> str:
    """Return one sentence about an error that ended a command."""
    cause = error.__cause__ if isinstance(error, AwsCallFailed) else error
    if isinstance(cause, ClientError) and is_denied(cause):
        return f"You do not have permission to call {cause.operation_name} ({message_of(cause)})."
    if isinstance(error, ClientError):
        return f"{summarize(error)}."
    if isinstance(error, BotoCoreError):
        return f"AWS did not answer: {error}".rstrip(".") + "."
    if isinstance(error, AwsCallFailed):
        return f"{error}".rstrip(".") + "."
    return f"Unexpected error, please report it to the maintainers: {error!r}."
