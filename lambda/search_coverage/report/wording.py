"""What the page and the mail say in the same words: each sentence, and the words for AWS's codes, once."""

from datetime import UTC, datetime

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.verdict import InventoryStatus, Verdict

METADATA_ONLY = "A search compares names, sizes and times. It never reads what is inside a file or an object."
"""What a search looks at (aws-facts.md §7)."""

NOT_COMPARED = (
    "Backups without an index may be missing from the list that AWS gives; it was not compared with the vaults."
)
"""What every report without an inventory of the vaults has to say."""

_VERDICTS = {Verdict.COMPLETE: "COMPLETE", Verdict.PARTIAL: "PARTIAL", Verdict.NONE: "Nothing searched"}

_NOT_PROOF = (
    f"{METADATA_ONLY} What it did not find is in none of the indexes that it searched; "
    "this does not prove that a text, or a person's data, is in no backup."
)
_TRUST = {
    Verdict.COMPLETE: f"No backup in its scope was left out. {_NOT_PROOF}",
    Verdict.PARTIAL: (
        "Do NOT read this result as complete: what was not found may be in a backup that was not searched."
    ),
    Verdict.NONE: "The result of this search says nothing about your backups.",
}
_TRUST_NOT_COMPARED = f"No backup that AWS lists for it was left out. {_NOT_PROOF}"

_TYPES = {"S3": "S3 bucket", "EBS": "EBS volume"}
_STATUSES = {
    "RUNNING": "Running",
    "COMPLETED": "Completed",
    "STOPPING": "Stopping",
    "STOPPED": "Stopped",
    "FAILED": "Failed",
    "PENDING": "Pending",
    "ACTIVE": "Active",
    "DELETING": "Deleting",
}


def verdict_in_words(verdict: Verdict) -> str:
    """Give the name of a verdict for people."""
    return _VERDICTS[verdict]


def trust(verdict: Verdict, inventory: InventoryStatus) -> str:
    """Say how far the result can be trusted, in words that claim no more than a search of metadata shows."""
    if verdict is Verdict.COMPLETE and inventory is InventoryStatus.OFF:
        return _TRUST_NOT_COMPARED
    return _TRUST[verdict]


def reason_in_words(code: str) -> str:
    """Give the title of a reason."""
    return REMEDIES[Reason(code)].title


def type_in_words(code: str) -> str:
    """Name a resource type; one that is not known keeps its code."""
    return _TYPES.get(code, code)


def status_in_words(code: str) -> str:
    """Name a status of a search job, of a backup in it, or of an index; one that is not known keeps its code."""
    return _STATUSES.get(code, code)


def moment_in_words(moment: datetime | float) -> str:
    """Write a moment in the one form that people read: 20 Nov 2026 09:05:30 UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return f"{moment.astimezone(UTC):%-d %b %Y %H:%M:%S} UTC"
