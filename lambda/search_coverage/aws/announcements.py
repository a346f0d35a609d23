"""When each search job was last announced, kept in DynamoDB beside the leases of the reports."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import reading
from search_coverage.names import ANNOUNCEMENT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEYS_PER_CALL = 100  # the most that BatchGetItem takes
_KEPT = timedelta(days=8)  # a day longer than AWS knows a search job after its end
_PAUSE_SECONDS = 0.5


class Announcements:
    """Implements `ports.Announcements`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def last(self, identifiers: Iterable[str], time_is_up: Callable[[], bool]) -> tuple[dict[str, datetime], set[str]]:
        """Read the records. DynamoDB may return keys unprocessed without end."""
        waiting: list[Any] = [_key(identifier) for identifier in identifiers]
        found: dict[str, datetime] = {}
        while waiting and not time_is_up():
            keys, waiting = waiting[:_KEYS_PER_CALL], waiting[_KEYS_PER_CALL:]
            records, unprocessed = self._read(keys)
            found.update(records)
            if unprocessed:
                time.sleep(_PAUSE_SECONDS)  # DynamoDB throttles
                waiting.extend(unprocessed)
        return found, {key["id"]["S"].removeprefix(ANNOUNCEMENT) for key in waiting}

    def record(self, identifier: str, moment: datetime) -> None:
        """Write the record; DynamoDB deletes it after eight days."""
        item: Any = {
            **_key(identifier),
            "announced_at": {"N": str(moment.timestamp())},
            "expiration": {"N": str(int((moment + _KEPT).timestamp()))},
        }
        with reading(f"Recording the announcement of search job {identifier}"):
            self._client.put_item(TableName=self._table, Item=item)

    def _read(self, keys: list[Any]) -> tuple[dict[str, datetime], list[Any]]:
        """Read the records of some keys; return the moments by identifier, and the keys that were not processed."""
        request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        with reading("Reading when search jobs were announced"):
            answer: Any = self._client.batch_get_item(RequestItems=request)
            moments = {
                record["id"]["S"].removeprefix(ANNOUNCEMENT): datetime.fromtimestamp(
                    float(record["announced_at"]["N"]), UTC
                )
                for record in answer["Responses"].get(self._table, [])
            }
            return moments, answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])


def _key(identifier: str) -> Any:
    return {"id": {"S": f"{ANNOUNCEMENT}{identifier}"}}
