"""The course of a search job, as plain values: how long it runs, how it ends, which backups it lists."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.field_types import CONFIG, Ago, Count, Moment, Seconds, Template, one_of
from simulators.backup_search.scope import Scope
from simulators.backup_search.vault import Vault


def _end_status(status: str) -> str:
    if status in {"RUNNING", "STOPPING"}:
        raise ValueError("must be the status of an ended search job")
    return status


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGroup:
    """Rows of ListSearchJobBackups that look alike, and the recovery points behind them.

    Attributes:
        count: How many rows.
        status: Status; it may be one that AWS's model lacks.
        status_message: StatusMessage, with placeholders ``{i}``, ``{account}`` and ``{region}``.
        resource_type: ResourceType; None for the scenario's.
        source: SourceResourceArn, with placeholders; None for one that fits the resource type.
        backup_arn: BackupResourceArn, with placeholders; None for one that fits the resource type.
        created: BackupCreationTime.
        index_created: IndexCreationTime.
        omit: Members that the rows leave out.
        listed: Whether the search lists them; if not, they are only in the vault, numbered after the rows.
        vault: The vault that they are in; None for ``Default``.
        index: IndexStatus in the vault, ``NONE`` for never indexed; None for the one that fits the row.
        index_message: IndexStatusMessage in the vault, with placeholders.
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
    """The counts of an ended job; None for the one that follows from the rows (1000 items per COMPLETED row)."""

    __pydantic_config__ = CONFIG

    recovery_points_to_scan: Count | None = None
    recovery_points_scanned: Count | None = None
    items_to_scan: Count | None = None
    items_scanned: Count | None = None
    items_matched: Count | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The course of a search job.

    Attributes:
        name: The Name of the search jobs that take this course.
        backups: The rows of ListSearchJobBackups.
        resource_type: ``S3`` or ``EBS``.
        runs_for: How long the job is RUNNING.
        stops_for: How long it is STOPPING.
        end_status: Status at the end; it may be one that AWS's model lacks.
        status_message: StatusMessage at the end.
        progress: The counts at the end.
        ended_ago: How long before the start of the simulator such a job ended (in YAML: ``ended``); None for no job.
        omit: Optional members that GetSearchJob and ListSearchJobs leave out.
        origin: The file of the scenario, for error texts.
        scope: The scope to start the job with; None for one that means just its backups.
        vaults: What vaults hold besides.
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

    @property
    def where(self) -> str:
        """Where error texts say that the scenario is."""
        return self.origin or f"scenario {self.name!r}"

    @property
    def rows(self) -> int:
        """How many backups the ended job lists."""
        return sum(group.count for group in self.backups if group.listed)

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
            items_matched=_first(given.items_matched, 0),
        )


UNKNOWN_NAME = Scenario(
    name="(no scenario of this name)",
    end_status="FAILED",
    status_message="No recovery points with an active backup index match the search scope.",
)
"""The course of a job without a scenario: it fails at once, as every search job does in an account without indexed
recovery points (aws-facts.md §2)."""


def by_name(scenarios: Iterable[Scenario]) -> dict[str, Scenario]:
    """Return the scenarios by name.

    Raises:
        ScenarioError: Two have the same name.
    """
    named: dict[str, Scenario] = {}
    for scenario in scenarios:
        if scenario.name in named:
            where = " and ".join(filter(None, (named[scenario.name].origin, scenario.origin))) or "the scenarios"
            raise ScenarioError(f"{where}: name {scenario.name!r} is used twice; every scenario needs its own.")
        named[scenario.name] = scenario
    return named


def _first(given: int | None, computed: int) -> int:
    return computed if given is None else given
