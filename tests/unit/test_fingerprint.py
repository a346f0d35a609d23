"""The fingerprint of a question: the same for the same question, however AWS or a person writes it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_scope import SearchScope
from tests.examples import search_job

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "resource_types": ("S3",),
    "created_after": NOON,
    "source_arns": ("arn:aws:s3:::a", "arn:aws:s3:::b"),
    "tags": (("team", "finance"), ("stage", "prod")),
}
FILTERS: dict[str, Any] = {
    "S3ItemFilters": [
        {"ObjectKeys": [{"Value": "a", "Operator": "CONTAINS"}, {"Value": "b", "Operator": "CONTAINS"}]},
        {"CreationTimes": [{"Value": NOON, "Operator": "LESS_THAN_EQUAL_TO"}]},
    ]
}
TOKYO = timezone(timedelta(hours=9))


def question(scope: dict[str, Any] | None = None, filters: dict[str, Any] | None = None) -> str:
    return search_job(
        scope=SearchScope(**{**SCOPE, **(scope or {})}),
        item_filters=ItemFilters.of(FILTERS if filters is None else filters),
    ).fingerprint


def reversed_everywhere(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reversed_everywhere(value[name]) for name in reversed(value)}
    return [reversed_everywhere(one) for one in reversed(value)] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("scope", "filters"),
    [
        ({"source_arns": ("arn:aws:s3:::b", "arn:aws:s3:::a", "arn:aws:s3:::b")}, None),
        ({"tags": (("stage", "prod"), ("team", "finance"))}, None),
        ({"created_after": NOON.astimezone(TOKYO)}, None),
        ({}, reversed_everywhere(FILTERS)),
        ({}, {**FILTERS, "EBSItemFilters": []}),
        ({}, {**FILTERS, "EBSItemFilters": None}),
        ({}, json.loads(json.dumps(FILTERS, default=lambda moment: moment.isoformat().replace("+00:00", "Z")))),
    ],
)
def test_order_repetitions_time_zones_and_empty_members_do_not_change_it(
    scope: dict[str, Any], filters: dict[str, Any] | None
) -> None:
    assert question(scope, filters) == question()


@pytest.mark.parametrize(
    ("scope", "filters"),
    [
        ({"resource_types": ("EBS",)}, None),
        ({"source_arns": ("arn:aws:s3:::a",)}, None),
        ({"created_after": NOON + timedelta(seconds=1)}, None),
        ({"created_after": None, "created_before": NOON}, None),
        ({"tags": (("team", "prod"), ("stage", "finance"))}, None),
        ({"backup_arns": ("arn:aws:s3:::a",)}, None),
        ({}, {}),
        ({}, {"EBSItemFilters": FILTERS["S3ItemFilters"]}),
        ({}, {"S3ItemFilters": [{"ObjectKeys": [{"Value": "a"}]}]}),
        ({}, {"S3ItemFilters": [{**FILTERS["S3ItemFilters"][0], **FILTERS["S3ItemFilters"][1]}]}),
    ],
)
def test_another_question_has_another_one(scope: dict[str, Any], filters: dict[str, Any] | None) -> None:
    assert question(scope, filters) != question()


def test_name_tags_result_account_and_region_are_no_part_of_it() -> None:
    one, other = search_job(), search_job(name="again", status="FAILED", tags=(("case", "4711"),), items_matched=7)

    assert one.fingerprint == other.fingerprint


def test_it_can_be_calculated_from_the_summary_without_the_filters() -> None:
    def of(value: Any) -> str:
        return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    scope = {
        "resourceTypes": ["S3"],
        "createdAfter": "2026-11-01T12:00:00Z",
        "sourceArns": ["arn:aws:s3:::a", "arn:aws:s3:::b"],
        "tags": {"team": "finance", "stage": "prod"},
    }

    assert question() == of({"version": 1, "scope": scope, "itemFiltersSha256": ItemFilters.of(FILTERS).sha256})


def test_half_a_character_has_a_fingerprint_too() -> None:
    assert len(question(filters={"S3ItemFilters": [{"ObjectKeys": [{"Value": "\ud800"}]}]})) == 64
