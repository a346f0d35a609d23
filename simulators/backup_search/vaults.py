"""The vaults of the account, which one service lists and the other one searches."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from simulators.backup_search.field_types import ScenarioError, time_of
from simulators.backup_search.stored_points import Run, StoredGroup, StoredVault
from simulators.backup_search.vault import Vault


class Vaults:
    """The vaults of the account. Groups keep their order, so that a page token stays valid while others come and go."""

    def __init__(self) -> None:
        self._vaults: dict[str, StoredVault] = {}
        self._owned: dict[str, list[StoredGroup]] = {}
        self._next_serial = 1

    def add(self, vault: Vault, now: datetime, names: Mapping[str, str], owner: str = "") -> list[StoredGroup]:
        """Add a vault, or its recovery points to the vault of the same name, which must have the same type.

        Spans count back from ``now``; ``remove`` removes the recovery points of an owner.
        """
        arn = f"arn:aws:backup:{names['region']}:{names['account']}:backup-vault:{vault.name}"
        new = StoredVault(vault.name, vault.type, arn, time_of(vault.created, now))
        stored = self._vaults.setdefault(vault.name, new)
        if stored.type != vault.type:
            raise ScenarioError(f"vault {vault.name!r} exists already, and its type is {stored.type}.")
        added = []
        for group in vault.recovery_points:
            last = max((other.numbers.stop for other in stored.groups), default=1)
            first = last if group.first is None else group.first
            added.append(StoredGroup(group, stored, self._next_serial, first, now, names))
            self._next_serial += 1
            stored.groups.append(added[-1])
        self._owned.setdefault(owner, []).extend(added)
        return added

    def remove(self, owner: str) -> None:
        """Remove the recovery points of an owner; the vaults stay."""
        for stored in self._owned.pop(owner, []):
            stored.vault.groups.remove(stored)

    def all(self) -> list[StoredVault]:
        """Return the vaults by name."""
        return [self._vaults[name] for name in sorted(self._vaults)]

    def named(self, name: str) -> StoredVault | None:
        """Return a vault, or None if there is none of this name."""
        return self._vaults.get(name)

    def groups(self) -> list[StoredGroup]:
        """Return the recovery points of all vaults, in the order in which they came."""
        groups = (group for vault in self._vaults.values() for group in vault.groups)
        return sorted(groups, key=lambda group: group.serial)

    def find(self, arn: str, now: datetime, vault: str | None = None) -> tuple[StoredGroup, int] | None:
        """Return the group and the number of a recovery point, in one vault or in all; None if it does not exist."""
        for group in self.groups():
            if vault in {None, group.vault.name} and group.exists(now):
                for number in group.arn.numbers(arn, group.numbers):
                    if number not in group.deleted:
                        return group, number
        return None

    def delete(self, arn: str, now: datetime) -> None:
        """Delete a recovery point; a KeyError means that there is none."""
        found = self.find(arn, now)
        if found is None:
            raise KeyError(arn)
        found[0].deleted.add(found[1])


def page_of(
    numbers: Iterable[tuple[StoredGroup, range]], start: tuple[int, int] | None, size: int, now: datetime
) -> tuple[list[Run], tuple[int, int] | None]:
    """Return a page of recovery points, and where the next one begins; None if there is none.

    A page begins at the serial of a group and a number, or at the beginning.
    """
    serial, number = start or (0, 0)
    page: list[Run] = []
    left = size
    for group, wanted in numbers:
        begin = max(wanted.start, number) if group.serial == serial else wanted.start
        stop = wanted.stop if group.serial >= serial else begin
        for key, found in group.runs(range(begin, max(begin, stop)), now):
            taken = found[:left]
            if taken:
                page.append((key, taken))
            if len(taken) < len(found):
                return page, (group.serial, found[len(taken)])
            left -= len(taken)
    return page, None
