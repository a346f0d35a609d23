"""What even a complete search does not see: by the type of the search, and no more and no less than is known."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from search_coverage.aws.backup_search import BackupSearch
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import Inventory, InventoryStatus, NotSearchable
from search_coverage.report.blind_spots import BlindSpot, blind_spots
from tests.examples import JOB_ARN, JOB_ID, search_job

EBS = SearchScope(("EBS",))


def vaults(
    *held: tuple[str, int],
    status: InventoryStatus = InventoryStatus.COMPLETE,
    message: str | None = None,
    all_read: bool = True,
) -> Inventory:
    """Return an inventory of vaults, each with its name and its number of backups of EC2 instances."""
    not_searchable = tuple(NotSearchable(*one) for one in held)
    return Inventory(status, message, not_searchable=not_searchable, not_searchable_is_all=all_read)


def spots(scope: SearchScope = EBS, inventory: Inventory | None = None, **changes: Any) -> dict[str, BlindSpot]:
    found = blind_spots(search_job(scope=scope, **changes), inventory or vaults())
    return {spot.title: spot for spot in found}


OF_EBS = {"Links on EBS volumes", "Files without a creation time", "EBS volumes inside backups of EC2 instances"}
OF_S3 = {"Delete markers in S3", "The latest changes in continuous S3 backups"}


@pytest.mark.parametrize(
    ("types", "titles"), [(("EBS",), OF_EBS), (("S3",), OF_S3), ((), OF_EBS | OF_S3), (("EFS",), OF_EBS | OF_S3)]
)
def test_they_are_those_of_the_resource_type_and_contents_are_always_among_them(
    types: tuple[str, ...], titles: set[str]
) -> None:
    assert set(spots(SearchScope(types))) == {"Contents", *titles}


def test_a_filter_by_creation_time_emphasizes_missing_creation_times() -> None:
    quiet, loud = (
        spots(item_filters=filters)["Files without a creation time"]
        for filters in (ItemFilters(), ItemFilters(("CreationTimes",)))
    )

    assert not quiet.concerns_this_search
    assert "this search has no such filter" in quiet.text
    assert quiet.in_short is None
    assert loud.concerns_this_search
    assert "This search filters by creation time, so it may have passed over such files" in loud.text
    assert "THIS SEARCH FILTERS BY CREATION TIME" in str(loud.in_short)


COULD_NOT_COUNT = "The backups of EC2 instances in 1 vault could not be counted: denied."
TEN_OF_TWENTY = ", ".join(f"{30 - n} in v{n:02}" for n in range(10))


@pytest.mark.parametrize(
    ("inventory", "scope", "says", "says_in_short"),
    [
        (
            vaults(("weekly", 2), ("nightly", 1_200)),
            EBS,
            "that the search covers, the vaults hold 1,202 backups of EC2 instances: 1,200 in nightly, 2 in weekly.",
            "1,202: 1,200 in nightly, 2 in weekly",
        ),
        (
            vaults(*((f"v{n:02}", 30 - n) for n in range(20)), all_read=False),
            EBS,
            f"the vaults hold at least 410 backups of EC2 instances: {TEN_OF_TWENTY}, 155 in 10 more vaults.",
            "at least 410: 30 in v00, 29 in v01, 28 in v02, 323 in 17 more vaults",
        ),
        (
            vaults(("v", 1), message=COULD_NOT_COUNT, all_read=False),
            EBS,
            "the vaults hold at least 1 backup of an EC2 instance: 1 in v.",
            "at least 1: 1 in v",
        ),
        (vaults(), EBS, "the vaults hold none.", "none in the vaults"),
        (Inventory(InventoryStatus.OFF), EBS, "not counted, since the comparison with the vaults", "not counted"),
        (vaults(), SearchScope(()), "They were not counted, since AWS did not say", "not counted"),
        (
            Inventory(InventoryStatus.UNAVAILABLE, "x"),
            EBS,
            "None were found, but perhaps not all vaults could be read",
            "none found, but perhaps not all vaults were read",
        ),
        (
            vaults(message=COULD_NOT_COUNT, all_read=False),
            EBS,
            "None were found, but perhaps not all vaults could be read",
            "none found, but perhaps not all vaults were read",
        ),
    ],
    ids=["by vault", "many vaults", "at least", "none", "off", "no type", "unavailable", "not all vaults"],
)
def test_volumes_in_backups_of_instances_are_counted_by_vault_and_what_was_not_counted_is_not_said_to_be_none(
    inventory: Inventory, scope: SearchScope, says: str, says_in_short: str
) -> None:
    spot = spots(scope, inventory)["EBS volumes inside backups of EC2 instances"]

    assert says in spot.text
    assert str(spot.in_short).endswith(f"({says_in_short})")
    assert spot.concerns_this_search == bool(inventory.not_searchable)


def test_the_name_of_a_vault_stays_on_its_line() -> None:
    inventory = vaults(("x\n\u202eevil" + "y" * 500, 1))

    text = spots(inventory=inventory)["EBS volumes inside backups of EC2 instances"].text

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
def test_whether_a_search_filters_by_creation_time_is_read_and_its_values_are_never_shown(
    filters: Any, by_creation_time: bool
) -> None:
    client = boto3.client("backupsearch", "us-east-1", aws_access_key_id=NO_KEY, aws_secret_access_key=NO_KEY)
    answer: Any = {"SearchJobIdentifier": JOB_ID, "SearchJobArn": JOB_ARN, "Status": "COMPLETED"}
    answer |= {"SearchScope": {"BackupResourceTypes": ["EBS"]}, "CreationTime": MOMENT, "ItemFilters": filters}
    with Stubber(client) as stubber:
        stubber.add_response("get_search_job", answer)

        job = BackupSearch(client).search_job(JOB_ID)

    assert ("CreationTimes" in job.item_filters.names) is by_creation_time
    assert "GREATER" not in repr(job)
