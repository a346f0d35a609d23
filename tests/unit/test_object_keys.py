"""The objects that a search looked for: for the page's commands, and nowhere else, since they can be personal data."""

from typing import Any

import pytest

from search_coverage.aws.backup_search import _object_keys
from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.object_keys import KeyFilter
from search_coverage.coverage.search_scope import SearchScope
from tests.examples import search_job
from tests.reports import failed, report

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
    assert len(_object_keys(item_filters)) == keys


def test_the_searched_keys_are_on_the_page_and_nowhere_else() -> None:
    key = KeyFilter("people/jane", "BEGINS_WITH")
    job = search_job(scope=SearchScope(("S3",)), object_keys=(key,))

    made = report([failed(Reason.NOT_SUPPORTED, resource_type="S3")], job=job)

    assert "people/jane" in made.page
    elsewhere = [made.csv.decode(), made.lines, made.summary, made.bodies, made.mail, job, key]
    assert "jane" not in repr(elsewhere)
