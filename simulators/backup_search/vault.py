"""What a backup vault holds, as plain values: recovery points that look alike, group after group."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.moment import Moment
from simulators.backup_search.numbered_text import PLACEHOLDER

BACKUP_VAULT = "BACKUP_VAULT"
AIR_GAPPED_VAULT = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
DEFAULT_ROLE = "arn:aws:iam::{account}:role/service-role/AWSBackupDefaultServiceRole"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPointGroup:
    """Recovery points that look alike; a million of them cost what is read of them.

    A moment that is a span counts back from the time at which the group was put into its vault. A group whose
    ``created`` is in the future is not there before.

    Attributes:
        count: How many recovery points.
        resource_type: Their ResourceType: ``S3``, ``EBS``, or what else AWS Backup knows.
        source: Their ResourceArn; None for one that fits the resource type. May hold ``{i}``, the number of the
            recovery point in its vault, as ``{i:04}`` and so on as well, ``{account}`` and ``{region}``.
        arn: Their RecoveryPointArn; None for one that fits the resource type. May hold the placeholders, and has to
            hold ``{i}`` if there is more than one.
        first: The number of the first one; None to go on after the vault's last one.
        created: Their CreationDate.
        completed: Their CompletionDate; None for the time of their creation.
        status: Their Status.
        status_message: Their StatusMessage; None for none.
        index: Their IndexStatus: PENDING, ACTIVE, FAILED or DELETING; None if they were never indexed.
        index_message: Their IndexStatusMessage; None for none.
        index_created: When their index was made; None for the time of their creation.
        items_indexed: Their TotalItemsIndexed as long as their index is ACTIVE; None if it is not told.
        iam_role_arn: Their IamRoleArn, the role that made them.
        storage_class: WARM or COLD. DescribeRecoveryPoint alone tells it.
        move_to_cold_storage_at: Their MoveToColdStorageAt; None for never. From then on they are COLD.
        tags: Their tags.
        search_status: The Status that a search lists them with as long as their index is ACTIVE.
        search_message: The StatusMessage that it lists them with; None for none.
        omit: Members that the list calls leave out.
    """

    count: int = 1
    resource_type: str = "S3"
    source: str | None = None
    arn: str | None = None
    first: int | None = None
    created: Moment = timedelta(days=1)
    completed: Moment | None = None
    status: str = "COMPLETED"
    status_message: str | None = None
    index: str | None = "ACTIVE"
    index_message: str | None = None
    index_created: Moment | None = None
    items_indexed: int | None = 1000
    iam_role_arn: str = DEFAULT_ROLE
    storage_class: str = "WARM"
    move_to_cold_storage_at: Moment | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    search_status: str = "COMPLETED"
    search_message: str | None = None
    omit: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ScenarioError(f"count must be at least 0, not {self.count}")
        for key, text in (("source", self.source), ("arn", self.arn), ("index_message", self.index_message)):
            if "{i" in PLACEHOLDER.sub("", text or ""):
                raise ScenarioError(f"{key} has a placeholder that is none of {{i}}, {{i:04}}, {{i:017x}}: {text!r}")
        if self.count > 1 and self.arn is not None and not PLACEHOLDER.search(self.arn):
            raise ScenarioError(f"arn must hold {{i}} where count is more than 1, not {self.arn!r}")
        if self.storage_class not in {"WARM", "COLD"}:
            raise ScenarioError(f"storage_class must be WARM or COLD, not {self.storage_class!r}")


@dataclass(frozen=True, slots=True)
class Vault:
    """A backup vault.

    Attributes:
        name: Its BackupVaultName.
        recovery_points: What it holds, group after group.
        type: Its VaultType.
        created: Its CreationDate; a span counts back from the time at which it was added.
    """

    name: str
    recovery_points: tuple[RecoveryPointGroup, ...] = ()
    type: str = BACKUP_VAULT
    created: Moment = timedelta(days=365)
