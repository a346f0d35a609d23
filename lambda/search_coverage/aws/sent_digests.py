"""The record of which digests were sent, kept in DynamoDB beside the leases."""

import time
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.names import SENT_DIGEST

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_SECONDS = 8 * 24 * 60 * 60  # a day longer than AWS knows a search job after its end


class SentDigests:
    """Implements `ports.SentDigests`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def message_id(self, key: str, what: str) -> str | None:
        """Read the id of the message that carried the digest."""
        with reading(f"Reading whether the digest of search job {key} was sent"):
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
            found = answer.get("Item")
            return found["message_id"]["S"] if found and found["what"]["S"] == what else None

    def forget(self, key: str) -> None:
        """Delete the record."""
        with reading(f"Deleting the record of the digest of search job {key}"):
            self._client.delete_item(TableName=self._table, Key=_key(key))

    def record(self, key: str, what: str, message_id: str) -> None:
        """Write the record; DynamoDB deletes it after eight days."""
        item: Any = {
            **_key(key),
            "what": {"S": what},
            "message_id": {"S": message_id},
            "expiration": {"N": str(int(time.time()) + _KEPT_SECONDS)},
        }
        with reading(f"Recording the digest of search job {key} as sent"):
            self._client.put_item(TableName=self._table, Item=item)


def _key(key: str) -> Any:
    return {"id": {"S": f"{SENT_DIGEST}{key}"}}
