"""The filters of a search: what a report may keep of them, and what it says only if somebody asked it to."""

from typing import Any

import pytest

from search_coverage.coverage.item_filters import ItemFilters
from tests.examples import JANE, filters_for_jane, search_job
from tests.fakes import FAILED, World
from tests.reports import report


def test_their_names_and_their_hash_are_known_and_their_values_are_not_shown() -> None:
    filters = filters_for_jane()

    assert filters.names == ("ObjectKeys", "Sizes")
    assert JANE not in repr(filters)
    assert JANE not in repr(search_job(item_filters=filters))


def test_without_values_the_hash_stays() -> None:
    filters = filters_for_jane()
    kept = filters.without_values()

    assert (kept.names, kept.sha256) == (filters.names, filters.sha256)
    assert (kept.content, kept.object_keys, kept.are_known) == (None, (), False)


@pytest.mark.parametrize("nothing", [None, {}, {"S3ItemFilters": []}, {"S3ItemFilters": None, "EBSItemFilters": []}])
def test_no_filters_are_known_to_be_none(nothing: Any) -> None:
    filters = ItemFilters.of(nothing)

    assert filters.names == ()
    assert filters.sha256 == ItemFilters().sha256
    assert filters.without_values().are_known


@pytest.mark.parametrize(
    "broken",
    [
        [JANE],
        {"S3ItemFilters": [JANE]},
        {"S3ItemFilters": 7},
        {JANE: JANE},
        {"EBSItemFilters": [{"FilePaths": JANE}]},
        {"EBSItemFilters": [{"FilePaths": {"Value": JANE}}]},
        {"EBSItemFilters": [{"Sizes": [7]}]},
        {"EBSItemFilters": [{"FilePaths": [{"Value": "x", "Operator": [JANE]}]}]},
    ],
)
def test_filters_of_another_shape_are_refused_without_quoting_them(broken: Any) -> None:
    with pytest.raises(TypeError) as refused:
        ItemFilters.of(broken)

    assert JANE not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("kept", [True, False])
def test_their_values_are_in_summary_and_page_only_if_they_are_kept(kept: bool) -> None:
    world = World()
    world.keep_item_filters = kept
    world.add_job(item_filters=filters_for_jane())
    world.backups = [FAILED]

    world.report()

    summary = world.bucket.named("summary.json")
    assert summary["searchJob"]["itemFilterNames"] == ["ObjectKeys", "Sizes"]
    assert (summary["searchJob"]["itemFilters"] is not None) is kept
    stored = {key for key, one in world.bucket.objects.items() if JANE.encode() in one.body}
    assert any(key.endswith("summary.json") for key in stored) is kept
    assert bool(stored) is kept


def test_they_are_in_no_message_and_no_mail() -> None:
    made = report(job=search_job(item_filters=filters_for_jane()))

    assert JANE not in repr(made.messages)
