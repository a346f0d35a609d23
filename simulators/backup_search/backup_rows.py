"""The rows of ListSearchJobBackups, made from a scenario's groups when a page asks for them.

A group is rendered to JSON once; a row is that text with its number put in. So a list of 100,000 rows costs what its
pages cost, and a page of 1000 rows a millisecond or two.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any

from botocore.model import StructureShape

from simulators.backup_search.moment import time_of
from simulators.backup_search.numbered_text import numbering
from simulators.backup_search.protocol import RenderedJson, render_json
from simulators.backup_search.scenario import BackupGroup, Scenario
from simulators.backup_search.search_jobs import JobStatus

# {series} and {nth} set the backups of one scenario apart from those of another.
_SOURCES = {
    "S3": "arn:aws:s3:::example-bucket-{nth}{i:06}",
    "EBS": "arn:aws:ec2:{region}:{account}:volume/vol-{series}{i:012x}",
}
# An EBS backup is a snapshot, its ARN has no account (aws-facts.md §2).
_BACKUPS = {
    "S3": "arn:aws:backup:{region}:{account}:recovery-point:000{series}-0000-4000-8000-{i:012x}",
    "EBS": "arn:aws:ec2:{region}::snapshot/snap-{series}{i:012x}",
}


def source_template(scenario: Scenario, group: BackupGroup) -> str:
    """Returns the SourceResourceArn of a group's backups, its placeholders still in it."""
    resource_type = group.resource_type or scenario.resource_type
    return group.source or _SOURCES.get(resource_type, _SOURCES["S3"])


def arn_template(scenario: Scenario, group: BackupGroup) -> str:
    """Returns the BackupResourceArn of a group's backups, its placeholders still in it."""
    resource_type = group.resource_type or scenario.resource_type
    return group.backup_arn or _BACKUPS.get(resource_type, _BACKUPS["S3"])


def row_of(scenario: Scenario, group: BackupGroup, created_at: datetime) -> dict[str, Any]:
    """Returns the members of a group's rows; texts still hold their placeholders.

    Args:
        scenario: The scenario that the group belongs to.
        group: The group.
        created_at: When the search job was created, which "2 days ago" counts from.
    """
    members: dict[str, Any] = {
        "Status": group.status,
        "StatusMessage": group.status_message,
        "ResourceType": group.resource_type or scenario.resource_type,
        "BackupResourceArn": arn_template(scenario, group),
        "SourceResourceArn": source_template(scenario, group),
        "IndexCreationTime": time_of(group.index_created, created_at),
        "BackupCreationTime": time_of(group.created, created_at),
    }
    return {name: value for name, value in members.items() if value is not None and name not in group.omit}


class BackupRows:
    """The rows of one search job.

    Args:
        shape: The model's shape of a row.
        scenario: The job's scenario.
        created_at: When the job was created.
        names: What ``{account}``, ``{region}`` and the like stand for.
    """

    def __init__(
        self, shape: StructureShape, scenario: Scenario, created_at: datetime, names: Mapping[str, str]
    ) -> None:
        self._shape = shape
        self._scenario = scenario
        self._created_at = created_at
        self._names = names
        self._groups = [group for group in scenario.backups if group.listed]
        self._starts = list(accumulate((group.count for group in self._groups), initial=0))
        self._template = cache(self._make_template)

    def json(self, start: int, stop: int, *, stopped_from: int, nulls: bool = False) -> RenderedJson:
        """Returns rows as a JSON list.

        Args:
            start: The first row, from 0.
            stop: The row after the last.
            stopped_from: The first row that the search did not get to before it was stopped. What AWS lists there is
                not known; here such a row is STOPPED, without a message.
            nulls: Whether members that are not there are null.
        """
        searched = self._rows(start, min(stop, stopped_from), stopped=False, nulls=nulls)
        left = self._rows(max(start, stopped_from), stop, stopped=True, nulls=nulls)
        return RenderedJson(f"[{','.join([*searched, *left])}]")

    def _rows(self, start: int, stop: int, *, stopped: bool, nulls: bool) -> Iterator[str]:
        while start < stop:
            group = bisect_right(self._starts, start) - 1
            end = min(stop, self._starts[group + 1])
            # A row's number counts from 1, unless the group has numbers of its own.
            first = self._groups[group].first
            ahead = 1 if first is None else first - self._starts[group]
            yield from map(self._template(group, stopped, nulls), range(start + ahead, end + ahead))
            start = end

    def _make_template(self, number: int, stopped: bool, nulls: bool) -> Callable[[int], str]:  # noqa: FBT001
        group = self._groups[number]
        if stopped:
            group = replace(group, status=JobStatus.STOPPED, status_message=None)
        row = row_of(self._scenario, group, self._created_at)
        return numbering(render_json(self._shape, row, nulls=nulls), self._names)
