"""The posture of an account and Region: which backups a search could look into, before anyone starts one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from search_coverage.coverage.backup_plan import BackupPlan, BackupRule
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.searchability import Searchability
from search_coverage.coverage.verdict import NotSearchable


@dataclass(frozen=True, slots=True)
class Searchabilities:
    """How many of something by whether a search could look into it. What does not occur is missing, or 0."""

    by_searchability: Mapping[Searchability, int] = field(default_factory=dict)

    @classmethod
    def sum_of(cls, several: Iterable[Self]) -> Self:
        """Add them up."""
        total = Counter[Searchability]()
        for each in several:
            total.update(each.by_searchability)
        return cls(dict(total))

    @property
    def _all(self) -> int:
        return sum(self.by_searchability.values())

    @property
    def searchable(self) -> int:
        """Those that a search could look into."""
        return self.by_searchability.get(Searchability.SEARCHABLE, 0)

    @property
    def not_searchable(self) -> int:
        """The others."""
        return self._all - self.searchable

    @property
    def share(self) -> float | None:
        """The percentage that a search could look into; None where there is nothing."""
        return 100 * self.searchable / self._all if self._all else None

    def members(self) -> dict[str, int]:
        """Write what occurs as JSON."""
        return {state.value: count for state, count in sorted(self.by_searchability.items()) if count}


class Counts(Searchabilities):
    """Backups."""

    __slots__ = ()

    @property
    def backups(self) -> int:
        """All of them."""
        return self._all


class Newest(Searchabilities):
    """Sources, by their newest backups."""

    __slots__ = ()

    @property
    def sources(self) -> int:
        """All of them."""
        return self._all


@dataclass(frozen=True, slots=True)
class SourcePosture:
    """A source, such as a bucket or a volume, and its backups.

    Attributes:
        newest: The newest backup; of several with the same creation, such as copies, one that can be searched.
        searchability: Whether a search could look into the newest backup.
    """

    resource_type: str | None
    source_arn: str | None
    counts: Counts
    newest: RecoveryPoint
    searchability: Searchability

    @property
    def newest_left_out(self) -> Exclusion | None:
        """The newest backup as a search would leave it out; None if it would not."""
        reason = self.searchability.reason
        return self.newest.left_out_for(reason) if reason else None


@dataclass(frozen=True, slots=True)
class VaultPosture:
    """A vault and its backups; the type is None where AWS does not say it."""

    name: str
    type: str | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class RulePosture:
    """A rule of a backup plan, or no plan at all, and the backups that it made.

    Attributes:
        plan_id: None for backups on demand, and for all others where AWS names no plan.
        by_type: The backups by resource type.
        sources: How many sources the rule makes backups of.
        sources_not_searchable: How many of them have a newest backup without an index, made by this rule: what the rule
            would mend for the next backups if it indexed.
    """

    plan_id: str | None
    rule: str | None
    by_type: Mapping[str, Counts]
    sources: int
    sources_not_searchable: int

    @property
    def makes_no_index(self) -> bool:
        """Whether some of its backups were never indexed."""
        return any(counts.by_searchability.get(Searchability.INDEX_MISSING) for counts in self.by_type.values())


@dataclass(frozen=True, slots=True)
class AgePosture:
    """The backups of an age: those of at most ``days`` days that are older than the step before; None for no bound."""

    days: int | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class IndexFailure:
    """What AWS said of an index that failed, in a state change or in a vault.

    Attributes:
        at: When AWS said it; None for a vault, which names no time.
    """

    recovery_point_arn: str
    message: str | None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IndexFailures:
    """The indexes that failed since the posture before.

    Attributes:
        count: How many state changes AWS sent.
        since: From when on they are counted.
        examples: The latest, at most 20.
    """

    count: int = 0
    since: datetime | None = None
    examples: tuple[IndexFailure, ...] = ()


class PostureStatus(StrEnum):
    """Whether all vaults were read to their end."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True)
class Change:
    """A source that got better or worse: whether a search could look into its newest backup, before and now."""

    source_arn: str
    before: Searchability | None
    now: Searchability | None


@dataclass(frozen=True, slots=True)
class SinceBefore:
    """What changed since an earlier posture. A list holds at most 20 examples of what its count counts.

    Attributes:
        taken_at: When that posture was taken.
        summary_key: Where it is.
        share: The percentage of its sources whose newest backup was searchable.
        better: Sources whose newest backup is searchable now and was not before.
        worse: Sources whose newest backup was searchable before and is not now.
        new_not_searchable: Sources that are new, and not searchable.
        gone: Sources without a backup now; 0 where a posture is PARTIAL, which cannot tell.
    """

    taken_at: datetime
    summary_key: str
    share: float | None
    better: int = 0
    worse: int = 0
    new_not_searchable: int = 0
    gone: int = 0
    examples_better: tuple[Change, ...] = ()
    examples_worse: tuple[Change, ...] = ()
    examples_new: tuple[Change, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether anything changed that a person would want to know."""
        return bool(self.better or self.worse or self.new_not_searchable or self.gone)


@dataclass(frozen=True, slots=True)
class Posture:
    """A posture.

    Attributes:
        problems: What was not read, in sentences; with one of them the posture is PARTIAL.
        notes: What is known and does not make it PARTIAL, in sentences.
        vaults_read: How many vaults were read to their end.
        total: All backups of S3 and EBS.
        by_type: The same by resource type.
        newest: The newest backups of all sources, and
        newest_by_type: the same by resource type.
        left_out: How many backups do not count, because they are still being made or being deleted.
        vaults: By name.
        rules: Those with the most sources to mend first.
        ages: From the newest to the oldest.
        plans: The backup plans of the rules that do not index, by id, as far as AWS shows them.
        first_sources: The sources whose newest backup is not searchable: at most 100, the newest backup first.
        failed: Backups whose index failed: at most 20, the newest first, with AWS's message.
        unreachable: Backups of EC2 instances, by vault, whose volumes no search covers (aws-facts.md §7).
        index_failures: What AWS said of indexes since the posture before.
        target: The setting ``searchableTarget``, in percent; None if it is off.
        since: What changed since the last mail, or the posture before; None if there is none.
    """

    account: str
    region: str
    partition: str
    taken_at: datetime
    status: PostureStatus
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    vaults_read: int
    total: Counts
    by_type: Mapping[str, Counts]
    newest: Newest
    newest_by_type: Mapping[str, Newest]
    left_out: int
    vaults: tuple[VaultPosture, ...]
    rules: tuple[RulePosture, ...]
    ages: tuple[AgePosture, ...]
    plans: Mapping[str, BackupPlan]
    first_sources: tuple[SourcePosture, ...]
    failed: tuple[RecoveryPoint, ...]
    unreachable: tuple[NotSearchable, ...]
    index_failures: IndexFailures
    target: int | None
    since: SinceBefore | None

    def in_plan(self, rule: RulePosture) -> tuple[BackupPlan | None, BackupRule | None]:
        """Return the plan of a rule and the rule in it, as far as AWS shows them and they still exist."""
        plan = self.plans.get(rule.plan_id or "")
        return plan, plan.rule(rule.rule) if plan else None

    @property
    def misses_target(self) -> bool | None:
        """Whether the newest backups are below the target; never where there is no target or no source.

        None if it is not known, because some vaults were not read.
        """
        if self.target is None:
            return False
        if self.status is PostureStatus.PARTIAL:
            return None
        return self.newest.share is not None and self.newest.share < self.target
