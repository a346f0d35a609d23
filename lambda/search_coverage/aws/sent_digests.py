"""Which digest people got already, kept in DynamoDB beside the leases."""

import time
from typing import TYPE_CHECKING

from search_coverage.aws.errors import doing
from search_coverage.names import TOLD

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_SECONDS = 8 * 24 * 60 * 60  # a day longer than AWS knows a search job after its end


class SentDigests:
    """Remembers what people were told of a search job, so that another attempt does not tell them again."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def message_id(self, key: str, what: str) -> str | None:
        """Give the id of the message by which people were told, or None if they were not.

        Args:
            key: The search job, and the request where people are to be told once for that request.
            what: What they are to be told. Those who were told something else were not told this.

        Raises:
            AwsCallFailed: Nobody can tell.
        """
        with doing(f"Reading whether people were told of search job {key}"):
            answer = self._client.get_item(
                TableName=self._table, Key={"id": {"S": f"{TOLD}{key}"}}, ConsistentRead=True
            )
        found = answer.get("Item")
        return found["message_id"]["S"] if found and found["what"]["S"] == what else None

    def forget(self, key: str) -> None:
        """Forget that people were told, so that they are told again.

        Raises:
            AwsCallFailed: It is not forgotten.
        """
        with doing(f"Forgetting that people were told of search job {key}"):
            self._client.delete_item(TableName=self._table, Key={"id": {"S": f"{TOLD}{key}"}})

    def record(self, key: str, what: str, message_id: str) -> None:
        """Remember that people were told, for eight days.

        Raises:
            AwsCallFailed: It is not remembered.
        """
        with doing(f"Recording that people were told of search job {key}"):
            self._client.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": f"{TOLD}{key}"},
                    "what": {"S": what},
                    "message_id": {"S": message_id},
                    "expiration": {"N": str(int(time.time()) + _KEPT_SECONDS)},
                },
            )
