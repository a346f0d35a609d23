"""The table of recovery points on disk."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.recovery_point import LeftOut
from search_coverage.inventory.table import RecoveryPointTable
from tests.fakes_inventory import days_before, points


@pytest.fixture
def table(tmp_path: Path) -> Iterator[RecoveryPointTable]:
    with closing(RecoveryPointTable(tmp_path)) as opened:
        yield opened


def test_the_table_takes_half_a_character_and_finds_it_again(table: RecoveryPointTable) -> None:
    odd, other = points(2, vault="Default", index_status="PENDING")
    odd = odd._replace(arn="arn:\ud800")
    table.add([(odd, None), (other, None)])
    table.mark_listed([(odd.arn, True), (None, True)])

    assert table.index_of(odd.arn) == BackupIndex("Default", "PENDING", role_arn=odd.role_arn)
    assert [found.arn for found in table.not_listed()] == [other.arn]
    assert (table.points, table.points_listed) == (2, 1)


def test_a_point_that_is_listed_on_two_pages_counts_once(table: RecoveryPointTable) -> None:
    held, other = points(2)
    for _ in range(2):
        table.add([(held, None), (other, None)])
        table.mark_listed([(other.arn, True)])

    assert (table.points, table.points_listed) == (2, 1)
    assert list(table.not_listed()) == [held]


def test_the_previous_point_is_the_newest_older_one_with_an_index(table: RecoveryPointTable) -> None:
    ages = {"p0": 1.0, "p1": 2.0, "p2": 3.0, "p3": 0.5}
    held = [point._replace(created=days_before(ages[f"p{n}"])) for n, point in enumerate(points(4))]
    (pending,) = points(end="pending", created=days_before(1.5), index_status="PENDING")
    (untold,) = points(end="untold", created=None)
    (deleting,) = points(end="deleting", created=days_before(1.2))
    table.add([*((point, None) for point in (*held, pending, untold)), (deleting, LeftOut.DELETING)])

    assert table.previous([held[0], held[2], untold]) == {held[0].arn: held[1]}
