"""What even a complete search does not see: by the type of the search, and no more and no less than is known."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from search_coverage.aws.backup_search import BackupSearch
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import Inventory, InventoryStatus, NotSearchable
from search_coverage.report.blind_spots import BlindSpot, blind_spots
from tests.examples import JOB_ARN, JOB_ID, search_job

EBS = SearchScope(("EBS",))


def vaults(
    status: InventoryStatus, message: str | None = None, *held: tuple[str, int], all_read: bool = True
) -> Inventory:
    """Give an inventory of vaults, each held by name with its number of backups of EC2 instances."""
    not_searchable = tuple(NotSearchable(*one) for one in held)
    return Inventory(status, message, not_searchable=not_searchable, not_searchable_is_all=all_read)


COMPLETE = vaults(InventoryStatus.COMPLETE)


def spots(scope: SearchScope = EBS, inventory: Inventory = COMPLETE, **changes: Any) -> dict[str, BlindSpot]:
    return {spot.title: spot for spot in blind_spots(search_job(scope=scope, **changes), inventory)}


def of_instances(inventory: Inventory, scope: SearchScope = EBS) -> tuple[str, str]:
    """Give what page and mail say on EBS volumes inside backups of EC2 instances."""
    spot = spots(scope, inventory)["EBS volumes inside backups of EC2 instances"]
    assert spot.concerns_this_search == bool(inventory.not_searchable)
    return spot.text, str(spot.in_short)


OF_EBS = {"Links on EBS volumes", "Files without a creation time", "EBS volumes inside backups of EC2 instances"}
OF_S3 = {"Delete markers in S3", "The latest changes in continuous S3 backups"}


@pytest.mark.parametrize(
    ("types", "titles"), [(("EBS",), OF_EBS), (("S3",), OF_S3), ((), OF_EBS | OF_S3), (("EFS",), OF_EBS | OF_S3)]
)
def test_they_are_those_of_the_resource_type_and_contents_are_always_among_them(
    types: tuple[str, ...], titles: set[str]
) -> None:
    assert set(spots(SearchScope(types))) == {"Contents", *titles}


def test_a_filter_by_creation_time_makes_missing_creation_times_louder() -> None:
    quiet, loud = (
        spots(filters_by_creation_time=filters)["Files without a creation time"] for filters in (False, True)
    )

    assert not quiet.concerns_this_search
    assert "this search has no such filter" in quiet.text
    assert quiet.in_short is None
    assert loud.concerns_this_search
    assert "This search filters by creation time, so it may have passed over such files" in loud.text
    assert "THIS SEARCH FILTERS BY CREATION TIME" in str(loud.in_short)


def test_volumes_in_backups_of_instances_are_counted_by_vault_the_largest_first() -> None:
    text, in_short = of_instances(vaults(InventoryStatus.COMPLETE, None, ("weekly", 2), ("nightly", 1_200)))

    assert "From the time that the search covers, the vaults hold 1,202 backups of EC2 instances: " in text
    assert text.endswith(": 1,200 in nightly, 2 in weekly.")
    assert in_short.endswith("(1,202: 1,200 in nightly, 2 in weekly)")


def test_of_many_vaults_the_others_are_counted_together() -> None:
    held = ((f"v{number:02}", 30 - number) for number in range(20))

    text, in_short = of_instances(vaults(InventoryStatus.PARTIAL, "x", *held, all_read=False))

    assert "the vaults hold at least 410 backups of EC2 instances: 30 in v00, " in text
    assert "21 in v09, 155 in 10 more vaults." in text
    assert "28 in v02, 323 in 17 more vaults" in in_short


COULD_NOT_COUNT = "The backups of EC2 instances in 1 vault could not be counted: denied."


@pytest.mark.parametrize(
    ("inventory", "scope", "says", "says_in_short"),
    [
        (COMPLETE, EBS, "the vaults hold none.", "none in the vaults"),
        (
            Inventory(InventoryStatus.OFF),
            EBS,
            "not counted, since the comparison with the vaults is off",
            "not counted",
        ),
        (COMPLETE, SearchScope(()), "They were not counted, since AWS did not say", "not counted"),
        (Inventory(InventoryStatus.UNAVAILABLE, "x"), EBS, "None were found, but perhaps not all", "none found, but"),
        (
            Inventory(InventoryStatus.COMPLETE, COULD_NOT_COUNT),
            EBS,
            "None were found, but perhaps not all vaults could be read",
            "none found, but perhaps",
        ),
    ],
)
def test_what_was_not_counted_is_not_said_to_be_none(
    inventory: Inventory, scope: SearchScope, says: str, says_in_short: str
) -> None:
    text, in_short = of_instances(inventory, scope)

    assert says in text
    assert f"({says_in_short}" in in_short


def test_where_a_note_may_say_that_a_vault_is_missing_the_count_is_the_least() -> None:
    text, _ = of_instances(vaults(InventoryStatus.COMPLETE, COULD_NOT_COUNT, ("v", 1), all_read=False))

    assert "the vaults hold at least 1 backup of an EC2 instance: 1 in v." in text


def test_the_name_of_a_vault_stays_on_its_line() -> None:
    text, _ = of_instances(vaults(InventoryStatus.COMPLETE, None, ("x\n\u202eevil" + "y" * 500, 1)))

    assert text.isprintable()
    assert len(text) < 400


NO_KEY = "none"
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
VALUE: Any = {"Value": MOMENT, "Operator": "GREATER_THAN_EQUAL_TO"}


@pytest.mark.parametrize(
    ("filters", "by_creation_time"),
    [
        ({"EBSItemFilters": [{"FilePaths": [{"Value": "a"}]}, {"CreationTimes": [VALUE]}]}, True),
        ({"S3ItemFilters": [{"CreationTimes": [VALUE]}]}, True),
        ({"EBSItemFilters": [{"LastModificationTimes": [VALUE]}]}, False),
        ({"S3ItemFilters": [], "EBSItemFilters": []}, False),
        ({}, False),
    ],
)
def test_whether_a_search_filters_by_creation_time_is_read_and_its_values_are_not_kept(
    filters: Any, by_creation_time: bool
) -> None:
    client = boto3.client("backupsearch", "us-east-1", aws_access_key_id=NO_KEY, aws_secret_access_key=NO_KEY)
    answer: Any = {"SearchJobIdentifier": JOB_ID, "SearchJobArn": JOB_ARN, "Status": "COMPLETED"}
    answer |= {"SearchScope": {"BackupResourceTypes": ["EBS"]}, "CreationTime": MOMENT, "ItemFilters": filters}
    with Stubber(client) as stubber:
        stubber.add_response("get_search_job", answer)

        job = BackupSearch(client).search_job(JOB_ID)

    assert job.filters_by_creation_time is by_creation_time
    assert "GREATER" not in repr(job)
