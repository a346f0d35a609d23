"""Reads lists of the vaults, page by page, while there is time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.inventory.ports import Vault, Vaults
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.names import SERVICE

_SECONDS_BETWEEN_PROGRESS_LOGS = 10.0

_logger = Logger(service=SERVICE, child=True)


@dataclass(slots=True)
class VaultLists:
    """The lists of the vaults, within a time budget. Several threads may read.

    Attributes:
        lists_read: How many lists of recovery points were read to their end, or as far as they were needed.
        points_read: How many recovery points they had.
    """

    vaults: Vaults
    budget: TimeBudget
    lists_read: int = 0
    points_read: int = 0
    _logged_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._logged_at = self.budget.clock()

    def list_vaults(self) -> tuple[list[Vault], list[str]]:
        """Return the vaults, and the problem if there was no time for all of them.

        Raises:
            AwsCallFailed: AWS does not return the whole list.
        """
        vaults: list[Vault] = []
        for page in self.vaults.vaults():
            vaults += page
            if self.budget.is_used_up():
                return vaults, ["There was no time to list the vaults to the end."]
        return vaults, []

    def read(  # noqa: PLR0913 - the filters of AWS's list
        self,
        vault: Vault,
        take: Callable[[list[RecoveryPoint]], bool],
        *,
        resource_type: str | None,
        source: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> str | None:
        """Read the recovery points of a vault until ``take`` says that a page is enough.

        Returns:
            The problem, if the list was not read to its end.
        """
        what = f"vault {vault.name}"
        if self.budget.is_used_up():
            return f"There was no time to read {what}."
        try:
            for page in self.vaults.points_of_vault(
                vault, resource_type=resource_type, source=source, after=after, before=before
            ):
                self.points_read += len(page)
                if take(page):
                    break
                if self.budget.is_used_up():
                    return f"There was no time to read {what} to its end."
                self._log_progress()
                del page  # or it would stay in memory while the next one is read
        except AwsCallFailed as error:
            return str(error)
        except Exception as error:
            error.add_note(f"reading {what}")
            raise
        self.lists_read += 1
        return None

    def _log_progress(self) -> None:
        now = self.budget.clock()
        if now - self._logged_at > _SECONDS_BETWEEN_PROGRESS_LOGS:
            self._logged_at = now
            _logger.info("reading vaults", lists_read=self.lists_read, backups=self.points_read)
