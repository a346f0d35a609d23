"""What becomes of a search job, as plain values: how long it runs, how it ends, which backups it lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.moment import Moment
from simulators.backup_search.numbered_text import PLACEHOLDER
from simulators.backup_search.scope import Scope
from simulators.backup_search.vault import Vault

_INDEXES = {"ACTIVE", "PENDING", "FAILED", "DELETING", "NONE"}
_UNFINISHED = {"RUNNING", "STOPPING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGroup:
    """Rows of ListSearchJobBackups that look alike.

    Attributes:
        count: How many rows.
        status: Their Status; it need not be one that AWS's model knows.
        status_message: Their StatusMessage; None for none. May hold ``{i}``, ``{account}`` and ``{region}``.
        resource_type: Their ResourceType; None for the scenario's.
        source: Their SourceResourceArn; None for one that fits the resource type. May hold the placeholders.
        backup_arn: Their BackupResourceArn; None for one that fits the resource type. May hold the placeholders.
        created: Their BackupCreationTime.
        index_created: Their IndexCreationTime.
        omit: Members of the row that are left out.
        listed: Whether the search lists them; if not, they are only in the vault, and {i} counts on after the rows.
        vault: The vault that they are in; None for ``Default``.
        index: Their IndexStatus there, or ``NONE`` if they were never indexed; None for what fits their row.
        index_message: Their IndexStatusMessage there; None for none. May hold the placeholders.
        first: The number of the first one; None to go on after the row before.
    """

    count: int = 1
    status: str = "COMPLETED"
    status_message: str | None = None
    resource_type: str | None = None
    source: str | None = None
    backup_arn: str | None = None
    created: Moment = timedelta(days=1)
    index_created: Moment = timedelta(hours=20)
    omit: tuple[str, ...] = ()
    listed: bool = True
    vault: str | None = None
    index: str | None = None
    index_message: str | None = None
    first: int | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ScenarioError(f"count must be at least 0, not {self.count}")
        if self.index is not None and self.index not in _INDEXES:
            raise ScenarioError(f"index must be one of {', '.join(sorted(_INDEXES))}, not {self.index!r}")
        for key, text in (
            ("status_message", self.status_message),
            ("source", self.source),
            ("arn", self.backup_arn),
            ("index_message", self.index_message),
        ):
            if "{i" in PLACEHOLDER.sub("", text or ""):
                raise ScenarioError(f"{key} has a placeholder that is none of {{i}}, {{i:04}}, {{i:017x}}: {text!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The job's counts once it has ended; None for what the backups give.

    Attributes:
        recovery_points_to_scan: TotalRecoveryPointsToScanCount; by default every row.
        recovery_points_scanned: RecoveryPointsScannedCount; by default every row that is COMPLETED.
        items_to_scan: TotalItemsToScanCount; by default 1000 a COMPLETED row.
        items_scanned: ItemsScannedCount; by default as many as there are to scan.
        items_matched: ItemsMatchedCount; by default 0.
    """

    recovery_points_to_scan: int | None = None
    recovery_points_scanned: int | None = None
    items_to_scan: int | None = None
    items_scanned: int | None = None
    items_matched: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """What becomes of a search job.

    Attributes:
        name: The search job Name that gets this scenario.
        backups: The rows of ListSearchJobBackups, group after group.
        resource_type: ``S3`` or ``EBS``.
        runs_for: How long the job is RUNNING.
        stops_for: How long it is STOPPING when it is stopped.
        end_status: Its Status then; it need not be one that AWS's model knows.
        status_message: Its StatusMessage then; None for none.
        progress: Its counts then.
        ended_ago: How long before the start of the simulator such a job ended; None if there is none then.
        omit: Optional members that GetSearchJob and ListSearchJobs leave out.
        origin: Where the scenario was read from; for error texts only.
        scope: The scope that its search job is started with; None for one that means just its backups.
        vaults: What vaults hold for it, besides its backups.
    """

    name: str
    backups: tuple[BackupGroup, ...] = ()
    resource_type: str = "S3"
    runs_for: timedelta = timedelta(0)
    stops_for: timedelta = timedelta(seconds=2)
    end_status: str = "COMPLETED"
    status_message: str | None = None
    progress: Progress = Progress()
    ended_ago: timedelta | None = None
    omit: tuple[str, ...] = ()
    origin: str = ""
    scope: Scope | None = None
    vaults: tuple[Vault, ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            raise ScenarioError("name must not be empty")
        if self.end_status in _UNFINISHED:
            raise ScenarioError(f"end_status must not be {self.end_status}: that is no end")
        for key, span in (("runs_for", self.runs_for), ("stops_for", self.stops_for), ("ended", self.ended_ago)):
            if span is not None and span < timedelta(0):
                raise ScenarioError(f"{key} must not be negative")

    @property
    def rows(self) -> int:
        """How many backups the job lists in the end."""
        return sum(group.count for group in self.backups if group.listed)

    @property
    def selects(self) -> bool:
        """Whether the job lists what it finds in the vaults, and not what the scenario says."""
        return bool(self.vaults) and not self.backups

    @property
    def totals(self) -> Progress:
        """The job's counts once it has ended, the computed ones filled in."""
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
"""What becomes of a job whose name no scenario has: it fails at once, as every search job does in an account without
indexed recovery points (aws-facts.md §2)."""


def by_name(scenarios: Iterable[Scenario]) -> dict[str, Scenario]:
    """Returns the scenarios by name.

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
