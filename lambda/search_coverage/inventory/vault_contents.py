"""The result of reading the vaults: their contents, or the reason why there is no inventory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.verdict import Inventory, InventoryStatus, NotSearchable
from search_coverage.inventory.ports import Vault

_MESSAGES_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class VaultContents:
    """What was read, apart from the recovery points, which are in the table.

    Attributes:
        vaults: All that AWS lists, by name.
        vaults_read: How many vaults were read to the end.
        problems: Why other vaults were not.
        not_searchable: The backups of EC2 instances, by vault.
        not_counted: Why they were not counted in some vaults.
    """

    vaults: tuple[Vault, ...] = ()
    vaults_read: int = 0
    problems: tuple[str, ...] = ()
    not_searchable: tuple[NotSearchable, ...] = ()
    not_counted: tuple[str, ...] = ()

    def not_counted_in_words(self) -> Iterator[str]:
        """Say in how many vaults they were not counted, and why; nothing if they were counted in all."""
        if self.not_counted:
            vaults = "1 vault" if len(self.not_counted) == 1 else f"{len(self.not_counted)} vaults"
            why = self.not_counted[0].rstrip(".")
            yield f"The backups of EC2 instances in {vaults} could not be counted: {why}."


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Takes the place of a `Comparison` that could not begin, or that failed.

    Attributes:
        reason: Why, in a sentence.
        contents: What was read before.
        not_listed_count: How many backups the comparison yielded before it failed.
    """

    reason: str
    contents: VaultContents = VaultContents()
    not_listed_count: int = 0

    def mark_listed(self, page: BackupsPage) -> None:
        """Do nothing."""

    def index_of(self, backup: Backup) -> BackupIndex | None:
        """Return nothing: no vault is known."""

    def not_listed(self) -> Iterator[Exclusion]:
        """Return no backup."""
        return iter(())

    def result(self, _listed: int, taken_at: datetime) -> Inventory:
        """Return an inventory that is UNAVAILABLE."""
        return Inventory(
            InventoryStatus.UNAVAILABLE,
            " ".join(first_few([*self.contents.problems, self.reason])),
            taken_at=taken_at,
            vaults=self.contents.vaults_read,
            not_listed=self.not_listed_count or None,
            not_searchable=self.contents.not_searchable,
        )


def first_few(messages: Sequence[str]) -> list[str]:
    """Return the first messages, and how many more there are."""
    more = len(messages) - _MESSAGES_AT_MOST
    return [*messages[:_MESSAGES_AT_MOST], *([f"And {more} more of the kind."] if more > 0 else ())]
