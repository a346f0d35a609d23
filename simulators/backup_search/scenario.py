"""The course of a search job, as plain values: how long it runs, how it ends, which backups and results it lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, Field

from simulators.backup_search.field_types import (
    CONFIG,
    Ago,
    Count,
    Moment,
    ScenarioError,
    Seconds,
    Template,
    one_of,
    time_of,
)
from simulators.backup_search.numbered_text import with_names
from simulators.backup_search.plans import Plan
from simulators.backup_search.result_group import ResultGroup
from simulators.backup_search.vault import Vault

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


def _end_status(status: str) -> str:
    if status in {"RUNNING", "STOPPING"}:
        raise ValueError("must be the status of an ended search job")
    return status


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The members of SearchScope other than the resource type. An empty one does not narrow the search.

    A span as a time counts back from the search job's creation; ARNs may hold ``{account}`` and ``{region}``.
    """

    __pydantic_config__ = CONFIG

    created_after: Moment | None = None
    created_before: Moment | None = None
    source_arns: tuple[str, ...] = ()
    backup_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def search_scope(self, resource_type: str, created_at: datetime, names: Mapping[str, str]) -> dict[str, Any]:
        """Return the SearchScope for a StartSearchJob at this time."""
        bounds = {"CreatedAfter": self.created_after, "CreatedBefore": self.created_before}
        narrowed = {
            "BackupResourceCreationTime": {
                name: time_of(bound, created_at) for name, bound in bounds.items() if bound is not None
            },
            "SourceResourceArns": [with_names(arn, names) for arn in self.source_arns],
            "BackupResourceArns": [with_names(arn, names) for arn in self.backup_arns],
            "BackupResourceTags": dict(self.tags),
        }
        return {"BackupResourceTypes": [resource_type], **{name: value for name, value in narrowed.items() if value}}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGroup:
    """Rows of ListSearchJobBackups that look alike, and the recovery points behind them.

    What is None fits the other attributes: an ARN fits the resource type, which is the scenario's, and the index in the
    vault fits the row. Texts may hold the placeholders ``{i}``, ``{account}`` and ``{region}``.

    Attributes:
        status: Status; it may be one that AWS's model lacks.
        omit: Members that the rows leave out.
        listed: Whether the search lists them; if not, they are only in the vault, numbered after the rows.
        vault: The vault that they are in; None for ``Default``.
        index: IndexStatus in the vault, ``NONE`` for never indexed.
        first: The number of the first one; None to continue after the row before.
    """

    __pydantic_config__ = CONFIG

    count: Count = 1
    status: str = "COMPLETED"
    status_message: Template | None = None
    resource_type: str | None = None
    source: Template | None = None
    backup_arn: Template | None = None
    created: Moment = timedelta(days=1)
    index_created: Moment = timedelta(hours=20)
    omit: tuple[str, ...] = ()
    listed: bool = True
    vault: str | None = None
    index: Annotated[str, one_of("ACTIVE", "DELETING", "FAILED", "NONE", "PENDING")] | None = None
    index_message: Template | None = None
    first: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The counts of an ended job; None for one that follows from the lists (1000 items scanned per COMPLETED row)."""

    __pydantic_config__ = CONFIG

    recovery_points_to_scan: Count | None = None
    recovery_points_scanned: Count | None = None
    items_to_scan: Count | None = None
    items_scanned: Count | None = None
    items_matched: Count | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The course of the search jobs with this Name.

    Attributes:
        end_status: Status at the end; it may be one that AWS's model lacks.
        ended_ago: How long before the start of the simulator such a job ended (in YAML: ``ended``); None for no job.
        omit: Optional members that GetSearchJob and ListSearchJobs leave out.
        origin: The file of the scenario, for error texts.
        scope: The scope to start the job with; None for one that covers only its backups.
        vaults: What vaults hold in addition. With vaults and no backups, the job lists what it finds in the vaults.
        plans: Backup plans, which make backups while the clock moves.
        results: What ListSearchJobResults lists. Of a job that looks into the vaults, only results in backups that it
            finds and searches.
        item_filters: ItemFilters, as in the API, and
        tags: the tags of a job that StartSearchJob gives none.
    """

    __pydantic_config__ = CONFIG

    name: Annotated[str, Field(min_length=1)]
    backups: tuple[BackupGroup, ...] = ()
    resource_type: str = "S3"
    runs_for: Seconds = timedelta(0)
    stops_for: Seconds = timedelta(seconds=2)
    end_status: Annotated[str, AfterValidator(_end_status)] = "COMPLETED"
    status_message: str | None = None
    progress: Progress = Progress()
    ended_ago: Annotated[Ago | None, Field(validation_alias=AliasChoices("ended", "ended_ago"))] = field(
        default=None, metadata={"key": "ended"}
    )
    omit: tuple[str, ...] = ()
    origin: str = field(default="", metadata={"key": None})
    scope: Scope | None = None
    vaults: tuple[Vault, ...] = ()
    plans: tuple[Plan, ...] = ()
    results: tuple[ResultGroup, ...] = ()
    item_filters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Where error texts say that the scenario is."""
        return self.origin or f"scenario {self.name!r}"

    def source_template(self, group: BackupGroup) -> str:
        """Return the SourceResourceArn of a group's backups, its placeholders still in it."""
        return group.source or _SOURCES.get(group.resource_type or self.resource_type, _SOURCES["S3"])

    def arn_template(self, group: BackupGroup) -> str:
        """Return the BackupResourceArn of a group's backups, its placeholders still in it."""
        return group.backup_arn or _BACKUPS.get(group.resource_type or self.resource_type, _BACKUPS["S3"])

    @property
    def rows(self) -> int:
        """How many backups the ended job lists."""
        return sum(group.count for group in self.backups if group.listed)

    def row(self, number: int) -> tuple[BackupGroup, int]:
        """Return the group of a row, counted from 1, and the number that its placeholders stand for."""
        begin = 0
        for group in (group for group in self.backups if group.listed):
            if number <= begin + group.count:
                return group, number if group.first is None else group.first + number - begin - 1
            begin += group.count
        raise IndexError(f"{self.where}: there is no row {number}")

    @property
    def result_count(self) -> int:
        """How many results the ended job lists."""
        return sum(group.count for group in self.results)

    @property
    def selects(self) -> bool:
        """Whether the job lists what it finds in the vaults, and not what the scenario says."""
        return bool(self.vaults) and not self.backups

    @property
    def totals(self) -> Progress:
        """The counts of the ended job, without None."""
        searched = sum(group.count for group in self.backups if group.listed and group.status == "COMPLETED")
        given = self.progress
        to_scan = _first(given.items_to_scan, 1000 * searched)
        return Progress(
            recovery_points_to_scan=_first(given.recovery_points_to_scan, self.rows),
            recovery_points_scanned=_first(given.recovery_points_scanned, searched),
            items_to_scan=to_scan,
            items_scanned=_first(given.items_scanned, to_scan),
            items_matched=_first(given.items_matched, self.result_count),
        )


UNKNOWN_NAME = Scenario(
    name="(no scenario of this name)",
    end_status="FAILED",
    status_message="No recovery points with an active backup index match the search scope.",
)
"""The course of a job without a scenario: it fails at once, as every search job does in an account without indexed
recovery points (aws-facts.md §2)."""


def by_name(scenarios: Iterable[Scenario]) -> dict[str, Scenario]:
    """Return the scenarios by name; a ScenarioError refuses two of the same name."""
    named: dict[str, Scenario] = {}
    for scenario in scenarios:
        if scenario.name in named:
            where = " and ".join(filter(None, (named[scenario.name].origin, scenario.origin))) or "the scenarios"
            raise ScenarioError(f"{where}: name {scenario.name!r} is used twice; every scenario needs its own.")
        named[scenario.name] = scenario
    return named


def _first(given: int | None, computed: int) -> int:
    return computed if given is None else given
