"""Who is making which report, and whom it was told: Powertools' idempotency records, and one more a digest."""

import time
import uuid
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from search_coverage.aws.errors import doing
from search_coverage.coverage.errors import SearchCoverageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Lambda tries an event again a minute after it failed, at the earliest, and under the same request id. So a younger
# claim under that id is one of two deliveries of the same event at once, and not the claim of an attempt that died.
_DEAD_AFTER_SECONDS = 45

_TOLD_SECONDS = 8 * 24 * 60 * 60  # a day longer than AWS knows a search job after its end

# Powertools' own condition (absent, expired, or past the deadline of whoever made it), and: this very attempt, whose
# answer got lost on the way; or an earlier attempt at the same request, which is dead.
_FREE = (
    "attribute_not_exists(id) OR expiration < :now OR (#status = :in_progress AND ("
    "in_progress_expiration < :now_milliseconds OR attempt = :attempt OR "
    "(request_id = :request_id AND claimed_at < :dead_before)))"
)


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

    def confirm(self, search_job: str) -> None:
        """Make sure that the claim is still ours, just before people are told, and renew it.

        Raises:
            ClaimLost: It is not.
            AwsCallFailed: Nobody can tell.
        """
        key = self._get_key(self._get_hashed_idempotency_key(search_job) or "")  # type: ignore[arg-type]
        with doing(f"Confirming the claim on the report of search job {search_job}"):
            try:
                self.client.update_item(
                    TableName=self.table_name,
                    Key=key,
                    UpdateExpression="SET claimed_at = :now",
                    ConditionExpression="attempt = :attempt",
                    ExpressionAttributeValues={":now": _number(time.time()), ":attempt": {"S": self._attempt}},
                )
            except self.client.exceptions.ConditionalCheckFailedException as error:
                raise ClaimLost(
                    f"Another attempt has taken over the report of search job {search_job}; this one stops before it "
                    "tells anybody. Lambda tries it again, in case the other does not finish."
                ) from error

    def told(self, search_job: str, what: str, *, again: bool) -> str | None:
        """Give the id of the message by which an earlier attempt told people this, if one did.

        Args:
            search_job: The identifier of the search job.
            what: What they are to be told; if they were told something else they have to be told anew.
            again: Whether they are to be told once for this request, and not once for all.
        """
        with doing(f"Reading whether people were told of search job {search_job}"):
            answer = self.client.get_item(
                TableName=self.table_name, Key=self._told_key(search_job, again=again), ConsistentRead=True
            )
        found = answer.get("Item")
        return found["message_id"]["S"] if found and found["what"]["S"] == what else None

    def remember_told(self, search_job: str, what: str, message_id: str, *, again: bool) -> None:
        """Remember that people were told this. DynamoDB forgets it after eight days."""
        with doing(f"Recording that people were told of search job {search_job}"):
            self.client.put_item(
                TableName=self.table_name,
                Item={
                    **self._told_key(search_job, again=again),
                    "what": {"S": what},
                    "message_id": {"S": message_id},
                    "expiration": _number(int(time.time()) + _TOLD_SECONDS),
                },
            )

    def _told_key(self, search_job: str, *, again: bool) -> dict[str, dict[str, str]]:
        return {"id": {"S": f"told#{search_job}#{self._request_id}" if again else f"told#{search_job}"}}

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


def _number(value: float) -> dict[str, str]:
    return {"N": str(value)}
