"""`search-coverage replay`: invokes the report function, for search jobs or for the messages of the failure queue."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.aws_errors import is_denied, sentence_about
from cli.deployment import Deployment
from cli.report import counts
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.handlers.report_request import ReportRequest

INVOCATION: Final = Config(
    connect_timeout=5, read_timeout=920, tcp_keepalive=True, retries={"mode": "standard", "total_max_attempts": 1}
)
"""A report takes up to 15 minutes. A second attempt would start a second invocation."""

_HIDDEN_SECONDS: Final = 960  # no other consumer takes the message while the function runs
WAIT_SECONDS = 5  # an answer without waiting can be empty although there are messages

_LOST_CAUSES: Final = frozenset({"SearchJobUnknown", "InvalidRequest", "InvalidIdentifier"})
"""The errors of the report function that no retry resolves."""


@dataclass(slots=True)
class Outcome:
    """The result of one report.

    Attributes:
        subject: The search job; the message where it names no search job.
        answer: The answer of the report function; empty if it failed.
        error: Why it failed, in one sentence.
        is_lost: Whether no retry can succeed.
    """

    subject: str
    answer: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    is_lost: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the report function succeeded."""
        return not self.error

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as a part of the document."""
        return {
            "searchJobIdentifier": self.subject,
            "succeeded": self.succeeded,
            **{member: self.answer.get(member) for member in ("created", "verdict", "backups")},
            "error": self.error or None,
        }

    def as_text(self) -> str:
        """Return the outcome as one line."""
        if self.error:
            return f"{self.subject}  failed: {self.error}"
        if self.answer.get("ignored"):  # the event came from another account or Region
            return f"{self.subject}  ignored"
        note = "" if self.answer["created"] else " (the report existed)"
        return f"{self.subject}  {self.answer['verdict']}: {counts(self.answer['backups'])}{note}"


def replay(deployment: Deployment, identifier: str) -> Outcome:
    """Write a report again, and notify again."""
    return _invoke(deployment, identifier, {"searchJobIdentifier": identifier, "replay": True})


class FailureQueue:
    """The messages that Lambda wrote when it gave up an event for the report function.

    Attributes:
        outcomes: By what the messages ask for.
        deleted: How many messages were deleted.
        left: The receipts of the messages that were left, by their identifiers.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._sqs = deployment.client("sqs")
        self.url = deployment.output("FailureQueueUrl")
        self.outcomes: dict[object, Outcome] = {}
        self.deleted = 0
        self.left: dict[str, str] = {}

    def redo(self) -> Iterator[Outcome]:
        """Invoke the report function with each event of the queue, and delete the messages where it succeeds.

        Several messages with the same request lead to one invocation. The others stay in the queue, where they are
        visible again at the end.

        Yields:
            Each new outcome.
        """
        try:
            while message := self._receive():
                key, payload = _request_in(message)
                if is_new := key not in self.outcomes:
                    self.outcomes[key] = self._outcome(key, payload)
                if self.outcomes[key].succeeded:
                    self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=self.left.pop(message["MessageId"]))
                    self.deleted += 1
                if is_new:
                    yield self.outcomes[key]
        finally:
            for receipt in self.left.values():
                with suppress(ClientError, BotoCoreError):  # the message is visible again after 16 minutes anyway
                    self._sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=0)

    def _receive(self) -> Any:
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=1,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
        )
        for message in answer.get("Messages", []):
            self.left[message["MessageId"]] = message["ReceiptHandle"]
            return message
        return None

    def _outcome(self, key: ReportRequest | str, payload: object) -> Outcome:
        if isinstance(key, str):
            return Outcome(f"message {key}", error="It holds no request for a report.", is_lost=True)
        return _invoke(self._deployment, key.identifier, payload)


def _request_in(message: Any) -> tuple[ReportRequest | str, object]:
    """Return what the message asks for, and the event as it was sent; the id of the message if it asks for nothing."""
    try:
        payload = json.loads(message["Body"])["requestPayload"]
        return ReportRequest.parse(payload), payload
    except (ValueError, TypeError, LookupError, SearchCoverageError):
        return message["MessageId"], None


def _invoke(deployment: Deployment, identifier: str, event: object) -> Outcome:
    function = deployment.output("ReportFunctionName")
    try:
        answer = deployment.client("lambda", INVOCATION).invoke(
            FunctionName=function, Payload=json.dumps(event).encode()
        )
        payload = _object_in(answer["Payload"].read())
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and is_denied(error):
            raise
        return Outcome(identifier, error=sentence_about(error))
    if "FunctionError" in answer:
        message = payload.get("errorMessage") or "The report function gave no reason."
        return Outcome(identifier, error=message, is_lost=payload.get("errorType") in _LOST_CAUSES)
    if payload.get("inProgress"):
        return Outcome(identifier, error="Another invocation is making this report; try again later.")
    if "verdict" not in payload and not payload.get("ignored"):
        return Outcome(identifier, error="The report function did not answer that the report exists.")
    return Outcome(identifier, payload)


def _object_in(answer: bytes) -> dict[str, Any]:
    """Return the object that the answer holds; an empty one if it holds something else."""
    try:
        payload = json.loads(answer)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}
