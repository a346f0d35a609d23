"""Pages overlap: while one is worked on, the next is on its way, and no page more."""

import time

import boto3
import pytest

from search_coverage.aws.backup_search import BackupSearch
from search_coverage.coverage.errors import AwsCallFailed
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario


@pytest.fixture
def search(sdk_environment: None) -> BackupSearch:
    return BackupSearch(boto3.client("backupsearch"))


def pages_asked_for(simulator: BackupSimulator) -> int:
    return len([request for request in simulator.requests if request.operation == "ListSearchJobBackups"])


def test_the_pages_come_in_order_and_whole(search: BackupSearch, simulator: BackupSimulator) -> None:
    search_job = simulator.finish_job(Scenario("long", (BackupGroup(count=3500, status="FAILED"),)))

    pages = list(search.pages_of_backups(search_job))

    assert [len(page.listed) for page in pages] == [1000, 1000, 1000, 500]
    arns = [backup.backup_arn for page in pages for backup in page.not_searched]
    assert len(set(arns)) == 3500
    assert arns == sorted(arns, key=str)


def test_one_page_is_read_ahead_and_no_more(search: BackupSearch, simulator: BackupSimulator) -> None:
    search_job = simulator.finish_job(Scenario("long", (BackupGroup(count=5000),)))

    pages = search.pages_of_backups(search_job)
    next(pages)
    time.sleep(0.3)
    assert pages_asked_for(simulator) == 2

    next(pages)
    time.sleep(0.3)
    assert pages_asked_for(simulator) == 3
    pages.close()


def test_an_error_comes_where_it_belongs_after_the_pages_before_it(
    search: BackupSearch, simulator: BackupSimulator
) -> None:
    search_job = simulator.finish_job(Scenario("long", (BackupGroup(count=3000),)))
    simulator.faults.add("broken_json", operation="ListSearchJobBackups", page=2)

    pages = search.pages_of_backups(search_job)

    assert len(next(pages).listed) == 1000
    with pytest.raises(AwsCallFailed, match="Listing the backups"):
        next(pages)
    assert pages_asked_for(simulator) == 2


def test_who_stops_early_asks_for_nothing_more(search: BackupSearch, simulator: BackupSimulator) -> None:
    search_job = simulator.finish_job(Scenario("long", (BackupGroup(count=5000),)))

    pages = search.pages_of_backups(search_job)
    next(pages)
    pages.close()
    time.sleep(0.3)

    assert pages_asked_for(simulator) <= 2
