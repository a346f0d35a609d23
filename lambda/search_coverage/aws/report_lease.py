"""The lease on a report: a record in DynamoDB that its owner keeps alive by a counter.

The clocks of two machines are never compared. The owner increments the counter while it lives; an attempt that wants
the lease watches the counter, and takes over a lease whose counter stands still.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools import Logger

from search_coverage.aws.errors import reading
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.names import LEASE, SERVICE
from search_coverage.use_cases.ports import LeaseLost, ReportInProgress

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_RENEWED_EVERY_SECONDS = 10.0
_SECONDS_BETWEEN_LOOKS = 5.0
_LOOKS = 9  # 45 seconds without a sign of life; an owner that hangs for so long, and wakes, finds its lease lost

_KEPT_SECONDS = 24 * 60 * 60  # then DynamoDB removes the lease of an invocation that died; none lives so long

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class _Owner:
    """What the table says of a lease. Two that are equal show no sign of life in between."""

    attempt: str | None
    beats: str | None
    request_id: str | None

    def as_condition(self) -> dict[str, Any]:
        """Return the condition that the lease is as it was: what it lacked, it still lacks."""
        values = {"attempt": {"S": self.attempt}, "beats": {"N": self.beats}}
        there = {name: value for name, value in values.items() if getattr(self, name) is not None}
        parts = [f"{name} = :{name}" if name in there else f"attribute_not_exists({name})" for name in values]
        condition: dict[str, Any] = {"ConditionExpression": " AND ".join(parts)}
        if there:
            condition["ExpressionAttributeValues"] = {f":{name}": value for name, value in there.items()}
        return condition

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        members = (("attempt", "S"), ("beats", "N"), ("request_id", "S"))
        return cls(*(item.get(name, {}).get(kind) for name, kind in members))


class ReportLeases:
    """Implements `ports.Leases`: grants the lease on a report to one attempt at a time."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        subject: str = "the report of search job",
    ) -> None:
        """Take what the leases are on: with their names behind it, it completes the sentences of errors."""
        self._client = client
        self._table = table
        self._sleep = sleep
        self._subject = subject

    @contextmanager
    def hold(self, name: str, request_id: str) -> "Iterator[ReportLease]":
        """Acquire the lease, renew it while the block runs, and release it at its end."""
        lease = self.acquire(name, request_id)
        done = Event()
        thread = Thread(target=lease.renew_until, args=(done,), name="lease", daemon=True)
        thread.start()
        try:
            yield lease
        finally:
            done.set()
            thread.join(timeout=2)
            lease.release()

    def acquire(self, name: str, request_id: str) -> "ReportLease":
        """Acquire the lease on a report, or take over that of an attempt that has died.

        Args:
            request_id: The invocation's; Lambda's retries have the same.

        Raises:
            ReportInProgress: Its owner is alive. It takes up to 10 seconds to see that.
            AwsCallFailed: DynamoDB did not answer, so it is not known who holds the lease.
        """
        lease = ReportLease(self._client, self._table, name, f"{self._subject} {name}", uuid.uuid4().hex)
        owner = self._take(lease, request_id, None)
        looks = 0
        while owner and owner.attempt != lease.attempt:  # else it is ours, and only the answer got lost
            self._sleep(_SECONDS_BETWEEN_LOOKS)
            now = self._look(lease)
            if now is None:  # released
                owner, looks = self._take(lease, request_id, None), 0
            elif now != owner:
                raise ReportInProgress(lease.what, now.request_id)
            elif (looks := looks + 1) == _LOOKS:
                _logger.warning("taking over the report from an attempt that shows no sign of life")
                owner, looks = self._take(lease, request_id, owner), 0
        return lease

    def _take(self, lease: "ReportLease", request_id: str, dead: _Owner | None) -> _Owner | None:
        """Take a lease that is free, or that still is as a dead owner left it; return the owner if it is not."""
        condition = dead.as_condition() if dead else {"ConditionExpression": "attribute_not_exists(id)"}
        item: Any = {
            **lease.key,
            "attempt": {"S": lease.attempt},
            "beats": {"N": "0"},
            "request_id": {"S": request_id},
            "expiration": {"N": str(int(time.time()) + _KEPT_SECONDS)},
        }
        with reading(f"Acquiring the lease on {lease.what}"):
            try:
                self._client.put_item(
                    TableName=self._table, Item=item, ReturnValuesOnConditionCheckFailure="ALL_OLD", **condition
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                # Without an item it was there for the condition and is gone for the answer: look again.
                return _Owner.of(error.response.get("Item", {}))  # type: ignore[arg-type]
        return None

    def _look(self, lease: "ReportLease") -> _Owner | None:
        with reading(f"Reading the lease on {lease.what}"):
            answer = self._client.get_item(TableName=self._table, Key=lease.key, ConsistentRead=True)
            return _Owner.of(answer["Item"]) if "Item" in answer else None


class ReportLease:
    """The lease that an attempt holds while it works on a report.

    Attributes:
        what: The report, in words.
        attempt: Distinguishes this attempt from all others, including others for the same request.
    """

    def __init__(self, client: "DynamoDBClient", table: str, name: str, what: str, attempt: str) -> None:
        self._client = client
        self._table = table
        self.what = what
        self.attempt = attempt
        self.key: dict[str, Any] = {"id": {"S": f"{LEASE}{name}"}}

    def confirm(self) -> None:
        """Make sure that this attempt still holds the lease, and renew it; called before what only one may do."""
        with reading(f"Confirming the lease on {self.what}"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=self.key,
                    UpdateExpression="ADD beats :one",
                    ConditionExpression="attempt = :attempt",
                    ExpressionAttributeValues={":one": {"N": "1"}, ":attempt": {"S": self.attempt}},
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                raise LeaseLost(
                    f"Another attempt has taken over {self.what}; this one stops here. Lambda tries it again, in case "
                    "the other does not finish."
                ) from error

    def release(self) -> None:
        """Release the lease, unless another attempt has it. One that stays is taken over when it shows no life."""
        try:
            with reading(f"Releasing the lease on {self.what}"):
                self._client.delete_item(
                    TableName=self._table,
                    Key=self.key,
                    ConditionExpression="attempt = :attempt",
                    ExpressionAttributeValues={":attempt": {"S": self.attempt}},
                )
        except SearchCoverageError as error:
            _logger.warning(str(error))

    def renew_until(self, done: Event) -> None:
        """Renew the lease every ten seconds."""
        while not done.wait(_RENEWED_EVERY_SECONDS):
            try:
                self.confirm()
            except SearchCoverageError as error:
                _logger.warning(str(error))  # the work itself finds out before it matters
