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

from simulators.backup_search.field_types import time_of
from simulators.backup_search.numbered_text import numbering, with_names
from simulators.backup_search.protocol import RenderedJson, Service, render_json
from simulators.backup_search.scenario import BackupGroup, Scenario
from simulators.backup_search.search_jobs import JobStatus

# {series} and {nth} distinguish the backups of one scenario from those of another.
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
    """Return the SourceResourceArn of a group's backups, its placeholders still in it."""
    return group.source or _SOURCES.get(group.resource_type or scenario.resource_type, _SOURCES["S3"])


def arn_template(scenario: Scenario, group: BackupGroup) -> str:
    """Return the BackupResourceArn of a group's backups, its placeholders still in it."""
    return group.backup_arn or _BACKUPS.get(group.resource_type or scenario.resource_type, _BACKUPS["S3"])


class BackupRows:
    """The rows of one search job.

    Args:
        service: The service's model.
        scenario: The job's scenario.
        created_at: When the job was created, which "2 days ago" counts from.
        names: What ``{account}``, ``{region}`` and the like stand for.
    """

    def __init__(self, service: Service, scenario: Scenario, created_at: datetime, names: Mapping[str, str]) -> None:
        self._service = service
        self._scenario = scenario
        self._created_at = created_at
        self._names = names
        self._groups = [group for group in scenario.backups if group.listed]
        self._starts = list(accumulate((group.count for group in self._groups), initial=0))
        self._template = cache(self._make_template)

    def json(self, start: int, stop: int, *, stopped_from: int, nulls: bool = False) -> RenderedJson:
        """Return rows as a JSON list.

        Args:
            start: The first row, from 0.
            stop: The row after the last.
            stopped_from: The first row that the search did not reach before it was stopped. AWS does not document what
                it lists there; here such a row is STOPPED, without a message.
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
        shape = self._service.structure("SearchJobBackupsResult")
        text = render_json(self._service, shape, self._members(group), nulls=nulls)
        return numbering(with_names(text, self._names))

    def _members(self, group: BackupGroup) -> dict[str, Any]:
        members = {
            "Status": group.status,
            "StatusMessage": group.status_message,
            "ResourceType": group.resource_type or self._scenario.resource_type,
            "BackupResourceArn": arn_template(self._scenario, group),
            "SourceResourceArn": source_template(self._scenario, group),
            "IndexCreationTime": time_of(group.index_created, self._created_at),
            "BackupCreationTime": time_of(group.created, self._created_at),
        }
        return {name: value for name, value in members.items() if name not in group.omit}
