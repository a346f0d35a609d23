"""Moments as the one text form that every file, message and event uses."""

from datetime import UTC, datetime


def utc_text(moment: datetime | float | None) -> str | None:
    """Write a moment as ISO 8601 in UTC with ``Z``, with milliseconds only where there are any.

    Args:
        moment: An aware datetime, or seconds since the epoch as AWS Backup sends them, or nothing.

    Returns:
        For example ``2026-11-20T10:00:00Z``, or None for nothing.
    """
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
