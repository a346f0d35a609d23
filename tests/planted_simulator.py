"""AWS Backup as the tests see it: every search looks for a person."""

from collections.abc import Mapping
from typing import Any

from simulators.backup_search import BackupSimulator, Scenario
from tests.examples import JANE


class PlantedSimulator(BackupSimulator):
    """A simulator whose search jobs have a planted word in their item filters, unless they have other filters."""

    def finish_job(
        self, scenario: str | Scenario, *, item_filters: Mapping[str, Any] | None = None, **given: Any
    ) -> str:
        """Add a search job that has ended."""
        known = self.account.scenarios[scenario] if isinstance(scenario, str) else scenario
        if item_filters is None and not known.item_filters:
            item_filters = planted_filters(known.resource_type)
        return super().finish_job(scenario, item_filters=item_filters, **given)


def planted_filters(resource_type: str) -> dict[str, Any]:
    """Return ItemFilters with a planted word."""
    name, paths = ("EBSItemFilters", "FilePaths") if resource_type == "EBS" else ("S3ItemFilters", "ObjectKeys")
    return {name: [{paths: [{"Value": f"people/{JANE}", "Operator": "BEGINS_WITH"}]}]}
