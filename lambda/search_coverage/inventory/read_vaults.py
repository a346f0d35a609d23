"""Reads lists of all vaults, several at a time, and counts the backups of EC2 instances beside them."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.inventory.instances import count_instances
from search_coverage.inventory.lookups import CALLS_AT_ONCE
from search_coverage.inventory.ports import Vault
from search_coverage.inventory.vault_contents import VaultContents
from search_coverage.inventory.vault_lists import VaultLists

_Part = TypeVar("_Part")


def read_vaults(
    job: SearchJob,
    lists: VaultLists,
    parts_of: Callable[[Vault], Iterable[_Part]],
    read: Callable[[Vault, _Part], str | None],
    *,
    counts_instances: bool = True,
) -> VaultContents:
    """Read all vaults.

    Args:
        parts_of: Returns what is to be read of a vault list by list, such as its sources.
        read: Reads one of these lists; returns the problem if it was not read to its end.

    Raises:
        AwsCallFailed: AWS does not list the vaults.
    """
    vaults, problems = lists.list_vaults()
    wanted = [(vault, part) for vault in vaults for part in parts_of(vault)]
    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="vaults") as pool:
        outcomes = list(pool.map(lambda each: read(*each), wanted))
        counts = list(pool.map(partial(count_instances, job, lists), vaults if counts_instances else ()))
    unread = {vault.name for (vault, _), problem in zip(wanted, outcomes, strict=True) if problem}
    return VaultContents(
        vaults=tuple(sorted(vaults, key=lambda vault: vault.name)),
        vaults_read=len(vaults) - len(unread),
        problems=(*problems, *filter(None, outcomes)),
        not_searchable=tuple(count for count in counts if isinstance(count, NotSearchable)),
        not_counted=tuple(count for count in counts if isinstance(count, str)),
    )
