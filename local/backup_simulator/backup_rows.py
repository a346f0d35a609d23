"""The rows of ListSearchJobBackups, made from a scenario's groups when a page asks for them.

A group is rendered to JSON once; a row is that text with its number put in. So a list of 100,000 rows costs what its
pages cost, and a page of 1000 rows a millisecond or two.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

from botocore.model import StructureShape

from local.backup_simulator.protocol import RenderedJson, render_json
from local.backup_simulator.scenario import PLACEHOLDER, BackupGroup, Moment, Scenario
from local.backup_simulator.search_jobs import JobStatus

_SOURCES = {
    "S3": "arn:aws:s3:::example-bucket-{i:06}",
    "EBS": "arn:aws:ec2:{region}:{account}:volume/vol-{i:017x}",
}
# An EBS backup is a snapshot, its ARN has no account (aws-facts.md §2).
_BACKUPS = {
    "S3": "arn:aws:backup:{region}:{account}:recovery-point:00000000-0000-4000-8000-{i:012x}",
    "EBS": "arn:aws:ec2:{region}::snapshot/snap-{i:017x}",
}


def row_of(scenario: Scenario, group: BackupGroup, created_at: datetime) -> dict[str, Any]:
    """Returns the members of a group's rows; texts still hold their placeholders.

    Args:
        scenario: The scenario that the group belongs to.
        group: The group.
        created_at: When the search job was created, which "2 days ago" counts from.
    """
    resource_type = group.resource_type or scenario.resource_type
    members: dict[str, Any] = {
        "Status": group.status,
        "StatusMessage": group.status_message,
        "ResourceType": resource_type,
        "BackupResourceArn": group.backup_arn or _BACKUPS.get(resource_type, _BACKUPS["S3"]),
        "SourceResourceArn": group.source or _SOURCES.get(resource_type, _SOURCES["S3"]),
        "IndexCreationTime": _at(group.index_created, created_at),
        "BackupCreationTime": _at(group.created, created_at),
    }
    return {name: value for name, value in members.items() if value is not None and name not in group.omit}


class BackupRows:
    """The rows of one search job.

    Args:
        shape: The model's shape of a row.
        scenario: The job's scenario.
        created_at: When the job was created.
        names: What ``{account}`` and ``{region}`` stand for.
    """

    def __init__(
        self, shape: StructureShape, scenario: Scenario, created_at: datetime, names: Mapping[str, str]
    ) -> None:
        self._shape = shape
        self._scenario = scenario
        self._created_at = created_at
        self._names = names
        self._starts = list(accumulate((group.count for group in scenario.backups), initial=0))
        self._template = cache(self._make_template)

    def json(self, start: int, stop: int, *, stopped_from: int) -> RenderedJson:
        """Returns rows as a JSON list.

        Args:
            start: The first row, from 0.
            stop: The row after the last.
            stopped_from: The first row that the search did not get to before it was stopped. What AWS lists there is
                not known; here such a row is STOPPED, without a message.
        """
        searched = self._rows(start, min(stop, stopped_from), stopped=False)
        left = self._rows(max(start, stopped_from), stop, stopped=True)
        return RenderedJson(f"[{','.join([*searched, *left])}]")

    def _rows(self, start: int, stop: int, *, stopped: bool) -> Iterator[str]:
        while start < stop:
            group = bisect_right(self._starts, start) - 1
            end = min(stop, self._starts[group + 1])
            # A row's number counts from 1.
            yield from map(self._template(group, stopped), range(start + 1, end + 1))
            start = end

    def _make_template(self, number: int, stopped: bool) -> Callable[[int], str]:  # noqa: FBT001
        group = self._scenario.backups[number]
        if stopped:
            group = replace(group, status=JobStatus.STOPPED, status_message=None)
        return _row_template(render_json(self._shape, row_of(self._scenario, group, self._created_at)), self._names)


def _row_template(rendered: str, names: Mapping[str, str]) -> Callable[[int], str]:
    for name, value in names.items():
        rendered = rendered.replace(f"{{{name}}}", value)
    pieces: list[str] = []
    end = 0
    for found in PLACEHOLDER.finditer(rendered):
        pieces += [rendered[end : found.start()].replace("%", "%%"), _percent(found[1] or "")]
        end = found.end()
    if not pieces:
        return lambda _: rendered
    count = len(pieces) // 2
    text = "".join([*pieces, rendered[end:].replace("%", "%%")])
    return lambda i: text % ((i,) * count)


def _percent(spec: str) -> str:
    # str % tuple is several times faster than str.format.
    return f"%{spec}" if spec[-1:] in {"d", "x", "X"} else f"%{spec}d"


def _at(moment: Moment, created_at: datetime) -> datetime:
    return created_at - moment if isinstance(moment, timedelta) else moment
