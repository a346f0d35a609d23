"""Who is making which report, and whom it was told: Powertools' idempotency records, and one more a digest."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from search_coverage import SERVICE
from search_coverage.aws.errors import AwsCallFailed, doing
from search_coverage.coverage.errors import SearchCoverageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Whoever works on a report renews the claim, so that one that was not renewed is that of an attempt that died. Lambda
# tries an event again a minute after it failed, at the earliest, and under the same request id.
_RENEWED_EVERY_SECONDS = 15
_DEAD_AFTER_SECONDS = 45

_TOLD_SECONDS = 8 * 24 * 60 * 60  # a day longer than AWS knows a search job after its end

# Powertools' own condition (absent, expired, or past the deadline of whoever made it), and: this very attempt, whose
# answer got lost on the way; or an earlier attempt at the same request, which is dead.
_FREE = (
    "attribute_not_exists(id) OR expiration < :now OR (#status = :in_progress AND ("
    "in_progress_expiration < :now_milliseconds OR attempt = :attempt OR "
    "(request_id = :request_id AND claimed_at < :dead_before)))"
)

_logger = Logger(service=SERVICE, child=True)


class ClaimLost(SearchCoverageError):
    """Another attempt at the same request has taken over."""


class Claims(DynamoDBPersistenceLayer):
    """Keeps a claim for each search job that is being reported, and the answer once it is.

    Attributes:
        holder: The request that holds the claim which was refused last.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        super().__init__(table_name=table, boto3_client=client)
        self.holder: str | None = None
        self._request_id = ""
        self._attempt = ""

    def begin_attempt(self, request_id: str) -> None:
        """Make the following claims on behalf of a new attempt at this request."""
        self.holder, self._request_id, self._attempt = None, request_id, uuid.uuid4().hex

    def claim(self, search_job: str, *, again: bool) -> "Claim":
        """Give the claim that this attempt holds.

        Args:
            again: Whether people are to be told once for this request, and not once for all.
        """
        key = self._get_key(self._get_hashed_idempotency_key(search_job) or "")  # type: ignore[arg-type]
        told_key = {"id": {"S": f"told#{search_job}#{self._request_id}" if again else f"told#{search_job}"}}
        return Claim(self, search_job, self._attempt, key, told_key)

    def _put_record(self, data_record: DataRecord) -> None:
        now = time.time()
        try:
            self.client.put_item(
                TableName=self.table_name,
                Item={
                    **self._get_key(data_record.idempotency_key),
                    "expiration": _number(data_record.expiry_timestamp or 0),
                    "in_progress_expiration": _number(data_record.in_progress_expiry_timestamp or 0),
                    "status": {"S": data_record.status},
                    "request_id": {"S": self._request_id},
                    "attempt": {"S": self._attempt},
                    "claimed_at": _number(now),
                },
                ConditionExpression=_FREE,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":now": _number(now),
                    ":now_milliseconds": _number(now * 1000),
                    ":dead_before": _number(now - _DEAD_AFTER_SECONDS),
                    ":in_progress": {"S": "INPROGRESS"},
                    ":request_id": {"S": self._request_id},
                    ":attempt": {"S": self._attempt},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            found = error.response["Item"]  # type: ignore[typeddict-item]
            self.holder = found.get("request_id", {}).get("S")
            raise IdempotencyItemAlreadyExistsError(old_data_record=self._item_to_data_record(found)) from error

    def _update_record(self, data_record: DataRecord) -> None:
        """Keep the answer, unless another attempt has taken over: it will keep its own."""
        try:
            self.client.update_item(
                TableName=self.table_name,
                Key=self._get_key(data_record.idempotency_key),
                UpdateExpression="SET #data = :data, expiration = :expiration, #status = :status",
                ConditionExpression="attempt = :attempt",
                ExpressionAttributeNames={"#data": "data", "#status": "status"},
                ExpressionAttributeValues={
                    ":data": {"S": data_record.response_data},
                    ":expiration": _number(data_record.expiry_timestamp or 0),
                    ":status": {"S": data_record.status},
                    ":attempt": {"S": self._attempt},
                },
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            _logger.warning("another attempt has taken over the report meanwhile; its answer counts")

    def _delete_record(self, data_record: DataRecord) -> None:
        """Let go of our own claim, or forget an answer; the claim of another attempt stays."""
        try:
            self.client.delete_item(
                TableName=self.table_name,
                Key=self._get_key(data_record.idempotency_key),
                ConditionExpression="attempt = :attempt OR #status = :completed",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":attempt": {"S": self._attempt}, ":completed": {"S": "COMPLETED"}},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return  # gone already, or no longer ours


class Claim:
    """What an attempt holds while it works on the report of a search job: nobody else should."""

    def __init__(
        self, claims: Claims, search_job: str, attempt: str, key: dict[str, Any], told_key: dict[str, Any]
    ) -> None:
        self._client, self._table = claims.client, claims.table_name
        self._search_job = search_job
        self._attempt = attempt
        self._key = key
        self._told_key = told_key

    @contextmanager
    def kept(self) -> Iterator["Claim"]:
        """Renew the claim now and then while the block runs, so that it does not look like that of a dead attempt."""
        done = Event()
        thread = Thread(target=self._renew_until, args=(done,), name="claim", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            done.set()
            thread.join(timeout=2)

    def confirm(self) -> None:
        """Make sure that the claim is still ours, before something is done that only one may do, and renew it.

        Raises:
            ClaimLost: It is not.
            AwsCallFailed: Nobody can tell.
        """
        with doing(f"Confirming the claim on the report of search job {self._search_job}"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=self._key,
                    UpdateExpression="SET claimed_at = :now",
                    ConditionExpression="attempt = :attempt",
                    ExpressionAttributeValues={":now": _number(time.time()), ":attempt": {"S": self._attempt}},
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                raise ClaimLost(
                    f"Another attempt has taken over the report of search job {self._search_job}; this one stops "
                    "here. Lambda tries it again, in case the other does not finish."
                ) from error

    def tell_once(self, what: str, tell: Callable[[], str]) -> str:
        """Tell people, unless they were told the same by an earlier attempt.

        Args:
            what: What they are told; if they were told something else they have to be told anew. It must depend on the
                search job alone, or they are told anew by each attempt.
            tell: Tells them and gives the id of the message.

        Returns:
            The id of the message by which they were told, now or earlier.
        """
        self.confirm()
        if message_id := self._told(what):
            _logger.info("people were told already", message_id=message_id)
            return message_id
        message_id = tell()
        try:
            self._remember(what, message_id)
        except AwsCallFailed as error:
            # They were told. Only if this attempt fails later are they told again.
            _logger.warning(str(error))
        return message_id

    def _told(self, what: str) -> str | None:
        with doing(f"Reading whether people were told of search job {self._search_job}"):
            answer = self._client.get_item(TableName=self._table, Key=self._told_key, ConsistentRead=True)
        found = answer.get("Item")
        return found["message_id"]["S"] if found and found["what"]["S"] == what else None

    def _remember(self, what: str, message_id: str) -> None:
        with doing(f"Recording that people were told of search job {self._search_job}"):
            self._client.put_item(
                TableName=self._table,
                Item={
                    **self._told_key,
                    "what": {"S": what},
                    "message_id": {"S": message_id},
                    "expiration": _number(int(time.time()) + _TOLD_SECONDS),
                },
            )

    def _renew_until(self, done: Event) -> None:
        while not done.wait(_RENEWED_EVERY_SECONDS):
            try:
                self.confirm()
            except SearchCoverageError as error:
                _logger.warning(str(error))  # the work itself finds out before it matters


def _number(value: float) -> dict[str, str]:
    return {"N": str(value)}
