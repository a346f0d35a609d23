"""The objects that a search looked for, by their keys."""

from typing import Any

import pytest

from search_coverage.coverage.item_filters import ItemFilters

JANE = {"Value": "people/jane", "Operator": "BEGINS_WITH"}


@pytest.mark.parametrize(
    ("item_filters", "keys"),
    [
        (None, 0),
        ({}, 0),
        ({"S3ItemFilters": None}, 0),
        ({"EBSItemFilters": [{"FilePaths": [JANE]}]}, 0),
        ({"S3ItemFilters": [{"ObjectKeys": [JANE, {"Value": ".csv", "Operator": "ENDS_WITH"}]}]}, 2),
        ({"S3ItemFilters": [{"ObjectKeys": [JANE], "Sizes": [{"Value": 1}]}, {"ObjectKeys": [JANE]}]}, 2),
        # One filter that names no key, or says which it did not look for, and all objects are listed
        ({"S3ItemFilters": [{"ObjectKeys": [JANE]}, {"Sizes": [{"Value": 1}]}]}, 0),
        ({"S3ItemFilters": [{"ObjectKeys": [JANE, {"Value": "x", "Operator": "NOT_EQUALS_TO"}]}]}, 0),
        ({"S3ItemFilters": [{"ObjectKeys": [{"Value": "x"}]}]}, 0),
    ],
)
def test_keys_narrow_the_listing_only_where_all_filters_name_what_was_looked_for(
    item_filters: dict[str, Any] | None, keys: int
) -> None:
    assert len(ItemFilters.of(item_filters).object_keys) == keys
