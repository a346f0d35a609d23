"""The content of a backup vault, as plain values: groups of recovery points that look alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from simulators.backup_search.field_types import CONFIG, Count, Moment, ScenarioError, Template, one_of
from simulators.backup_search.numbered_text import PLACEHOLDER

BACKUP_VAULT = "BACKUP_VAULT"
AIR_GAPPED_VAULT = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
DEFAULT_VAULT = "Default"

_Index = Annotated[str, one_of("PENDING", "ACTIVE", "FAILED", "DELETING")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPointGroup:
    """Recovery points that look alike. A million of them cost no more than what is read of them.

    A span as a time counts back from when the group was put into its vault. A group whose ``created`` is in the future
    appears at that time. Texts may hold the placeholders ``{i}``, ``{account}`` and ``{region}``.

    Attributes:
        arn: RecoveryPointArn, with ``{i}`` if ``count`` is more than 1; None, as for ``source``, for one that fits.
        first: The number of the first one; None to continue after the last one in the vault.
        completed: CompletionDate; None, as for ``index_created``, for the time of creation.
        index: IndexStatus: PENDING, ACTIVE, FAILED or DELETING; None (in YAML: NONE) if never indexed.
        items_indexed: TotalItemsIndexed while the index is ACTIVE; None to leave it out.
        storage_class: WARM or COLD, which only DescribeRecoveryPoint shows.
        move_to_cold_storage_at: MoveToColdStorageAt, from when on they are COLD; None for never.
        search_status: The Status that a search lists while the index is ACTIVE, with ``search_message``.
        plan: The id of the backup plan that made them, and
        rule: the name of its rule; None for a backup on demand.
        expires: When they are deleted, as their lifecycle says; None for never.
        omit: Members that the list calls leave out.
    """

    __pydantic_config__ = CONFIG

    count: Count = 1
    resource_type: str = "S3"
    source: Template | None = None
    arn: Template | None = None
    first: Count | None = None
    created: Moment = timedelta(days=1)
    completed: Moment | None = None
    status: str = "COMPLETED"
    status_message: str | None = None
    index: Annotated[_Index | None, BeforeValidator(lambda index: None if index == "NONE" else index)] = "ACTIVE"
    index_message: Template | None = None
    index_created: Moment | None = None
    items_indexed: Count | None = 1000
    iam_role_arn: str = "arn:aws:iam::{account}:role/service-role/AWSBackupDefaultServiceRole"
    storage_class: Annotated[str, one_of("WARM", "COLD")] = "WARM"
    move_to_cold_storage_at: Moment | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    search_status: str = "COMPLETED"
    search_message: str | None = None
    plan: str | None = None
    rule: str | None = None
    expires: Moment | None = None
    omit: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count > 1 and self.arn is not None and not PLACEHOLDER.search(self.arn):
            raise ScenarioError(f"arn must hold {{i}} where count is more than 1, not {self.arn!r}")


@dataclass(frozen=True, slots=True)
class Vault:
    """A backup vault: its name, groups of recovery points, VaultType and CreationDate."""

    __pydantic_config__ = CONFIG

    name: str
    recovery_points: tuple[RecoveryPointGroup, ...] = ()
    type: str = BACKUP_VAULT
    created: Moment = timedelta(days=365)
