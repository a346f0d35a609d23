"""All backups of S3 and EBS in a table on disk, each with whether a search could look into it; SQLite counts them.

A recovery point takes some 300 bytes of disk, and while SQLite sorts, as much again; memory holds its page cache alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from search_coverage.coverage.posture import AgePosture, Counts, Newest, RulePosture, SourcePosture
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.searchability import Searchability
from search_coverage.inventory.disk_table import DiskTable

_AGES = (1, 7, 35, 90, 365)
"""In days."""

_COLUMNS = ", ".join(RecoveryPoint._fields)
_SCHEMA = f"CREATE TABLE point ({_COLUMNS}, searchability);"
_ADD = f"INSERT INTO point VALUES ({', '.join('?' * len(RecoveryPoint._fields))}, ?)"  # noqa: S608

# One sort at the end: an index on ARNs, which come in no order, would take several times as long.
_DROP_REPEATED = """
DELETE FROM point WHERE rowid IN (
    SELECT id FROM (SELECT rowid AS id, row_number() OVER (PARTITION BY arn ORDER BY rowid) AS number FROM point)
    WHERE number > 1
)
"""
# All sums are over these counts: the backups themselves are read once for them.
_MAKE_COUNTS = """
CREATE TABLE counted AS
SELECT resource_type, vault, plan_id, rule, {age} AS age, searchability,
    count(*) AS backups, sum(source_resource_arn IS NULL) AS without_source
