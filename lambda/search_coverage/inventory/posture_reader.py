"""Reads all vaults into the table of the posture, several lists at a time."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product

from aws_lambda_powertools import Logger

from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.searchability import searchability
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.inventory.instances import count_instances
from search_coverage.inventory.lookups import CALLS_AT_ONCE
from search_coverage.inventory.ports import Vault
from search_coverage.inventory.posture_table import PostureTable
from search_coverage.inventory.vault_lists import VaultLists
from search_coverage.names import SERVICE

SEARCHED_TYPES = ("EBS", "S3")
"""The resource types that AWS Backup searches (aws-facts.md §2)."""

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class PostureContents:
    """What was read, apart from the backups, which are in the table.

    Attributes:
        vaults: All that AWS lists.
        vaults_read: How many of them were read to the end.
        problems: Why others were not, in sentences.
        unreachable: The backups of EC2 instances, by vault.
        not_counted: Why they were not counted in some vaults.
    """

    vaults: tuple[Vault, ...]
    vaults_read: int
    problems: tuple[str, ...]
    unreachable: tuple[NotSearchable, ...]
    not_counted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostureReader:
    """Reads the vaults.

    Attributes:
        at: A search job that would be created now.
    """

    at: SearchJob
    lists: VaultLists
    table: PostureTable

    def read(self) -> PostureContents:
        """Read the vaults into the table.

        Raises:
            AwsCallFailed: AWS does not list the vaults.
        """
        clock = self.lists.budget.clock
        started = clock()
        vaults, problems = self.lists.list_vaults()
        lists = list(product(vaults, SEARCHED_TYPES))
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="posture") as pool:
            outcomes = list(pool.map(lambda each: self._read_list(*each), lists))
            counts = list(pool.map(partial(count_instances, self.at, self.lists), vaults))
        unread = {vault.name for (vault, _), problem in zip(lists, outcomes, strict=True) if problem}
        seconds = round(clock() - started, 3)
        _logger.info("vaults read", vaults=len(vaults) - len(unread), of=len(vaults), seconds=seconds)
        return PostureContents(
            vaults=tuple(sorted(vaults, key=lambda vault: vault.name)),
            vaults_read=len(vaults) - len(unread),
            problems=(*problems, *dict.fromkeys(filter(None, outcomes))),
            unreachable=tuple(count for count in counts if isinstance(count, NotSearchable)),
            not_counted=tuple(count for count in counts if isinstance(count, str)),
        )

    def _read_list(self, vault: Vault, resource_type: str) -> str | None:
        def add(page: list[RecoveryPoint]) -> bool:
            self.table.add((point, searchability(point, self.at)) for point in self._typed(page, resource_type))
            return False

        return self.lists.read(vault, add, resource_type=resource_type)

    def _typed(self, page: Iterable[RecoveryPoint], resource_type: str) -> Iterable[RecoveryPoint]:
        """Return the points with the type that they were asked for, where AWS does not say it."""
        return (point if point.resource_type else point._replace(resource_type=resource_type) for point in page)
