"""What each reason means to a person and what to do about it: one table, which page, mail and CSV all read.

Sources: AWS Backup's guide (backup-search.html), IAM's managed policies and the API references, as collected in
aws-facts.md §3 and §4. Where AWS documents no remedy, the table says so.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from search_coverage.coverage.exclusion import Exclusion, Reason

BACKUPS_IN_A_SEARCH = 20
"""How many recovery points one search job takes (quota, aws-facts.md §2)."""

_GUIDE = "https://docs.aws.amazon.com/aws-backup/latest/devguide"
_SEARCH_GUIDE = f"{_GUIDE}/backup-search.html"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a reason means, and what to do about it.

    Attributes:
        title: The reason in a few words.
        meaning: What happened, in plain words.
        why: Why it matters.
        remedy: What to do, in one or two sentences.
        commands: AWS CLI commands for one backup, with ``{names}`` for its values; the one that mends comes first.
        link: The page of AWS that says more.
        effort: A rank; what is done soonest and with the fewest rights has the lowest.
        documented: Whether AWS documents a way to have the backup searched.
    """

    title: str
    meaning: str
    why: str
    remedy: str
    commands: tuple[str, ...]
    link: str
    effort: int
    documented: bool = True


_INDEX_DETAILS = "aws backup get-recovery-point-index-details --backup-vault-name {vault} --recovery-point-arn {backup}"
_CREATE_INDEX = (
    "aws backup update-recovery-point-index-settings --backup-vault-name {vault} --recovery-point-arn {backup} "
    "--index ENABLED --iam-role-arn {role}"
)
_DESCRIBE = "aws backup describe-recovery-point --backup-vault-name {vault} --recovery-point-arn {backup}"
_FIND_VAULT = (
    "aws backup list-recovery-points-by-resource --resource-arn {source} --query {vault_of_backup} --output text"
)
_RESTORE = (
    (
        "aws backup get-recovery-point-restore-metadata --backup-vault-name {vault} --recovery-point-arn {backup} "
        "--query RestoreMetadata --output json > restore-metadata.json"
    ),
    (
        "aws backup start-restore-job --recovery-point-arn {backup} --metadata file://restore-metadata.json "
        "--iam-role-arn {role}"
    ),
)

