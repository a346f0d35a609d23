"""Search jobs and backups that the tests begin with; each test changes what it is about."""

from datetime import UTC, datetime
from typing import Any

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import Backup
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope

JOB_ID = "0a1b2c3d-1111-2222-3333-444455556666"
JANE = "jane-doe-9f3a"
"""A word that stands for personal data: in a filter or a result of a search."""
JOB_ARN = f"arn:aws:backup-search:us-east-1:000000000000:search-job/{JOB_ID}"


def search_job(**changes: Any) -> SearchJob:
    """Return a search job that ended well, with changes. It looked for a person."""
    members: dict[str, Any] = {
        "identifier": JOB_ID,
        "arn": Arn.parse(JOB_ARN),
        "status": "COMPLETED",
        "name": "find-invoice",
        "creation_time": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        "completion_time": datetime(2026, 11, 20, 9, 5, 30, tzinfo=UTC),
        "scope": SearchScope(resource_types=("EBS",)),
        "item_filters": ItemFilters.of({"EBSItemFilters": [{"FilePaths": [{"Value": f"/home/{JANE}"}]}]}),
        **changes,
    }
    return SearchJob(**members)


def filters_for_jane() -> ItemFilters:
    """Return filters that hold personal data."""
    keys = [{"Value": f"people/{JANE}", "Operator": "BEGINS_WITH"}]
    return ItemFilters.of({"S3ItemFilters": [{"ObjectKeys": keys, "Sizes": [{"Value": 7}]}]})


def backup(**changes: Any) -> Backup:
    """Return a backup that was searched, with changes."""
    members: dict[str, Any] = {
        "status": "COMPLETED",
        "resource_type": "EBS",
        "backup_arn": "arn:aws:ec2:us-east-1::snapshot/snap-0001",
        "source_resource_arn": "arn:aws:ec2:us-east-1:000000000000:volume/vol-0001",
        "created": 1795168800.0,
        "index_created": 1795172400.0,
        **changes,
    }
    return Backup(**members)
