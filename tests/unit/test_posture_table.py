"""The table of the posture counts as a plain loop does, whatever AWS names its backups."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.posture import Counts, Newest, SourcePosture
from search_coverage.coverage.recovery_point import RecoveryPoint
from search_coverage.coverage.searchability import Searchability
from search_coverage.inventory.posture_table import PostureTable
from tests.fakes_inventory import BUCKET, STARTED, days_before, points

State = Searchability | None
Added = list[tuple[RecoveryPoint, State]]

SEARCHABLE, MISSING, AIR_GAPPED = Searchability.SEARCHABLE, Searchability.INDEX_MISSING, Searchability.AIR_GAPPED
AGES = (1, 7, 35, 90, 365, None)
NAMES = st.none() | st.sampled_from(["a", "B", "b\x00", "é", "拒", "😀", "\ud800", "a'b\"--", ""])
MEMBERS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "arn": st.sampled_from([f"arn:{end}" for end in ("1", "2", "é", "拒", "😀", "\ud800", "'", "\x00", "3", "4")]),
        "vault": st.sampled_from(["Default", "vault-lock"]),
        "resource_type": st.sampled_from(["S3", "EBS"]),
        "source_resource_arn": NAMES,
        "created": st.none() | st.sampled_from([0, 1, *map(days_before, (0, 0.5, 1, 1.001, 7, 35, 36, 90, 365, 366))]),
        "plan_id": NAMES,
        "rule": NAMES,
    }
)
POINTS = MEMBERS.map(lambda members: RecoveryPoint(**members))
ADDED = st.lists(st.tuples(POINTS, st.none() | st.sampled_from(list(Searchability))), max_size=40)


def readable(text: Any) -> Any:
    """Return a text as it is kept: half a character as an escape."""
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


def kept(added: Added) -> Added:
    """Return the backups that count, each once."""
    first: dict[str, tuple[RecoveryPoint, State]] = {}
    for point, state in added:
        first.setdefault(point.arn, (RecoveryPoint._make(map(readable, point)), state))
    return list(first.values())


def counted(by: Any, added: Sequence[tuple[RecoveryPoint, State]]) -> dict[Any, Counts]:
    found: defaultdict[Any, Counter[Searchability]] = defaultdict(Counter)
    for point, state in added:
        if state:
            found[by(point)][state] += 1
    return {key: Counts(dict(counts)) for key, counts in found.items()}


def newest_of(table: PostureTable) -> Newest:
    """Count all sources by their newest backups."""
    return Newest.sum_of(table.newest_by_type().values())


def newest_first(point: RecoveryPoint) -> tuple[float, str]:
    return (1.0 if point.created is None else -point.created), point.arn


def rank(state: State) -> int:
    """Return how much a search can do with one of several copies of a backup."""
    if state is SEARCHABLE:
        return 2
    return int(state not in {AIR_GAPPED, Searchability.ARCHIVED, Searchability.NOT_SUPPORTED})


def sources_of(added: Added) -> list[SourcePosture]:
    def source(each: tuple[RecoveryPoint, State]) -> tuple[Any, bool, str]:
        name = each[0].source_resource_arn
        return each[0].resource_type, name is not None, name or ""

    found = []
    counting = sorted(((point, state) for point, state in added if state), key=source)
    for (kind, is_named, name), group in groupby(counting, source):
        members = list(group)
        newest, state = max(members, key=lambda each: (each[0].created or 0, rank(each[1]), each[0].arn))
        assert state
        counts = counted(lambda _: None, members)[None]
        found.append(SourcePosture(kind, name if is_named else None, counts, newest, state))
    return found


def filled(added: Iterable[tuple[RecoveryPoint, State]], folder: Path) -> PostureTable:
    table = PostureTable(folder)
    table.add(added)
    table.finish_adding(STARTED)
    return table


@settings(max_examples=200)
@given(added=ADDED)
def test_the_table_counts_as_a_plain_loop_does(added: Added) -> None:
    with tempfile.TemporaryDirectory() as folder, filled(added, Path(folder)) as table:
        expected = kept(added)
        now = STARTED.timestamp()

        def age(point: RecoveryPoint) -> int | None:
            return next((days for days in AGES if days and (point.created or 0) >= now - days * 86_400), None)

        assert table.total() == counted(lambda _: None, expected).get(None, Counts())
        assert table.by_type() == counted(lambda point: point.resource_type, expected)
        assert table.by_vault() == counted(lambda point: point.vault, expected)
        by_age = counted(age, expected)
        assert [(each.days, each.counts) for each in table.ages()] == [(n, by_age.get(n, Counts())) for n in AGES]
        assert table.left_out == sum(state is None for _, state in expected)
        assert table.without_source == sum(
            state is not None and point.source_resource_arn is None for point, state in expected
        )
        failed = [point for point, state in expected if state is Searchability.INDEX_FAILED]
        assert list(table.failed(20)) == sorted(failed, key=newest_first)


@settings(max_examples=200)
@given(added=ADDED)
def test_sources_and_rules_are_those_of_a_plain_loop(added: Added) -> None:
    with tempfile.TemporaryDirectory() as folder, filled(added, Path(folder)) as table:
        expected = kept(added)
        sources = sources_of(expected)
        named = [source for source in sources if source.source_arn is not None]

        assert list(table.sources()) == sources
        assert newest_of(table).by_searchability == Counter(source.searchability for source in named)
        by_type = {kind: newest.by_searchability for kind, newest in table.newest_by_type().items()}
        assert by_type == {
            kind: Counter(source.searchability for source in named if source.resource_type == kind)
            for kind in {source.resource_type for source in named}
        }
        assert {source.newest.arn for source in table.first_sources(100)} == {
            source.newest.arn for source in named if source.searchability is not SEARCHABLE
        }
        by_rule = {(rule.plan_id, rule.rule): rule for rule in table.rules()}
        made = {(point.plan_id, point.rule) for point, state in expected if state}
        assert by_rule.keys() == made
        for key, rule in by_rule.items():
            of_rule = [(point, state) for point, state in expected if (point.plan_id, point.rule) == key]
            assert rule.by_type == counted(lambda point: point.resource_type, of_rule)
            assert rule.sources == sum(source.source_arn is not None for source in sources_of(of_rule))
            assert rule.sources_not_searchable == sum(
                (source.newest.plan_id, source.newest.rule) == key and source.searchability is MISSING
                for source in named
            )


def test_if_one_copy_of_the_newest_backup_can_be_searched_the_source_can(tmp_path: Path) -> None:
    """A copy has the creation date of what it copies (aws-facts.md §7)."""
    (original,) = points(end="original", source_resource_arn=BUCKET, index_status=None)
    (copy,) = points(end="zz-copy", source_resource_arn=BUCKET, vault="vault-lock")
    (older,) = points(end="zzz-older", source_resource_arn=BUCKET, created=days_before(2))

    for states, newest in (
        ((MISSING, SEARCHABLE, MISSING), copy),
        ((SEARCHABLE, AIR_GAPPED, MISSING), original),
        ((MISSING, AIR_GAPPED, SEARCHABLE), original),  # which can get an index
        ((AIR_GAPPED, AIR_GAPPED, SEARCHABLE), copy),
        ((None, None, MISSING), older),
    ):
        with filled(zip((original, copy, older), states, strict=True), tmp_path) as table:
            (source,) = table.sources()
            assert source.newest == newest


def test_an_empty_table_has_counts_of_nothing(tmp_path: Path) -> None:
    with filled([], tmp_path) as table:
        assert (table.total(), newest_of(table).sources, table.left_out, table.without_source) == (Counts(), 0, 0, 0)
        assert (table.total().share, newest_of(table).share, list(table.sources()), table.rules()) == (
            None,
            None,
            [],
            (),
        )
    assert not list(tmp_path.iterdir())  # the disk is given back


def test_the_first_sources_and_failed_backups_are_the_newest(tmp_path: Path) -> None:
    held = [
        point._replace(created=days_before(n), source_resource_arn=f"{BUCKET}-{n}")
        for n, point in enumerate(points(9, index_status="FAILED"))
    ]
    with filled([(point, Searchability.INDEX_FAILED) for point in reversed(held)], tmp_path) as table:
        assert [source.newest for source in table.first_sources(3)] == held[:3]
        assert list(table.failed(3)) == held[:3]