REMEDIES: dict[Reason, Remedy] = {
    Reason.NOT_FINISHED: Remedy(
        "Search ended too early",
        "The search ended before it had looked into the backup.",
        "What you look for may be in the part that the search did not reach.",
        "Start the search again and let it run to its end.",
        (),
        _SEARCH_GUIDE,
        effort=1,
    ),
    Reason.INDEX_PENDING: Remedy(
        "Index not ready yet",
        "The index of the backup was not ready when the search ran.",
        "A search reads the index, not the backup: until the index is ACTIVE, nothing in this backup can be found.",
        "Wait until the index is ACTIVE (aws backup get-recovery-point-index-details), then search again.",
        (_INDEX_DETAILS,),
        f"{_GUIDE}/API_GetRecoveryPointIndexDetails.html",
        effort=2,
    ),
    Reason.INDEX_MISSING: Remedy(
        "No index",
        "The backup has no index, so a search cannot look into it.",
        "A search passes over backups without an index, whatever is in them.",
        "Create the index (aws backup update-recovery-point-index-settings --index ENABLED), wait until it is ACTIVE, "
        "then search again. For new backups turn on indexing in the backup plan.",
        (_CREATE_INDEX, _INDEX_DETAILS),
        _SEARCH_GUIDE,
        effort=3,
    ),
    Reason.INDEX_DELETING: Remedy(
        "Index being deleted",
        "The index of the backup is being deleted.",
        "Without its index the backup stays out of every search from now on.",
        "Wait until the index is gone, create it again (aws backup update-recovery-point-index-settings --index "
        "ENABLED), wait until it is ACTIVE, then search again.",
        (_INDEX_DETAILS, _CREATE_INDEX),
        _SEARCH_GUIDE,
        effort=4,
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
        (),
        _SEARCH_GUIDE,
        effort=5,
    ),
    Reason.UNKNOWN_STATUS: Remedy(
        "Status not understood",
        "AWS gave a status, or none, that does not say that the backup was searched.",
        "What does not clearly count as searched may not have been looked at.",
        "Count the backup as not searched, and search it again; if this comes back, ask AWS Support what the status "
        "means.",
        (),
        _SEARCH_GUIDE,
        effort=6,
    ),
    Reason.PERMISSION_DENIED: Remedy(
        "Permission denied",
        "The search was not allowed to look into the backup.",
        "The backup may hold what you look for; the search was turned away, which is not the same as finding nothing.",
        "Allow backup:SearchRecoveryPoint (and backup:ListIndexedRecoveryPointsForSearch) on the backup to whoever "
        "starts the search, check the vault's access policy, then search again.",
        (
            (
                "aws iam attach-role-policy --role-name {searcher} "
                "--policy-arn arn:{partition}:iam::aws:policy/AWSBackupSearchOperatorAccess"
            ),
            "aws backup get-backup-vault-access-policy --backup-vault-name {vault}",
        ),
        f"{_SEARCH_GUIDE}#backup-search-access",
        effort=7,
    ),
    Reason.KMS_ACCESS_DENIED: Remedy(
        "KMS key not allowed",
        "The search was not allowed to use the KMS key of the backup.",
        "The backup cannot be decrypted without its key, so the search saw nothing of it.",
        "Allow kms:Decrypt on the backup's customer managed key (key policy and identity policy) to whoever starts the "
        "search, then search again.",
        (
            f"{_DESCRIBE} --query EncryptionKeyArn --output text",
            "aws kms get-key-policy --key-id {key} --policy-name default --query Policy --output text",
        ),
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
        effort=8,
    ),
    Reason.INDEX_FAILED: Remedy(
        "Index failed",
        "The index of the backup could not be made.",
        "A search reads the index, not the backup: without one, nothing in this backup can be found.",
        "Give the backup role AWSBackupServiceRolePolicyForIndexing, create the index again (aws backup "
        "update-recovery-point-index-settings --index ENABLED), wait until it is ACTIVE, then search again.",
        (
            _INDEX_DETAILS,
            (
                "aws iam attach-role-policy --role-name {role_name} "
                "--policy-arn arn:{partition}:iam::aws:policy/AWSBackupServiceRolePolicyForIndexing"
            ),
            _CREATE_INDEX,
        ),
        f"{_GUIDE}/security-iam-awsmanpol.html#AWSBackupServiceRolePolicyForIndexing",
        effort=9,
    ),
    Reason.FAILED_OTHER: Remedy(
        "Failed, cause unclear",
        "The search failed on this backup for a reason that its message does not make clear.",
        "The search says nothing about what is in this backup.",
        "Read the status message; search again, and if the backup fails again, restore it to look inside or ask AWS "
        "Support.",
        (_INDEX_DETAILS,),
        _SEARCH_GUIDE,
        effort=10,
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
        effort=11,
        documented=False,
    ),
    Reason.NOT_SUPPORTED: Remedy(
        "Cannot be indexed",
        "AWS Backup cannot index this kind of backup, vault, disk layout or file system.",
        "No search will ever look into this backup where it is.",
        "AWS documents no way to search it where it is: restore it and look inside, or copy it to a vault that can be "
        "indexed.",
        (
            (
                "aws backup start-copy-job --recovery-point-arn {backup} --source-backup-vault-name {vault} "
                "--destination-backup-vault-arn {standard_vault} --iam-role-arn {role}"
            ),
            *_RESTORE,
        ),
        _SEARCH_GUIDE,
        effort=12,
        documented=False,
    ),
}

_PLACEHOLDERS = {
    "vault": "<vault>",
    "backup": "<recovery-point-arn>",
    "role": "<role-arn>",
    "role_name": "<role-name>",
    "source": "<source-arn>",
    "searcher": "<role-that-searches>",
    "key": "<key-arn>",
    "standard_vault": "<arn-of-a-standard-vault>",
    "search_job": "<search-job-id>",
}

# Whatever does not look like what it should be is left to the reader: a value that starts with "-" is an option to
# the CLI, one that starts with "file://" a file to send, and an invisible character is something else to a terminal.
_ARN = re.compile(r"arn:(?P<partition>[a-z][a-z0-9-]*):[a-z0-9-]*:(?P<region>[a-z0-9-]*):[^:]*:\S+")
_ROLE = re.compile(r"arn:[a-z][a-z0-9-]*:iam::[0-9]*:role/(?:\S*/)?(?P<name>[\w+=,.@][\w+=,.@-]*)")
_VAULT = re.compile(r"[A-Za-z0-9_-]{1,50}")
_IDENTIFIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,99}")
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9 ]{0,49}")
_NAME = re.compile(r"\{(\w+)\}")


