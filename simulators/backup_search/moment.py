"""Times in scenarios and vaults: fixed, or counted back from an event."""

from datetime import datetime, timedelta

Moment = datetime | timedelta
"""A fixed time, or how long before an event (a search job's creation, the filling of a vault)."""


def time_of(moment: Moment, event: datetime) -> datetime:
    """Returns the time that is meant.

    Args:
        moment: The moment.
        event: What a span is counted back from.
    """
    return event - moment if isinstance(moment, timedelta) else moment
