"""The sections of the runbook that a finding can point to."""

from enum import StrEnum
from typing import Final

RUNBOOK: Final = "docs/operations.md"


class Section(StrEnum):
    """A heading of the runbook, word for word."""

    DOCTOR = "Is everything in order"
    THROTTLED = "Reports are throttled"
    NOT_KEPT = "A failure could not be kept"
    SWEEPS_FAIL = "Sweeps fail"
    OVERDUE = "A search job has no report for an hour"
    FAILURE_QUEUE = "A message in the failure queue"
    RULE_QUEUE = "A message in the dead-letter queue of the rule"
    SCHEDULE_QUEUE = "A message in the dead-letter queue of the schedule"
    SILENT = "The watch is silent"
    POSTURE_FAILED = "A posture failed"
    POSTURE_MISSING = "There is no whole posture"
    POSTURE_QUEUE = "A message in the dead-letter queue of the posture"
    ALARMS = "Before you begin"
    CHANGED = "Find configuration drift"
    TABLE_DELETED = "The table was deleted"
    SEARCH_KEYS = "Search jobs encrypted with a customer managed key"
    UPGRADE = "Upgrade"
    REMOVE = "Remove"
