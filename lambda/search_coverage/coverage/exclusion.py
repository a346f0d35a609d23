"""Which backups a search did not look at, and why: the classification, in one table that you can extend."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from search_coverage.coverage.backup import Backup


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


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reason means to a person.

    Attributes:
        meaning: What happened, in a few plain words.
        remedy: What to do about it, in one or two sentences.
        messages: Patterns of status messages that say so. AWS publishes no catalogue (aws-facts.md §2), so they go by
            meaning; the first reason in the table with a pattern that is found wins.
    """

    meaning: str
    remedy: str
    messages: tuple[re.Pattern[str], ...] = ()


def _patterns(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)


# To teach the product a message: add a pattern to its reason, and the message to tests/unit/test_exclusion.py.
# The order matters: what is more telling stands first ("index creation failed: access denied" is a failed index).
EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.KMS_ACCESS_DENIED: Explanation(
        "The search was not allowed to use the KMS key of the backup.",
        "Allow kms:Decrypt on the backup's customer managed key (key policy and identity policy) to whoever starts the "
        "search, then search again.",
        _patterns(
            r"\bkms",
            r"\bcmk\b",
            r"\bdecrypt",
            r"\b(encryption|customer.managed) key\b",
            r"\bkey policy\b",
            r"\bkey used to encrypt\b",
        ),
    ),
    Reason.INDEX_PENDING: Explanation(
        "The index of the backup was not ready when the search ran.",
        "Wait until the index is ACTIVE (aws backup get-recovery-point-index-details), then search again.",
        _patterns(
            r"\bindex\w*\b[^.]*\b(pending|in progress|being (created|built)|creating)\b",
            r"\bindex\w*\b[^.]*\bnot (yet )?(ready|active|complete\w*|available)\b",
            r"\bindex\w*\b[^.]*\bunavailable\b",
            r"\b(pending|creating|building)\b[^.]*\bindex",
            r"\bindex_pending\b",
        ),
    ),
    Reason.INDEX_DELETING: Explanation(
        "The index of the backup is being deleted.",
        "Wait until the index is gone, create it again (aws backup update-recovery-point-index-settings --index "
        "ENABLED), wait until it is ACTIVE, then search again.",
        _patterns(r"\bindex\b[^.]*\bdelet(ing|ed)\b", r"\bdeleting\b[^.]*\bindex", r"\bindex_deleting\b"),
    ),
    Reason.ARCHIVED: Explanation(
        "The backup is in cold storage, which a search cannot read.",
        "AWS documents no way to search a backup in cold storage or the EBS archive tier: restore it and look inside.",
        _patterns(
            r"\barchived\b",
            r"\barchive (storage|tier|class)\b",
            r"\bcold (storage|tier)\b",
            r"\bstorage class\W+(is\W+)?(cold|archive)\b",
        ),
    ),
    Reason.NOT_SUPPORTED: Explanation(
        "AWS Backup cannot index this kind of backup, vault, disk layout or file system.",
        "AWS documents no way to search it where it is: restore it and look inside, or copy it to a vault that can be "
        "indexed.",
        _patterns(
            r"\bunsupported\b",
            r"\bnot (currently |yet |be )?(supported|indexable)\b",
            r"\bdoes(?: not|n't) support\b",
            r"\bair.?gapped\b",
            r"\bRAID\b|\bmulti.?disk\b",
            r"\b(dirty|corrupt\w*|unknown|no recogni[sz]able) file ?system\b",
        ),
    ),
    Reason.INDEX_FAILED: Explanation(
        "The index of the backup could not be made.",
        "Give the backup role AWSBackupServiceRolePolicyForIndexing, create the index again (aws backup "
        "update-recovery-point-index-settings --index ENABLED), wait until it is ACTIVE, then search again.",
        _patterns(
            r"\bindex(ing)? (creation|build|job)\b[^.]*\b(fail\w*|error|unsuccessful)",
            r"\b(creation|build\w*) of (the |an? )?(backup )?index[^.]*\bfail",
            r"(^|\bbackup |\bthe )(?<!of the )index(ing)? (has )?failed\b",
            r"\bindex\w*\b[^.]*\b(could not|cannot) be (created|built)\b",
            r"\b(fail\w*|unable|could not|error) (to |in |while |during )?(creat|build)\w* (?:\w+ ){0,3}index",
            r"\bindex\w* (status|state)\W+(is\W+)?failed\b",
            r"\bindex (is )?corrupt",
            r"\bindex_failed\b",
        ),
    ),
    Reason.INDEX_MISSING: Explanation(
        "The backup has no index, so a search cannot look into it.",
        "Create the index (aws backup update-recovery-point-index-settings --index ENABLED), wait until it is ACTIVE, "
        "then search again. For new backups turn on indexing in the backup plan.",
        _patterns(
            r"\b(no|missing|without|without an?|lacks|lacks an?) ((valid|active|backup|search) )*index\b",
            r"\b(does not|doesn't) have an? ((valid|active|backup|search) )*index\b",
            r"\b(not|never) (been )?indexed\b",
            r"\bindex\b (is |was )?(missing|not found)\b",
            r"\bindex\b (does not|doesn't) exist\b",
            r"\bindex(ing)?\b (is |was )?(not enabled|disabled)\b",
        ),
    ),
    Reason.PERMISSION_DENIED: Explanation(
        "The search was not allowed to look into the backup.",
        "Allow backup:SearchRecoveryPoint (and backup:ListIndexedRecoveryPointsForSearch) on the backup to whoever "
        "starts the search, check the vault's access policy, then search again.",
        _patterns(
            r"\baccess ?denied",
            r"\bden(y|ied|ies|ial)\b",
            r"\b(permission|privilege)s?\b",
            r"\bnot (been )?(authori[sz]ed|allowed)\b",
            r"\bunauthori[sz]ed\b",
            r"\bforbidden\b",
            r"\b(no|not have) access\b",
            r"\bassume\b[^.]*\brole\b",
        ),
    ),
    Reason.NOT_FINISHED: Explanation(
        "The search ended before it had looked into the backup.",
        "Start the search again and let it run to its end.",
    ),
    Reason.FAILED_OTHER: Explanation(
        "The search failed on this backup for a reason that its message does not make clear.",
        "Read the status message; search again, and if the backup fails again, restore it to look inside or ask AWS "
        "Support.",
    ),
    Reason.REVIEW: Explanation(
        "AWS calls the backup searched, but adds a message that puts it in doubt.",
        "Read the status message and decide whether the backup was searched whole; if in doubt, search it again.",
    ),
    Reason.UNKNOWN_STATUS: Explanation(
        "AWS gave a status, or none, that does not say that the backup was searched.",
        "Count the backup as not searched, and search it again; if this comes back, ask AWS Support what the status "
        "means.",
    ),
}

