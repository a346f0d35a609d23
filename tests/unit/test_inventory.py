"""The list of a search, compared with what the vaults hold."""

from pathlib import Path
from typing import Any

import pytest

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.verdict import Verdict
from tests.fakes_inventory import (
    BUCKET,
    LATER,
    Search,
    days_before,
    never_indexed,
    point_arn,
    points,
    snapshots,
)

AIR_GAPPED = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
CONTINUOUS = point_arn("continuous:invoices-1a2b3c4d")
COMPLETE, PARTIAL = ("COMPLETE", "COMPLETE"), ("PARTIAL", "PARTIAL")


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


def test_a_search_whose_whole_list_is_completed_is_partial_if_backups_were_never_indexed(search: Search) -> None:
    search.vaults.hold("Default", points(7), never_indexed(3))

    taken = search.inventory()

    inventory = taken.inventory
    assert taken.outcome == ("PARTIAL", "COMPLETE")
    assert taken.judgement.reasons == (
        "3 of 10 backups in the scope of the search are not in its list, so it did not look at them.",
    )
    assert (inventory.vaults, inventory.in_scope, inventory.not_listed, inventory.message) == (1, 10, 3, None)
    for exclusion in taken.exclusions:
        assert (exclusion.reason, exclusion.listed, exclusion.backup.status) == (Reason.INDEX_MISSING, False, None)
        assert exclusion.index
        assert (exclusion.index.vault, exclusion.index.role_arn) == ("Default", points()[0].role_arn)


def test_the_vault_says_why_a_backup_is_not_listed(search: Search) -> None:
    planned, cold = never_indexed(2, cold_since=days_before(0.5))
    search.vaults.details = {planned.arn: planned._replace(cold_since=None)}
    search.vaults.hold("Default", points(7), [planned, cold], never_indexed(end="new"))
    search.vaults.hold("Vaulted", never_indexed(2, "vaulted-{}"), vault_type=AIR_GAPPED)

    taken = search.inventory()

    # What is planned for cold storage is cold only if AWS says so
    assert taken.reasons == {Reason.INDEX_MISSING: 2, Reason.ARCHIVED: 1, Reason.NOT_SUPPORTED: 2}
    assert taken.inventory.vaults == 2


def test_copies_of_one_source_in_two_vaults_are_two_backups(search: Search) -> None:
    search.vaults.hold("Default", points())
    search.vaults.hold("Copies", never_indexed())

    inventory = search.inventory({"source_arns": (BUCKET,)}).inventory

    assert (inventory.in_scope, inventory.not_listed) == (2, 1)


def test_a_vault_is_read_source_by_source_unless_that_takes_more_calls_than_to_read_it_whole(search: Search) -> None:
    sources = ("arn:aws:s3:::a", "arn:aws:s3:::b")
    search.vaults.hold("empty")
    search.vaults.hold("small", never_indexed(source_resource_arn="arn:aws:s3:::c"), says=1000)
    search.vaults.hold("large", never_indexed(end="large", source_resource_arn=sources[0]), says=1001)

    taken = search.inventory({"source_arns": sources})

    expected = [("empty", None), ("large", sources[0]), ("large", sources[1]), ("small", None)]
    assert sorted(search.vaults.lists, key=str) == sorted(expected, key=str)
    assert (taken.inventory.vaults, taken.inventory.not_listed) == (3, 1)


@pytest.mark.parametrize("status", ["COMPLETED", "CREATING"])
def test_a_continuous_backup_that_was_never_indexed_is_missing_though_aws_updated_it_since(
    search: Search, status: str
) -> None:
    search.vaults.hold("Default", points(7), never_indexed(arn=CONTINUOUS, status=status, completed=LATER))

    taken = search.inventory()

    assert (taken.judgement.verdict, taken.reasons) == (Verdict.PARTIAL, {Reason.INDEX_MISSING: 1})
    assert [exclusion.backup.backup_arn for exclusion in taken.exclusions] == [CONTINUOUS]


def test_what_the_inventory_leaves_out_is_counted_and_said(search: Search) -> None:
    gone = never_indexed(end="gone", role_arn=None)[0]
    search.vaults.details = {gone.arn: None}
    search.vaults.hold(
        "Default",
        points(7),
        never_indexed(2, "later-{}", created=LATER),
        never_indexed(end="deleting", status="DELETING"),
        never_indexed(end="creating", status="CREATING"),
        never_indexed(end="copy", completed=LATER),
        [gone],
    )

    taken = search.inventory()

    assert taken.inventory.not_listed == 0
    assert taken.message == (
        "Of the backups that match the scope, these are left out: 3 made or completed after the search began, "
        "1 still being made, 1 being deleted, 1 deleted while the inventory was taken."
    )
    # What was there when the search began, and is not in its list, was not searched, whatever becomes of it
    assert taken.judgement.verdict is Verdict.PARTIAL
    (doubt,) = taken.judgement.reasons
    assert doubt.startswith("2 backups that match the scope of the search and are not in its list are being deleted")


