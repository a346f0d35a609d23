"""Counts the backups of EC2 instances, whose volumes no search for EBS covers (aws-facts.md §7)."""

from search_coverage.coverage.recovery_point import RecoveryPoint, is_in_window, left_out
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.inventory.ports import Vault
from search_coverage.inventory.vault_lists import VaultLists

_INSTANCES = "EC2"
_EXAMPLES = 3


def count_instances(job: SearchJob, lists: VaultLists, vault: Vault) -> NotSearchable | str | None:
    """Count those of a vault in the time window of a search job.

    Returns:
        The count, None for zero, or the problem if they were not read to the end.
    """
    in_window, examples = is_in_window(job), list[str]()
    before = min(filter(None, (job.scope.created_before, job.creation_time)), default=None)
    backups = 0

    def count(page: list[RecoveryPoint]) -> bool:
        nonlocal backups
        held = [point.arn for point in page if in_window(point) and left_out(point, job) is None]
        backups += len(held)
        examples.extend(held[: _EXAMPLES - len(examples)])
        return False

    problem = lists.read(vault, count, resource_type=_INSTANCES, after=job.scope.created_after, before=before)
    return problem or (NotSearchable(vault.name, backups, tuple(examples)) if backups else None)
