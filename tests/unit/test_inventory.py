"""The list of a search, compared with what the vaults hold."""

from datetime import timedelta
from typing import Any

import pytest

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.verdict import NotSearchable, Verdict
from tests.fakes_inventory import BUCKET, LATER, ROLE, STARTED, Take, days_before, never_indexed, points, volumes

CONTINUOUS = {"arn": "arn:aws:backup:us-east-1::recovery-point:continuous:invoices-1a2b", "completed": LATER}
COLD = {"cold_since": days_before(0.5)}
ANY, EBS = {"resource_types": ()}, {"resource_types": ("EBS",)}
S3_BY_TAG = {"tags": (("pii", "yes"),)}


def test_a_search_whose_whole_list_is_completed_is_partial_if_backups_were_never_indexed(take: Take) -> None:
    taken = take(points(7), never_indexed(3))

    inventory = taken.inventory
    assert taken.outcome == ("PARTIAL", "COMPLETE")
    (doubt,) = taken.judgement.reasons
    assert doubt == "3 of 10 backups in the scope of the search are not in its list, so it did not look at them."
    assert (inventory.vaults, inventory.in_scope, inventory.not_listed, inventory.message) == (1, 10, 3, None)
    for exclusion in taken.exclusions:
        assert (exclusion.reason, exclusion.backup.status) == (Reason.INDEX_MISSING, None)
        assert exclusion.index == BackupIndex("Default", role_arn=ROLE)


@pytest.mark.parametrize(
    ("listed_as", "detailed_as", "reason"),
    [
        (COLD, {}, Reason.ARCHIVED),
        (COLD, {"cold_since": None}, Reason.INDEX_MISSING),
        ({"vault_type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"}, {}, Reason.NOT_SUPPORTED),
        (CONTINUOUS, {}, Reason.INDEX_MISSING),
        ({**CONTINUOUS, "status": "CREATING"}, {}, Reason.INDEX_MISSING),
        ({"completed": LATER}, {"completed": days_before(1)}, Reason.INDEX_MISSING),
    ],
    ids=[
        "cold",
        "planned to be cold, and warm as AWS says",
        "air-gapped",
        "continuous, and updated since",
        "continuous, and being updated",
        "completed too late as the list says, and in time as the description says",
    ],
)
def test_what_the_vault_says_is_the_reason_why_a_backup_is_not_listed(
    take: Take, listed_as: dict[str, Any], detailed_as: dict[str, Any], reason: Reason
) -> None:
    taken = take(points(7), never_indexed(**listed_as), details={"never-0": detailed_as})

    assert (taken.judgement.verdict, taken.reasons) == (Verdict.PARTIAL, {reason: 1})


@pytest.mark.parametrize(
    ("listed_as", "detailed_as", "words", "verdict"),
    [
        ({"created": LATER}, {}, "made or completed after the search began", "COMPLETE"),
        ({"completed": LATER}, {}, "made or completed after the search began", "COMPLETE"),
        ({"completed": None}, {"completed": LATER}, "made or completed after the search began", "COMPLETE"),
        ({"status": "CREATING"}, {}, "still being made", "COMPLETE"),
        ({"status": "DELETING"}, {}, "being deleted", "PARTIAL"),
        ({"role_arn": None}, {"status": "DELETING"}, "being deleted", "PARTIAL"),
        ({"role_arn": None}, None, "deleted while the inventory was taken", "PARTIAL"),
    ],
    ids=["made later", "copied later", "copied, not shown", "creating", "deleting", "deleting, not shown", "gone"],
)
def test_what_could_not_be_searched_is_left_out_and_counted_and_its_tags_are_not_read(
    take: Take, listed_as: dict[str, Any], detailed_as: dict[str, Any] | None, words: str, verdict: str
) -> None:
    taken = take(points(7), never_indexed(**listed_as), details={"never-0": detailed_as}, scope=S3_BY_TAG)

    assert taken.outcome == (verdict, "COMPLETE")
    assert (taken.inventory.in_scope, taken.inventory.not_listed) == (7, 0)
    assert taken.message == f"Of the backups that match the scope, these are left out: 1 {words}."
    assert taken.vaults.calls["tags"] == 0


def test_several_kinds_of_what_is_left_out_are_counted_in_one_sentence(take: Take) -> None:
    groups = [never_indexed(2, created=LATER), *(never_indexed(end=s, status=s) for s in ("CREATING", "DELETING"))]

    taken = take(points(7), *groups, never_indexed(end="gone", role_arn=None), details={"gone": None})

    assert taken.message.endswith(
        "2 made or completed after the search began, 1 still being made, 1 being deleted, "
        "1 deleted while the inventory was taken."
    )
    # What was there when the search began, and is not in its list, was not searched, whatever becomes of it
    (doubt,) = taken.judgement.reasons
    assert doubt.startswith("2 backups that match the scope of the search and are not in its list are being deleted")


def test_a_listed_backup_is_not_left_out_although_it_is_being_deleted(take: Take) -> None:
    taken = take(points(7, status="DELETING"))

    assert (taken.outcome, taken.message) == (("COMPLETE", "COMPLETE"), "")


@pytest.mark.parametrize("more_vaults", [("Default",), ()], ids=["no recovery points", "no vaults"])
def test_an_inventory_that_found_nothing_of_what_the_search_lists_is_not_complete(
    take: Take, more_vaults: tuple[str, ...]
) -> None:
    taken = take(more_vaults=more_vaults, listed=points(7))

    assert taken.outcome == ("PARTIAL", "PARTIAL")
    assert "None of the 7 backups that the search lists was found in the vaults" in taken.message
    assert "in no vault" not in taken.message


