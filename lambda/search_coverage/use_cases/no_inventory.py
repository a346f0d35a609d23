"""The inventory where nobody asked for one: the setting ``inventory`` is false."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from search_coverage.coverage.backup import Backup, BackupIndex, BackupsPage
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus


class NoInventory:
    """Knows nothing of the vaults, and asks nobody; otherwise like `InventoryOfScope`."""

    def __init__(self, _job: SearchJob, _folder: Path, _seconds: float) -> None:
        pass

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """There is nothing to close."""

    def mark_listed(self, _page: BackupsPage) -> None:
        """There is nothing to compare the list with."""

    def index_of(self, _backup: Backup) -> BackupIndex | None:
        """Nobody asked the vaults."""
        return None

    def not_listed(self, _seconds: float) -> Iterator[Exclusion]:
        """Nobody knows."""
        return iter(())

    def result(self, _listed: int) -> Inventory:
        """Say that it is off."""
        return Inventory(InventoryStatus.OFF)
