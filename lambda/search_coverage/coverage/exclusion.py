"""Which backups a search did not look at, and why: the classification, in one table that you can extend."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from search_coverage.coverage.backup import Backup, BackupIndex


class Reason(StrEnum):
    """Why a backup was left out of a search: a closed list."""

    PERMISSION_DENIED = "PERMISSION_DENIED"
    KMS_ACCESS_DENIED = "KMS_ACCESS_DENIED"
    INDEX_MISSING = "INDEX_MISSING"
    INDEX_PENDING = "INDEX_PENDING"
    INDEX_FAILED = "INDEX_FAILED"
    INDEX_DELETING = "INDEX_DELETING"
    ARCHIVED = "ARCHIVED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    NOT_FINISHED = "NOT_FINISHED"
    FAILED_OTHER = "FAILED_OTHER"
    REVIEW = "REVIEW"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"


def _patterns(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)


def _then(first: str, later: str) -> str:
    """Return the pattern of two parts of one sentence, in this order.

    Only the first ``first`` of a sentence is tried: it leaves ``later`` the most room. If all were tried, the time
    would grow with the square of the length of a message.
    """
    return rf"(?:^|\.)(?>[^.]*?{first})[^.]*{later}"


# To add a message: add a pattern to its reason, and the message to tests/unit/test_exclusion.py.
# The order matters: the more specific reason comes first ("index creation failed: access denied" is a failed index).
MESSAGES: dict[Reason, tuple[re.Pattern[str], ...]] = {
    Reason.KMS_ACCESS_DENIED: _patterns(
        r"\bkms",
        r"\bcmk\b",
        r"\bdecrypt",
        r"\b(encryption|customer.managed) key\b",
        r"\bkey policy\b",
        r"\bkey used to encrypt\b",
    ),
    Reason.INDEX_PENDING: _patterns(
        _then(r"\bindex\w*\b", r"\b(pending|in progress|being (created|built)|creating)\b"),
        _then(r"\bindex\w*\b", r"\bnot (yet )?(ready|active|complete\w*|available)\b"),
        _then(r"\bindex\w*\b", r"\bunavailable\b"),
        _then(r"\b(pending|creating|building)\b", r"\bindex"),
        r"\bindex_pending\b",
    ),
    Reason.INDEX_DELETING: _patterns(
        _then(r"\bindex\b", r"\b(deleting|being deleted)\b"), _then(r"\bdeleting\b", r"\bindex"), r"\bindex_deleting\b"
    ),
    Reason.ARCHIVED: _patterns(
        r"\barchived\b",
        r"\barchive (storage|tier|class)\b",
        r"\bcold (storage|tier)\b",
        r"\bstorage class\W+(is\W+)?(cold|archive)\b",
    ),
    Reason.NOT_SUPPORTED: _patterns(
        r"\bunsupported\b",
        r"\bnot (currently |yet |be )?(supported|indexable)\b",
        r"\bdoes(?: not|n't) support\b",
        r"\bair.?gapped\b",
        r"\bRAID\b|\bmulti.?disk\b",
        r"\b(dirty|corrupt\w*|unknown|no recogni[sz]able) file ?system\b",
    ),
    Reason.INDEX_FAILED: _patterns(
        _then(r"\bindex(ing)? (creation|build|job)\b", r"\b(fail\w*|error|unsuccessful)"),
        _then(r"\b(creation|build\w*) of (the |an? )?(backup )?index", r"\bfail"),
        r"(^|\bbackup |\bthe )(?<!of the )index(ing)? (has )?failed\b",
        _then(r"\bindex\w*\b", r"\b(could not|cannot) be (created|built)\b"),
        r"\b(fail\w*|unable|could not|error) (to |in |while |during )?(creat|build)\w* (?:\w+ ){0,3}index",
        r"\bindex\w* (status|state)\W+(is\W+)?failed\b",
        r"\bindex failed to (be )?(creat|buil)",  # AWS's own text, aws-facts.md §7
        r"\bindex (is )?corrupt",
        r"\bindex_failed\b",
    ),
    Reason.INDEX_MISSING: _patterns(
        r"\b(no|missing|without|without an?|lacks|lacks an?) ((valid|active|backup|search) )*index\b",
        r"\b(does not|doesn't) have an? ((valid|active|backup|search) )*index\b",
        r"\b(not|never) (been )?indexed\b",
        r"\bindex\b (is |was )?(missing|not found)\b",
        # "… index was deleted", AWS's own text (aws-facts.md §7): it is gone, so that it can be made at once.
        _then(r"\bindex\b", r"\bdeleted\b"),
        r"\bindex\b (does not|doesn't) exist\b",
        r"\bindex(ing)?\b (is |was )?(not enabled|disabled)\b",
    ),
    Reason.PERMISSION_DENIED: _patterns(
        r"\baccess ?denied",
        r"\bden(y|ied|ies|ial)\b",
        r"\b(permission|privilege)s?\b",
        r"\bnot (been )?(authori[sz]ed|allowed)\b",
        r"\bunauthori[sz]ed\b",
        r"\bforbidden\b",
        r"\b(no|not have) access\b",
        _then(r"\bassume\b", r"\brole\b"),
    ),
}
"""Patterns of status messages. AWS publishes no catalog (aws-facts.md §2), so they go by meaning; the first reason
with a matching pattern wins. What a reason means to a person is in remedies.py."""

_MESSAGE_CHARACTERS_READ = 1000  # AWS's own messages are sentences; the beginning of a long one says why

# Names and numbers say nothing about the reason: a role may be called archive-admin. Without them, many messages are
# equal, and the cache answers for them.
_NAMES = re.compile(r"\barn:\S+|(?<=vault )['\"][^'\"]*['\"]|\b\w*\d[\w-]*", re.IGNORECASE)

# DOC: an index that is not ACTIVE may show its own status in the row's Status (aws-facts.md §2).
_REASON_BY_STATUS = {
    "RUNNING": Reason.NOT_FINISHED,
    "STOPPING": Reason.NOT_FINISHED,
    "STOPPED": Reason.NOT_FINISHED,
    "PENDING": Reason.INDEX_PENDING,
    "DELETING": Reason.INDEX_DELETING,
}

REASON_BY_INDEX: dict[str | None, Reason] = {
    "PENDING": Reason.INDEX_PENDING,
    "FAILED": Reason.INDEX_FAILED,
    "DELETING": Reason.INDEX_DELETING,
}


def is_searched(status: str | None, status_message: str | None) -> bool:
    """Whether AWS clearly says that the search looked into the index: exactly COMPLETED, without a message."""
    return status == "COMPLETED" and not status_message


def exclusion_reason(backup: Backup, index: BackupIndex | None = None) -> Reason | None:
    """Return the reason why a search left a backup out, or None if it looked into its index.

    What the vault says of the index, if known, replaces guessing from the message.
    """
    if is_searched(backup.status, backup.status_message):
        return None
    return _reason_by_index(backup, index) or _reason_by_status(backup)


def _reason_by_index(backup: Backup, index: BackupIndex | None) -> Reason | None:
    """Read the state of the index. It is newer than the search, so only what cannot have changed since then counts."""
    if index is None or _REASON_BY_STATUS.get(backup.status or "") is Reason.NOT_FINISHED:
        return None
    if index.status is None:
        return Reason.INDEX_MISSING if backup.index_created is None else None
    return REASON_BY_INDEX.get(index.status)


def _reason_by_status(backup: Backup) -> Reason | None:
    match backup.status:
        case "FAILED":
            return _reason_by_message(backup.status_message) or Reason.FAILED_OTHER
        case "COMPLETED":
            return _reason_by_message(backup.status_message) or Reason.REVIEW
        case status:
            return _REASON_BY_STATUS.get(status or "", Reason.UNKNOWN_STATUS)


def _reason_by_message(message: str | None) -> Reason | None:
    return _reason_by_words(_NAMES.sub(" ", (message or "")[:_MESSAGE_CHARACTERS_READ]))


@lru_cache(maxsize=1024)
def _reason_by_words(text: str) -> Reason | None:
    for reason, patterns in MESSAGES.items():
        if any(pattern.search(text) for pattern in patterns):
            return reason
    return None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A backup that the search did not look at, and why.

    Attributes:
        index: What the vault says of the backup and its index; None if it was not asked.
        since: Since when searches with the same question leave it out, as text (see `Row`).
    """

    backup: Backup
    reason: Reason
    index: BackupIndex | None = None
    since: str | None = None

    @property
    def is_failed(self) -> bool:
        """Whether its status is FAILED."""
        return self.backup.status == "FAILED"
