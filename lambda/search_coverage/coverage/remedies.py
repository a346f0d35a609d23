"""What each reason means and what to do about it: one table, which page, mail and CSV all read.

Sources: AWS Backup's guide (backup-search.html, backup-access-points.html), IAM's managed policies and the API
references, as collected in aws-facts.md §3, §4 and §7. Where AWS documents no remedy, the table says so.
How a command gets the values of a backup is in remedy_commands.py.
"""

from dataclasses import dataclass, replace
from typing import Any

from search_coverage.coverage.exclusion import Reason

BACKUPS_IN_A_SEARCH = 20
"""How many recovery points one search job takes (quota, aws-facts.md §2)."""

_GUIDE = "https://docs.aws.amazon.com/aws-backup/latest/devguide"
_SEARCH_GUIDE = f"{_GUIDE}/backup-search.html"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a reason means, and what to do about it.

    Attributes:
        title: The reason in a few words.
        meaning: What happened.
        why: Why it matters.
        remedy: What to do, in one or two sentences.
        commands: AWS CLI commands for one backup, with ``{names}`` for its values; the one that helps comes first.
        link: The page of AWS that says more.
        reading: Commands that read the backup without an index: another way, not the next step.
        after_reading: Commands that remove what ``reading`` made.
        documented: Whether AWS documents a way to look for files or objects in the backup without restoring it.
        searchable: Whether a search can look into the backup after the commands have run.
    """

    title: str
    meaning: str
    why: str
    remedy: str
    commands: tuple[str, ...] = ()
    link: str = _SEARCH_GUIDE
    reading: tuple[str, ...] = ()
    after_reading: tuple[str, ...] = ()
    documented: bool = True
    searchable: bool = True

    @property
    def orders_an_index(self) -> bool:
        """Whether a command orders an index on demand, of which AWS makes one at a time (aws-facts.md §7)."""
        return CREATE_INDEX in self.commands


_POINT = "--backup-vault-name {vault} --recovery-point-arn {recovery_point_arn}"
_INDEX_DETAILS = f"aws backup get-recovery-point-index-details {_POINT}"
INDEX_STATUS = f"{_INDEX_DETAILS} --query IndexStatus --output text"
CREATE_INDEX = f"aws backup update-recovery-point-index-settings {_POINT} --index ENABLED --iam-role-arn {{role_arn}}"
_DESCRIBE = f"aws backup describe-recovery-point {_POINT}"
_ATTACH_POLICY = "aws iam attach-role-policy --role-name {%s} --policy-arn arn:{partition}:iam::aws:policy/%s"
_RESTORE = (
    (
        f"aws backup get-recovery-point-restore-metadata {_POINT} --query RestoreMetadata --output json "
        "> restore-metadata.json"
    ),
    (
        "aws backup start-restore-job --recovery-point-arn {recovery_point_arn} "
        "--metadata file://restore-metadata.json --iam-role-arn {role_arn}"
    ),
)
_COPY = (
    "aws backup start-copy-job --recovery-point-arn {recovery_point_arn} --source-backup-vault-name {vault} "
    "--destination-backup-vault-arn {arn_of_a_standard_vault} --iam-role-arn {role_arn}"
)
_ACCESS_POINT = (
    (
        "aws backup create-backup-access-point --recovery-point-arn {recovery_point_arn} --name {name_of_your_choice} "
        "--access-point-metadata {point_in_time}"
    ),
    (
        "aws backup describe-backup-access-point --access-point-arn {access_point_arn} "
        "--query '[Status,AccessPointMetadata.S3AccessPointAlias]' --output text"
    ),
    (
        "aws s3api list-object-versions --bucket {alias_of_the_access_point} --prefix {key_prefix} --query {versions} "
        "--output text"
    ),
)
_DELETE_ACCESS_POINT = ("aws backup delete-backup-access-point --access-point-arn {access_point_arn}",)

_THE_INDEX_AND_SEARCH_AGAIN = (
    "(aws backup update-recovery-point-index-settings --index ENABLED), wait until it is ACTIVE, then search again."
)
_INDEXING_POLICY = "AWSBackupServiceRolePolicyForIndexing"

REMEDIES: dict[Reason, Remedy] = {
    Reason.NOT_FINISHED: Remedy(
        "Search ended too early",
        "The search ended before it had looked into the backup.",
        "What you look for may be in the part that the search did not reach.",
        "Start the search again and let it run to its end.",
    ),
    Reason.INDEX_PENDING: Remedy(
        "Index not ready yet",
        "The index of the backup was not ready when the search ran.",
        "A search reads the index, not the backup: until the index is ACTIVE, nothing in this backup can be found.",
        "Wait until the index is ACTIVE (aws backup get-recovery-point-index-details), then search again.",
        (_INDEX_DETAILS,),
        f"{_GUIDE}/API_GetRecoveryPointIndexDetails.html",
    ),
    Reason.INDEX_MISSING: Remedy(
        "No index",
        "The backup has no index, so a search cannot look into it.",
        "A search passes over backups without an index, whatever is in them.",
        f"Create the index {_THE_INDEX_AND_SEARCH_AGAIN} For new backups turn on indexing in the backup plan.",
        (CREATE_INDEX, _INDEX_DETAILS),
    ),
    Reason.INDEX_DELETING: Remedy(
        "Index being deleted",
        "The index of the backup is being deleted.",
        "Without its index the backup stays out of every search from now on.",
        f"Wait until the index is gone, create it again {_THE_INDEX_AND_SEARCH_AGAIN}",
        (_INDEX_DETAILS, CREATE_INDEX),
    ),
    Reason.REVIEW: Remedy(
        "Perhaps not searched",
        "AWS calls the backup searched, but adds a message that puts it in doubt; or the backup has an index, and the "
        "search does not list it.",
        "Part of the backup, or all of it, may not have been looked at.",
        "Read the status message, if there is one, and decide whether the backup was searched whole. One that is not "
        "listed may have got its index after the search, or be beyond the "
        f"{BACKUPS_IN_A_SEARCH} recovery points that a search takes by default. If in doubt, search it again on its "
        "own.",
    ),
    Reason.UNKNOWN_STATUS: Remedy(
        "Status not understood",
        "AWS gave a status, or none, that does not say that the backup was searched.",
        "What does not clearly count as searched may not have been looked at.",
        "Count the backup as not searched, and search it again; if this comes back, ask AWS Support what the status "
        "means.",
    ),
    Reason.PERMISSION_DENIED: Remedy(
        "Permission denied",
        "The search was not allowed to look into the backup.",
        "The backup may hold what you look for; the search was turned away, which is not the same as finding nothing.",
        "Allow backup:SearchRecoveryPoint (and backup:ListIndexedRecoveryPointsForSearch) on the backup to whoever "
        "starts the search, check the vault's access policy, then search again.",
        (
            _ATTACH_POLICY % ("role_that_searches", "AWSBackupSearchOperatorAccess"),
            "aws backup get-backup-vault-access-policy --backup-vault-name {vault}",
        ),
        f"{_SEARCH_GUIDE}#backup-search-access",
    ),
    Reason.KMS_ACCESS_DENIED: Remedy(
        "KMS key not allowed",
        "The search was not allowed to use the KMS key of the backup.",
        "The backup cannot be decrypted without its key, so the search saw nothing of it.",
        "Allow kms:Decrypt on the backup's customer managed key (key policy and identity policy) to whoever starts the "
        "search, then search again.",
        (
            f"{_DESCRIBE} --query EncryptionKeyArn --output text",
            "aws kms get-key-policy --key-id {key_arn} --policy-name default --query Policy --output text",
        ),
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
    ),
    Reason.INDEX_FAILED: Remedy(
        "Index failed",
        "The index of the backup could not be made.",
        "A search reads the index, not the backup: without one, nothing in this backup can be found.",
        f"Give the backup role {_INDEXING_POLICY}, which backups of EBS alone need; create the index again "
        f"{_THE_INDEX_AND_SEARCH_AGAIN}",
        (_INDEX_DETAILS, _ATTACH_POLICY % ("role_name", _INDEXING_POLICY), CREATE_INDEX),
        f"{_GUIDE}/security-iam-awsmanpol.html#{_INDEXING_POLICY}",
    ),
    Reason.FAILED_OTHER: Remedy(
        "Failed, cause unclear",
        "The search failed on this backup for a reason that its message does not make clear.",
        "The search says nothing about what is in this backup.",
        "Read the status message; search again, and if the backup fails again, restore it to look inside or ask AWS "
        "Support.",
        (_INDEX_DETAILS,),
    ),
    Reason.ARCHIVED: Remedy(
        "In cold storage",
        "The backup is in cold storage, which a search cannot read.",
        "What is only in an archived backup cannot be found by any search; old backups are often the ones that matter "
        "when you ask how far back something goes.",
        "AWS documents no way to search a backup in cold storage or the EBS archive tier: restore it and look inside. "
        "AWS says that leaving the EBS archive tier takes up to 72 hours.",
        (f"{_DESCRIBE} --query StorageClass --output text", *_RESTORE),
        f"{_GUIDE}/restoring-ebs.html",
        documented=False,
        searchable=False,
    ),
    Reason.NOT_SUPPORTED: Remedy(
        "Cannot be indexed",
        "AWS Backup cannot index this kind of backup, vault, disk layout or file system.",
        "No search will ever look into this backup where it is.",
        "AWS documents no way to search it where it is: restore it and look inside, or copy it to a vault that can be "
        "indexed.",
        (_COPY, *_RESTORE),
        documented=False,
        searchable=False,
    ),
}
"""In the order of the effort: first what is done soonest and with the fewest rights."""

_READ_THE_OBJECTS = (
    "read the objects without an index and without a restore through a backup access point (aws backup "
    "create-backup-access-point), and delete it when you are done: while it exists, AWS pauses the scheduled deletion "
    "of the backup and refuses its manual deletion; a backup takes at most 5."
)


def _through_an_access_point(reason: Reason, remedy: str, **changes: Any) -> Remedy:
    return replace(
        REMEDIES[reason],
        remedy=remedy,
        link=f"{_GUIDE}/backup-access-points.html",
        reading=_ACCESS_POINT,
        after_reading=_DELETE_ACCESS_POINT,
        **changes,
    )


_FOR_S3: dict[Reason, Remedy] = {
    Reason.INDEX_MISSING: _through_an_access_point(
        Reason.INDEX_MISSING, f"{REMEDIES[Reason.INDEX_MISSING].remedy} Or {_READ_THE_OBJECTS}"
    ),
    Reason.INDEX_FAILED: _through_an_access_point(
        Reason.INDEX_FAILED,
        f"Read why (aws backup get-recovery-point-index-details), create the index again {_THE_INDEX_AND_SEARCH_AGAIN} "
        f"Backups of S3 need no permission for their index. Or {_READ_THE_OBJECTS}",
        commands=(_INDEX_DETAILS, CREATE_INDEX),
    ),
    Reason.NOT_SUPPORTED: _through_an_access_point(
        Reason.NOT_SUPPORTED,
        f"Do not wait for a search: {_READ_THE_OBJECTS} This works in logically air-gapped vaults, too.",
        why="No search will ever look into this backup where it is, but you can.",
        commands=(),
        documented=True,
    ),
}
"""What differs for backups of S3: they need no permission for their index, and can be read without one."""

IN_AN_AIR_GAPPED_VAULT = replace(
    REMEDIES[Reason.NOT_SUPPORTED],
    title="In an air-gapped vault",
    meaning="The backup is in a logically air-gapped vault, where AWS Backup makes no index.",
    why="No search will ever look into it where it is.",
    remedy="Keep a backup in a standard vault as well, by a plan whose rule makes indexes; until then, copy this one "
    "to a standard vault and index the copy. Objects of S3 can also be read where they are, through a backup access "
    "point (aws backup create-backup-access-point).",
    commands=(_COPY,),
)
"""What to do before a search; in the middle of one, what `remedy_of` says of NOT_SUPPORTED helps sooner."""


def remedy_of(reason: Reason, resource_type: str | None) -> Remedy:
    """Return the remedy of a reason for backups of a type; None stands for any."""
    return _FOR_S3.get(reason, REMEDIES[reason]) if resource_type == "S3" else REMEDIES[reason]
