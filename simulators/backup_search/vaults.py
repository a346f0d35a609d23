"""The vaults of the account, which both services look at: the one that lists them, and the one that searches them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.moment import time_of
from simulators.backup_search.stored_points import Run, StoredGroup, StoredVault
from simulators.backup_search.vault import RecoveryPointGroup, Vault


@dataclass(frozen=True, slots=True)
class PageOfPoints:
    """A page of recovery points.

    Attributes:
        runs: The recovery points.
        next: Where the next page begins; None if there is none.
    """

    runs: list[Run]
    next: tuple[int, int] | None


class Vaults:
    """The vaults of the account. Groups keep their order, so that a page token holds while others come and go."""

    def __init__(self) -> None:
        self._vaults: dict[str, StoredVault] = {}
        self._owned: dict[str, list[StoredGroup]] = {}
        self._next_serial = 1

    def add(self, vault: Vault, now: datetime, names: Mapping[str, str], owner: str = "") -> list[StoredGroup]:
        """Adds a vault, or what a vault holds to the one of the same name, which is there already.

        Args:
            vault: The vault.
            now: What its spans are counted back from.
            names: What ``{account}`` and ``{region}`` stand for.
            owner: Under which name the recovery points can be removed again.

        Raises:
            ScenarioError: There is a vault of this name, but of another type.
        """
        arn = f"arn:aws:backup:{names['region']}:{names['account']}:backup-vault:{vault.name}"
        new = StoredVault(vault.name, vault.type, arn, time_of(vault.created, now))
        stored = self._vaults.setdefault(vault.name, new)
        if stored.type != vault.type:
            raise ScenarioError(f"vault {vault.name!r} is there already, and its type is {stored.type}.")
        return [self._put(group, stored, now, names, owner) for group in vault.recovery_points]

    def remove(self, owner: str) -> None:
        """Removes what an owner has put there; its vaults stay."""
        for stored in self._owned.pop(owner, []):
            stored.vault.groups.remove(stored)

    def all(self) -> list[StoredVault]:
        """Returns the vaults by name."""
        return [self._vaults[name] for name in sorted(self._vaults)]

    def named(self, name: str) -> StoredVault | None:
        """Returns a vault, or None if there is none of this name."""
        return self._vaults.get(name)

    def groups(self) -> list[StoredGroup]:
        """Returns the recovery points of all vaults, in the order in which they came."""
        return sorted((group for vault in self._vaults.values() for group in vault.groups), key=_order)

    def find(self, arn: str, now: datetime, vault: str | None = None) -> tuple[StoredGroup, int] | None:
        """Returns where a recovery point is: its group and its number; None if it is nowhere.

        Args:
            arn: Its ARN.
            now: The time.
            vault: Only in this vault.
        """
        for group in self.groups():
            if vault in {None, group.vault.name} and group.exists(now):
                for number in group.arn.numbers(arn, group.numbers):
                    if number not in group.deleted:
                        return group, number
        return None

    def delete(self, arn: str, now: datetime) -> None:
        """Deletes a recovery point.

        Raises:
            KeyError: There is none.
        """
        found = self.find(arn, now)
        if found is None:
            raise KeyError(arn)
        found[0].deleted.add(found[1])

    def _put(
        self, group: RecoveryPointGroup, vault: StoredVault, now: datetime, names: Mapping[str, str], owner: str
    ) -> StoredGroup:
        first = group.first
        if first is None:
            first = max((other.numbers.stop for other in vault.groups), default=1)
        stored = StoredGroup(group, vault, self._next_serial, first, now, names)
        self._next_serial += 1
        vault.groups.append(stored)
        self._owned.setdefault(owner, []).append(stored)
        return stored


def page_of(
    numbers: Iterable[tuple[StoredGroup, range]], start: tuple[int, int] | None, size: int, now: datetime
) -> PageOfPoints:
    """Returns a page of recovery points.

    Args:
        numbers: All that are to be listed: groups in their order, and which of their numbers.
        start: Where the page begins: the serial of a group and a number; None for the beginning.
        size: How many there are on it at most.
        now: The time.
    """
    runs: list[Run] = []
    left = size
    for group, found, index in _runs_from(numbers, start or (0, 0), now):
        if not left:
            return PageOfPoints(runs, (group.serial, found.start))
        taken = found[:left]
        runs.append((group, taken, index))
        left -= len(taken)
        if len(taken) < len(found):
            return PageOfPoints(runs, (group.serial, taken.stop))
    return PageOfPoints(runs, None)


def _runs_from(numbers: Iterable[tuple[StoredGroup, range]], start: tuple[int, int], now: datetime) -> Iterator[Run]:
    serial, number = start
    for group, wanted in numbers:
        if group.serial >= serial:
            begin = max(wanted.start, number) if group.serial == serial else wanted.start
            yield from group.runs(range(begin, max(begin, wanted.stop)), now)


def _order(group: StoredGroup) -> int:
    return group.serial