@pytest.mark.parametrize(
    ("listed_as", "detailed_as"),
    [({"created": LATER}, {}), ({"completed": None}, {"completed": LATER}), ({"completed": LATER}, {})],
    ids=["made later", "copied later, which the list does not tell", "copied later"],
)
def test_what_came_after_the_search_began_is_said_and_no_doubt_and_its_tags_are_not_read(
    search: Search, listed_as: dict[str, Any], detailed_as: dict[str, Any]
) -> None:
    (later,) = never_indexed(**listed_as)
    search.vaults.details = {later.arn: later._replace(**detailed_as)}
    search.vaults.hold("Default", points(7), [later])

    taken = search.inventory({"tags": (("pii", "yes"),)})

    assert taken.outcome == COMPLETE
    assert "1 made or completed after the search began" in taken.message
    assert search.vaults.calls["tags"] == 0


def test_the_completion_of_a_list_is_believed_only_if_the_description_says_the_same(search: Search) -> None:
    (later,) = never_indexed(completed=LATER)
    search.vaults.details = {later.arn: later._replace(completed=days_before(1))}
    search.vaults.hold("Default", points(7), [later])

    assert search.inventory().inventory.not_listed == 1


def test_what_the_search_lists_is_not_left_out_though_it_is_being_deleted_by_now(search: Search) -> None:
    search.vaults.hold("Default", points(7, status="DELETING"))

    taken = search.inventory()

    assert (taken.outcome, taken.message) == (COMPLETE, "")


def test_snapshots_of_ebs_whose_arn_has_no_account_are_compared_too(search: Search) -> None:
    search.vaults.hold("Default", snapshots(2), snapshots(end="b", index_status=None))

    taken = search.inventory({"resource_types": ("EBS",)})

    assert (taken.inventory.in_scope, taken.inventory.not_listed) == (3, 1)
    assert taken.exclusions[0].backup.backup_arn == "arn:aws:ec2:us-east-1::snapshot/snap-b"


def test_once_every_backup_that_the_scope_names_is_found_a_vault_is_not_read_on(search: Search) -> None:
    search.vaults.page_size = 1
    search.vaults.hold("Default", points(9))

    taken = search.inventory({"backup_arns": (points()[0].arn,)}, listed=points())

    assert taken.outcome == COMPLETE
    assert search.vaults.calls["points_of_vault"] == 1


@pytest.mark.parametrize("has_vault", [True, False], ids=["no recovery points", "no vaults"])
def test_an_inventory_that_found_nothing_of_what_the_search_lists_is_not_complete(
    search: Search, *, has_vault: bool
) -> None:
    if has_vault:
        search.vaults.hold("Default")

    taken = search.inventory(listed=points(7))

    assert taken.outcome == PARTIAL
    assert "None of the 7 backups that the search lists was found" in taken.message


def test_listed_backups_that_are_gone_since_are_said_and_no_doubt(search: Search) -> None:
    search.vaults.hold("Default", points(7))

    taken = search.inventory(listed=points(8))

    assert (taken.outcome, taken.inventory.in_scope) == (COMPLETE, 8)
    assert taken.message.startswith("1 of the 8 backups that the search lists are in no vault")


def test_a_point_whose_source_aws_does_not_tell_counts_as_in_scope(search: Search) -> None:
    search.vaults.hold("Default", points(7), never_indexed(3, source_resource_arn=None))

    taken = search.inventory({"source_arns": (BUCKET,)})

    assert (taken.judgement.verdict, taken.inventory.not_listed) == (Verdict.PARTIAL, 3)


def test_details_are_looked_up_of_a_thousand_backups_at_most_and_the_others_are_counted(search: Search) -> None:
    unknown = never_indexed(1050, role_arn=None)
    search.vaults.hold("Default", points(7), unknown)
    search.vaults.denied.add(("with_details", unknown[0].arn))

    taken = search.inventory()

    assert search.vaults.calls["with_details"] == 1000
    assert "of 50 backups that the search does not list were not looked up" in taken.message
    assert "with_details of" in taken.message
    assert taken.inventory.not_listed == 1050
