"""The inventory where the setting ``inventory`` is false."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus


class NoInventory(AbstractContextManager["NoInventory"]):
    """Reads no vault; implements `ports.ScopeInventory`."""

    def __init__(self, _job: SearchJob, _folder: Path, _seconds: float) -> None:
        pass

    def __exit__(self, *_exception: object) -> None:
        """Close nothing."""

    def mark_listed(self, _page: BackupsPage) -> None:
        """Compare the list with nothing."""

    def index_of(self, _backup: Backup) -> BackupIndex | None:
        """Return nothing: no vault is known."""

    def not_listed(self, _seconds: float) -> Iterator[Exclusion]:
        """Return nothing: no vault is known."""
        return iter(())

    def result(self, _listed: int) -> Inventory:
        """Return an inventory that is off."""
        return Inventory(InventoryStatus.OFF)