def test_listed_backups_that_were_deleted_since_are_mentioned_and_no_doubt(take: Take) -> None:
    taken = take(points(7), listed=points(8))

    assert (taken.outcome, taken.inventory.in_scope) == (("COMPLETE", "COMPLETE"), 8)
    assert taken.message.startswith("1 of the 8 backups that the search lists are in no vault")


@pytest.mark.parametrize(
    ("scope", "not_listed", "in_scope"),
    [
        ({"source_arns": (BUCKET,)}, never_indexed(vault="Copies"), 8),
        ({"source_arns": (BUCKET,)}, never_indexed(3, source_resource_arn=None), 10),
        (EBS, volumes(end="b", index_status=None), 4),
    ],
    ids=["a copy in another vault", "of a source that AWS does not name", "a snapshot, whose ARN has no account"],
)
def test_what_matches_the_scope_is_in_it(
    take: Take, scope: dict[str, Any], not_listed: list[Any], in_scope: int
) -> None:
    listed = volumes(3, end="a{}") if scope is EBS else points(7)

    taken = take(listed, not_listed, scope=scope)

    assert (taken.inventory.in_scope, taken.inventory.not_listed) == (in_scope, len(not_listed))
    assert [exclusion.backup.backup_arn for exclusion in taken.exclusions] == [point.arn for point in not_listed]


def test_what_aws_returns_beyond_the_request_is_not_in_scope(take: Take) -> None:
    too_old: dict[str, Any] = {"created": days_before(2) - 0.5, "index_status": None}  # within the margin of a second
    scope = {**EBS, "created_after": STARTED - timedelta(days=2)}

    gone = volumes(end="c", **too_old, status="DELETING")
    taken = take(volumes(), volumes(end="b", **too_old), gone, instances("a", 1, **too_old), scope=scope)
    untold = never_indexed(resource_type=None, completed=None)
    of_another_type = take(untold, details={"never-0": {"resource_type": "EFS"}}, scope=ANY)

    assert (taken.inventory.in_scope, taken.inventory.left_out, taken.inventory.not_searchable) == (1, {}, ())
    assert of_another_type.inventory.in_scope == 0


def test_a_vault_is_read_source_by_source_unless_that_takes_more_calls_than_to_read_it_whole(take: Take) -> None:
    sources = ("arn:aws:s3:::a", "arn:aws:s3:::b")

    taken = take(
        more_vaults=("small", "large"), points_in={"small": 1000, "large": 1001}, scope={"source_arns": sources}
    )

    assert sorted(taken.vaults.lists, key=str) == [("large", sources[0]), ("large", sources[1]), ("small", None)]
    assert taken.inventory.vaults == 2


def test_a_vault_is_not_read_on_once_every_backup_that_the_scope_names_is_found(take: Take) -> None:
    taken = take(points(9), page_size=1, scope={"backup_arns": (points()[0].arn,)}, listed=points())

    assert (taken.outcome, taken.vaults.calls["points_of_vault"]) == (("COMPLETE", "COMPLETE"), 1)


def test_details_are_looked_up_of_a_thousand_backups_at_most_and_the_others_are_counted(take: Take) -> None:
    unknown = never_indexed(1050, role_arn=None)

    taken = take(points(7), unknown, denied={("with_details", unknown[0].arn)})

    assert (taken.vaults.calls["with_details"], taken.inventory.not_listed) == (1000, 1050)
    assert "of 50 backups that the search does not list were not looked up" in taken.message
    assert "with_details of" in taken.message


def instances(end: str, count: int, **changes: Any) -> list[Any]:
    arn = f"arn:aws:ec2:us-east-1::image/ami-{end}{{}}"
    return never_indexed(count, **{"arn": arn, "resource_type": "EC2", **changes})


def test_backups_of_instances_in_the_window_of_a_search_for_ebs_are_counted_by_vault(take: Take) -> None:
    here, there = instances("a", 5), instances("b", 1, vault="Other")
    others = (instances("old", 2, created=days_before(30)), instances("deleted", 1, status="DELETING"))
    late = instances("late", 1, vault="Other", created=LATER)

    taken = take(volumes(), here, *others, there, late, scope={**EBS, "created_after": STARTED.replace(day=13)})

    assert taken.inventory.not_searchable == (
        NotSearchable("Default", 5, tuple(point.arn for point in here[:3])),
        NotSearchable("Other", 1, (there[0].arn,)),
    )
    assert taken.inventory.not_searchable_is_all
    assert (taken.outcome, taken.exclusions) == (("COMPLETE", "COMPLETE"), [])


def test_a_search_for_s3_counts_no_instances(take: Take) -> None:
    taken = take(points(), instances("a", 1))

    assert (taken.inventory.not_searchable, taken.vaults.calls["points_of_vault"]) == ((), 1)


def test_instances_that_cannot_be_counted_are_mentioned_and_change_no_verdict(take: Take) -> None:
    taken = take(volumes(), instances("a", 1), scope=EBS, denied={("points_of_vault", "EC2")})

    assert (taken.outcome, taken.inventory.not_searchable) == (("COMPLETE", "COMPLETE"), ())
    assert not taken.inventory.not_searchable_is_all
    assert "The backups of EC2 instances in 1 vault could not be counted: points_of_vault of Default" in taken.message