FROM point GROUP BY 1, 2, 3, 4, 5, 6
"""

# With max(), SQLite takes the other columns from the row that has it (https://sqlite.org/lang_select.html#bareagg).
_RANK = """
CASE WHEN searchability = 'SEARCHABLE' THEN 2
WHEN searchability IN ('AIR_GAPPED', 'ARCHIVED', 'NOT_SUPPORTED') THEN 0 ELSE 1 END
"""
_NEWEST = f"max(printf('%020.6f', coalesce(created, 0)) || ({_RANK}) || arn)"
_COUNTED = ", ".join(f"sum(searchability = '{each}') AS counted_{each.lower()}" for each in Searchability)
_MAKE_SOURCES = f"""
CREATE TABLE source AS
SELECT {_COUNTED}, {_NEWEST}, {_COLUMNS}, searchability
FROM point WHERE searchability IS NOT NULL
GROUP BY resource_type, source_resource_arn ORDER BY resource_type, source_resource_arn
"""  # noqa: S608
_SOURCE_COLUMNS = ", ".join([*(f"counted_{each.lower()}" for each in Searchability), _COLUMNS, "searchability"])
_SOURCES = f"SELECT {_SOURCE_COLUMNS} FROM source ORDER BY rowid"  # noqa: S608
_FIRST_SOURCES = f"""
SELECT {_SOURCE_COLUMNS} FROM source WHERE searchability <> 'SEARCHABLE' AND source_resource_arn IS NOT NULL
ORDER BY created DESC, source_resource_arn LIMIT ?
"""  # noqa: S608
_FAILED = f"""
SELECT {_COLUMNS} FROM point WHERE searchability = 'INDEX_FAILED' ORDER BY created DESC, arn LIMIT ?
"""  # noqa: S608
_NEWEST_BY_TYPE = """
SELECT resource_type, searchability, count(*) FROM source
WHERE source_resource_arn IS NOT NULL GROUP BY resource_type, searchability
"""
_SOURCES_BY_RULE = """
SELECT plan_id, rule, count(DISTINCT resource_type || ' ' || source_resource_arn) FROM point
WHERE searchability IS NOT NULL GROUP BY plan_id, rule
"""
_TO_MEND_BY_RULE = """
SELECT plan_id, rule, count(*) FROM source
WHERE searchability = 'INDEX_MISSING' AND source_resource_arn IS NOT NULL GROUP BY plan_id, rule
"""


class PostureTable(DiskTable):
    """The backups, and how many of them a search could look into.

    Add all of them, call `finish_adding`, then ask. The newest backup of a source is the one with the latest creation;
    of several with the same, such as a backup and its copies, one that is searchable comes first, then one that can get
    an index, then the ARN decides.
    """

    def __init__(self, folder: Path) -> None:
        """Open an empty table in ``folder``."""
        super().__init__(folder, "posture", _SCHEMA)

    def add(self, points: Iterable[tuple[RecoveryPoint, Searchability | None]]) -> None:
        """Add backups; None for one that does not count. Of a backup that is added twice, the first one counts."""
        self._write(_ADD, ((*point, state) for point, state in points))

    def finish_adding(self, now: datetime) -> None:
        """Count the backups and work out the sources, which every later question is about."""
        steps = [(now - timedelta(days=days)).timestamp() for days in _AGES]
        cases = " ".join(f"WHEN created >= {moment:f} THEN {days}" for days, moment in zip(_AGES, steps, strict=True))
        with self._lock:
            for statement in (_DROP_REPEATED, _MAKE_COUNTS.format(age=f"CASE {cases} ELSE 0 END"), _MAKE_SOURCES):
                self._database.execute(statement)

    @property
    def left_out(self) -> int:
        """How many backups do not count."""
        return self._sum("SELECT sum(backups) FROM counted WHERE searchability IS NULL")

    @property
    def without_source(self) -> int:
        """How many backups count, and have no source that AWS names."""
        return self._sum("SELECT sum(without_source) FROM counted WHERE searchability IS NOT NULL")

    def total(self) -> Counts:
        """Count all of them."""
        return self._counts_by("NULL").get(None, Counts())

    def by_type(self) -> dict[str, Counts]:
        """Count them by resource type."""
        return self._counts_by("resource_type")

    def by_vault(self) -> dict[str, Counts]:
        """Count them by vault; a vault without backups is missing."""
        return self._counts_by("vault")

    def ages(self) -> tuple[AgePosture, ...]:
        """Count them by age, from the newest to the oldest; those without a creation time count as the oldest."""
        counts = self._counts_by("age")
        return tuple(AgePosture(days or None, counts.get(days, Counts())) for days in (*_AGES, 0))

    def newest_by_type(self) -> dict[str, Newest]:
        """Count the sources by their newest backups and by resource type."""
        counted: defaultdict[str, dict[Searchability, int]] = defaultdict(dict)
        for kind, state, count in self._all(_NEWEST_BY_TYPE):
            counted[kind][Searchability(state)] = count
        return {kind: Newest(of_kind) for kind, of_kind in counted.items()}

    def rules(self) -> tuple[RulePosture, ...]:
        """Count by rule of a plan: those with the most sources to mend first."""
        counted: defaultdict[tuple[Any, Any], defaultdict[str, dict[Searchability, int]]]
        counted = defaultdict(lambda: defaultdict(dict))
        for plan, rule, kind, state, count in self._all(
            "SELECT plan_id, rule, resource_type, searchability, sum(backups) FROM counted "
            "WHERE searchability IS NOT NULL GROUP BY 1, 2, 3, 4"
        ):
            counted[plan, rule][kind][Searchability(state)] = count
        sources = {(plan, rule): count for plan, rule, count in self._all(_SOURCES_BY_RULE)}
        to_mend = {(plan, rule): count for plan, rule, count in self._all(_TO_MEND_BY_RULE)}
        rules = [
            RulePosture(
                *rule,
                {kind: Counts(of_kind) for kind, of_kind in sorted(by_type.items())},
                sources.get(rule, 0),
                to_mend.get(rule, 0),
            )
            for rule, by_type in counted.items()
        ]
        return tuple(
            sorted(rules, key=lambda rule: (-rule.sources_not_searchable, rule.plan_id or "", rule.rule or ""))
        )

    def sources(self) -> Iterator[SourcePosture]:
        """Return the sources by resource type and ARN; those that AWS does not name come first, one for each type."""
        return map(_source, self._streamed(_SOURCES))

    def first_sources(self, at_most: int) -> tuple[SourcePosture, ...]:
        """Return sources whose newest backup is not searchable, the newest backup first."""
        return tuple(map(_source, self._all(_FIRST_SOURCES, [at_most])))

    def failed(self, at_most: int) -> tuple[RecoveryPoint, ...]:
        """Return backups whose index failed, the newest first."""
        return tuple(map(RecoveryPoint._make, self._all(_FAILED, [at_most])))

    def _sum(self, statement: str) -> int:
        return int(self._all(statement)[0][0] or 0)

    def _counts_by(self, what: str) -> dict[Any, Counts]:
        counted: defaultdict[Any, dict[Searchability, int]] = defaultdict(dict)
        for key, state, count in self._all(
            f"SELECT {what}, searchability, sum(backups) FROM counted "  # noqa: S608
            "WHERE searchability IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            counted[key][Searchability(state)] = count
        return {key: Counts(of_key) for key, of_key in counted.items()}


def _source(row: tuple[Any, ...]) -> SourcePosture:
    *rest, state = row
    states = len(Searchability)
    counts = {each: count for each, count in zip(Searchability, rest[:states], strict=True) if count}
    newest = RecoveryPoint._make(rest[states:])
    return SourcePosture(newest.resource_type, newest.source_resource_arn, Counts(counts), newest, Searchability(state))
