"""When each search job was last announced, kept in DynamoDB beside the leases of the reports."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from search_coverage.aws.errors import doing
from search_coverage.names import ANNOUNCEMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient

_KEYS_A_CALL = 100  # the most that BatchGetItem takes
_KEPT = timedelta(days=8)  # a day longer than AWS knows a search job after its end
_PAUSE_SECONDS = 0.5


class Announcements:
    """Remembers announcements, so that a sweep in a fresh environment announces nothing twice."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def last(
        self, identifiers: "Iterable[str]", time_is_up: "Callable[[], bool]"
    ) -> "tuple[dict[str, datetime], set[str]]":
        """Give the moment of the last announcement of each of these search jobs that ever had one.

        Args:
            time_is_up: Tells whether to stop asking: DynamoDB may hand back keys unprocessed without end.

        Returns:
            The moments by identifier, and the identifiers that DynamoDB did not get to.
        """
        waiting = [{"id": {"S": f"{ANNOUNCEMENT}{identifier}"}} for identifier in identifiers]
        found: dict[str, datetime] = {}
        with doing("Reading when search jobs were announced"):
            while waiting and not time_is_up():
                keys, waiting = waiting[:_KEYS_A_CALL], waiting[_KEYS_A_CALL:]
                request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=request)
                for record in answer["Responses"].get(self._table, []):
                    moment = datetime.fromtimestamp(float(record["announced_at"]["N"]), UTC)
                    found[record["id"]["S"].removeprefix(ANNOUNCEMENT)] = moment
                unprocessed: Any = answer.get("UnprocessedKeys", {})
                if repeated := unprocessed.get(self._table, {}).get("Keys", []):
                    time.sleep(_PAUSE_SECONDS)  # DynamoDB has had enough for the moment
                    waiting.extend(repeated)
        return found, {key["id"]["S"].removeprefix(ANNOUNCEMENT) for key in waiting}

    def record(self, identifier: str, moment: datetime) -> None:
        """Remember that a search job was announced at this moment. DynamoDB forgets it after eight days."""
        with doing(f"Recording the announcement of search job {identifier}"):
            self._client.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": f"{ANNOUNCEMENT}{identifier}"},
                    "announced_at": {"N": str(moment.timestamp())},
                    "expiration": {"N": str(int((moment + _KEPT).timestamp()))},
                },
            )
