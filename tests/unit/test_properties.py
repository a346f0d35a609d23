"""What holds for whatever AWS sends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from search_coverage.aws.backup_search import _backup
from search_coverage.coverage.exclusion import Reason, exclusion_reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import BackupCounts, Inventory, InventoryStatus, Verdict, judge
from search_coverage.report.files.keys import ReportKeys
from tests.examples import search_job
from tests.unit.strategies import ROWS

_TRUST = [Verdict.NONE, Verdict.PARTIAL, Verdict.COMPLETE]
_COUNTS = st.none() | st.integers(0, 30)
JOBS = st.builds(
    search_job,
    status=st.sampled_from(["COMPLETED", "FAILED", "STOPPED", "TIMED_OUT", ""]),
    status_message=st.none() | st.text(max_size=10),
    recovery_points_to_scan=_COUNTS,
    recovery_points_scanned=_COUNTS,
)
INVENTORIES = st.builds(Inventory, status=st.sampled_from(InventoryStatus))
ENDS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - as hypothesis wants its limits


@given(row=ROWS)
def test_every_row_of_the_models_shape_is_searched_or_has_a_reason(row: dict[str, Any]) -> None:
    reason = exclusion_reason(_backup(row))

    is_clean = row.get("Status") == "COMPLETED" and not row.get("StatusMessage")
    assert (reason is None) == is_clean
    assert reason is None or reason in Reason


@given(job=JOBS, searched=st.integers(0, 20), excluded=st.integers(0, 20), inventory=INVENTORIES)
def test_an_exclusion_more_never_makes_a_verdict_better(
    job: SearchJob, searched: int, excluded: int, inventory: Inventory
) -> None:
    def verdict(searched: int, excluded: int) -> int:
        counts = BackupCounts(searched + excluded, searched, excluded, 0)
        return _TRUST.index(judge(job, counts, inventory).verdict)

    assert verdict(searched, excluded + 1) <= verdict(searched, excluded)
    if searched:  # one that was searched, and now is not
        assert verdict(searched - 1, excluded + 1) <= verdict(searched, excluded)


@given(job=JOBS, searched=st.integers(0, 20), excluded=st.integers(1, 20), inventory=INVENTORIES)
def test_nothing_that_was_excluded_leaves_a_search_complete(
    job: SearchJob, searched: int, excluded: int, inventory: Inventory
) -> None:
    judgement = judge(job, BackupCounts(searched + excluded, searched, excluded, 0), inventory)

    assert judgement.verdict is not Verdict.COMPLETE
    assert judgement.reasons


@given(job=JOBS, name=st.none() | st.text(), ended=ENDS)
def test_the_keys_depend_only_on_the_job_and_its_end(job: SearchJob, name: str | None, ended: datetime) -> None:
    ended = ended.replace(tzinfo=UTC)
    keys = ReportKeys.of(search_job(completion_time=ended))

    assert ReportKeys.of(replace(job, name=name, completion_time=ended)) == keys
    assert ReportKeys.of(replace(job, creation_time=ended - timedelta(days=3), completion_time=ended)) == keys
