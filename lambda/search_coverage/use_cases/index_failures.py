"""What AWS says of indexes that fail: recorded when it says so, and read again for the next posture."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from search_coverage.coverage.posture import IndexFailure, IndexFailures
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.posture.keys import index_failure_key, index_failures_prefix
from search_coverage.use_cases.posture_ports import PostureStore

_EXAMPLES = 20
_LOOKS_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FailedIndexes:
    """The record of failed indexes of an account and a Region."""

    store: PostureStore
    account: str
    region: str

    def record(self, failure: IndexFailure, at: datetime, event_id: str) -> None:
        """Record what an event says; the same event is recorded once."""
        content = {
            "version": 1,
            "recoveryPointArn": failure.recovery_point_arn,
            "message": failure.message,
            "at": utc_text(at),
        }
        self.store.put_once(index_failure_key(self.account, self.region, at, event_id), content)

    def since(self, moment: datetime | None, now: datetime) -> IndexFailures:
        """Read what AWS said from a moment, or from 30 days ago, until now; the latest are named.

        What it says later is of the next posture, so that no failure is in two of them.
        """
        first = max(filter(None, (moment, now - _LOOKS_BACK)))
        prefix = index_failures_prefix(self.account, self.region)
        count, latest = 0, deque[str](maxlen=_EXAMPLES)
        for key in self.store.keys_between(prefix, *(f"{prefix}{each:%Y/%m/%d/%H%M%S}" for each in (first, now))):
            count += 1
            latest.append(key)
        found = [self._read(key) for key in reversed(latest)]
        return IndexFailures(count, first, tuple(filter(None, found)))

    def _read(self, key: str) -> IndexFailure | None:
        stored = self.store.stored_json(key)
        content = (stored.content if stored else None) or {}
        arn, message, at = (content.get(name) for name in ("recoveryPointArn", "message", "at"))
        if not isinstance(arn, str):
            return None
        try:
            moment = datetime.fromisoformat(str(at)).astimezone(UTC)
        except ValueError:
            moment = None
        return IndexFailure(arn, message if isinstance(message, str) else None, moment)
