"""What AWS answers when it does not give what was asked for."""

from typing import Final

from botocore.exceptions import ClientError

_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "UnauthorizedOperation",
        "403",  # an answer to a HEAD request has no body that could say more
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
    """Give the code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Give what AWS says about an error, without the full stop that most of them end with."""
    return str(error.response.get("Error", {}).get("Message", "")).strip().removesuffix(".")


def is_denied(error: ClientError) -> bool:
    """Whether the caller may not do what was asked."""
    return code_of(error) in _DENIED


def is_missing(error: ClientError) -> bool:
    """Whether what was asked for is not there."""
    return code_of(error) in _MISSING


def told(error: ClientError) -> str:
    """Write an error as the end of a sentence: which call answered what."""
    return f"{error.operation_name} answered {code_of(error)}: {message_of(error)}"