_MESSAGE_CHARACTERS_READ = 4000

# Names and numbers say nothing about the reason: a role may be called archive-admin. Without them, the messages of many
# backups are the same, and are looked at once.
_NAMES = re.compile(r"\barn:\S+|(?<=vault )['\"][^'\"]*['\"]|\b\w*\d[\w-]*", re.IGNORECASE)

# DOC: an index that is not ACTIVE may show its own status in the row's Status (aws-facts.md §2).
_REASON_BY_STATUS = {
    "RUNNING": Reason.NOT_FINISHED,
    "STOPPING": Reason.NOT_FINISHED,
    "STOPPED": Reason.NOT_FINISHED,
    "PENDING": Reason.INDEX_PENDING,
    "DELETING": Reason.INDEX_DELETING,
}


def is_searched(status: str | None, status_message: str | None) -> bool:
    """Whether AWS says, clearly, that the search looked inside: exactly COMPLETED, and nothing to add."""
    return status == "COMPLETED" and not status_message


def exclusion_reason(backup: Backup) -> Reason | None:
    """Say why a search left a backup out, or None if it looked inside."""
    if is_searched(backup.status, backup.status_message):
        return None
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
    for reason, explanation in EXPLANATIONS.items():
        if any(pattern.search(text) for pattern in explanation.messages):
            return reason
    return None


@dataclass(frozen=True, slots=True)
class BackupIndex:
    """What a vault says of a backup and its index.

    Attributes:
        vault: The name of the vault.
        status: PENDING, ACTIVE, FAILED or DELETING; None if the backup was never indexed (aws-facts.md §3).
        status_message: What AWS adds to it.
        role_arn: The role that made the backup, which can also make its index.
    """

    vault: str | None = None
    status: str | None = None
    status_message: str | None = None
    role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A backup that the search did not look at, and why.

    Attributes:
        index: What the vault says of the backup and its index; None where nobody asked it.
    """

    backup: Backup
    reason: Reason
    index: BackupIndex | None = None

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return EXPLANATIONS[self.reason].remedy

    @property
    def is_failed(self) -> bool:
        """Whether AWS itself calls it FAILED."""
        return self.backup.status == "FAILED"