def commands(exclusion: Exclusion) -> list[str]:
    """Give the commands for a backup, ready for a POSIX shell: every value is quoted, every unknown one named in <>.

    Where the vault is not known but the source is, the first command asks AWS for the vault.
    """
    templates = REMEDIES[exclusion.reason].commands
    values = _values(exclusion)
    if "vault" not in values and {"backup", "source"} <= set(values) and any("{vault}" in text for text in templates):
        templates = (_FIND_VAULT, *templates)
    return [_filled(template, values) for template in templates]


def advice(exclusion: Exclusion) -> str:
    """Say on one line what to do: the sentence, and the first command where all its values are known."""
    remedy = REMEDIES[exclusion.reason]
    if not remedy.commands or (exclusion.index is None and "{vault}" in remedy.commands[0]):
        return remedy.remedy
    values = _values(exclusion)
    if not _names(remedy.commands[0]) <= set(values):
        return remedy.remedy
    return f"{remedy.remedy} Command: {_filled(remedy.commands[0], values)}"


def search_again(search_job: str, region: str, exclusions: Iterable[Exclusion]) -> list[str]:
    """Give the commands that search backups again for the same items, as far as one search job takes them."""
    values = {"region": region} if _IDENTIFIER.fullmatch(region) else {}
    if _IDENTIFIER.fullmatch(search_job):
        values["search_job"] = search_job
    searches = [
        f"aws backupsearch start-search-job --search-scope {shlex.quote(scope)} "
        f"--item-filters file://item-filters.json{_region_option(values)}"
        for scope in _scopes(exclusions)
    ]
    if not searches:
        return []
    filters = "aws backupsearch get-search-job --search-job-identifier {search_job} --query ItemFilters --output json"
    return [f"{_filled(filters, values)} > item-filters.json", *searches]


def _scopes(exclusions: Iterable[Exclusion]) -> Iterator[str]:
    """Give the scope of one search for each resource type: a search takes exactly one (aws-facts.md §2)."""
    arns: dict[str, list[str]] = {}
    for backup in (exclusion.backup for exclusion in exclusions):
        of_type = backup.resource_type or ""
        arn = _arn(backup.backup_arn)
        if arn and _TYPE.fullmatch(of_type):
            arns.setdefault(of_type, []).append(arn)
    for of_type, of_backups in arns.items():
        scope = {"BackupResourceTypes": [of_type], "BackupResourceArns": of_backups[:BACKUPS_IN_A_SEARCH]}
        yield json.dumps(scope, separators=(",", ":"), ensure_ascii=False)


def _values(exclusion: Exclusion) -> dict[str, str]:
    """Give what is known of a backup, by its name in the templates."""
    backup, index = exclusion.backup, exclusion.index
    values = {"partition": "aws"}
    if (arn := _arn(backup.backup_arn)) and (parts := _ARN.fullmatch(arn)):
        raw = arn.replace("\\", "\\\\").replace("'", "\\'")
        values["backup"] = arn
        values["vault_of_backup"] = f"RecoveryPoints[?RecoveryPointArn=='{raw}'].BackupVaultName"
        values["partition"] = parts["partition"]
        if parts["region"]:
            values["region"] = parts["region"]
    if source := _arn(backup.source_resource_arn):
        values["source"] = source
    if index and index.vault and _VAULT.fullmatch(index.vault):
        values["vault"] = index.vault
    if index and (role := _arn(index.role_arn)) and (parts := _ROLE.fullmatch(role)):
        values["role"], values["role_name"] = role, parts["name"]
    return values


def _arn(text: str | None) -> str | None:
    return text if text and text.isprintable() and _ARN.fullmatch(text) else None


def _filled(template: str, values: dict[str, str]) -> str:
    words: list[str] = []
    for word in template.split(" "):
        names = _NAME.findall(word)
        if not names:
            words.append(word)
            continue
        filled = _NAME.sub(lambda name: values.get(name[1]) or _PLACEHOLDERS[name[1]], word)
        if filled.startswith("-"):  # an option's value, not an option
            filled = f"{words.pop()}={filled}"
        words.append(shlex.quote(filled))
    return _with_region(" ".join(words), values)


def _with_region(command: str, values: dict[str, str]) -> str:
    if command.startswith("aws iam "):  # IAM has no Regions
        return command
    head, redirection, file = command.partition(" > ")
    return f"{head}{_region_option(values)}{redirection}{file}"


def _region_option(values: dict[str, str]) -> str:
    return f" --region {values['region']}" if "region" in values else ""


@cache
def _names(template: str) -> frozenset[str]:
    return frozenset(_NAME.findall(template))
