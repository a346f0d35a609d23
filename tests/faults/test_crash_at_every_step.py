"""Every call of a report or a sweep fails in every way: no report is lost, and no verdict is too good."""

from collections import Counter

import pytest

from tests.faults.conftest import Rows
from tests.faults.tables import wrong


def test_every_call_goes_wrong_in_every_way(rows: Rows) -> None:
    kinds = {row["fault"] for row in rows}
    calls = Counter((row["function"], row["call"]) for row in rows)

    assert len(kinds) == 8
    assert {"s3 PutObject summary.json", "sns Publish digest", "sns Publish entries"} <= {call for _, call in calls}
    assert {"backup-search ListSearchJobBackups", "backup-search ListSearchJobBackups (2)"} <= {c for _, c in calls}
    assert {"backup-search ListSearchJobResults (2)", "s3 PutObject results.csv"} <= {call for _, call in calls}
    assert "s3 PutObject results.jsonl.gz" in {call for _, call in calls}
    assert {call: count for call, count in calls.items() if count < 6} == {}
    assert wrong(rows, "did not happen") == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("lost", "sweep"), id="no-report-is-lost"),
        pytest.param(
            ("COMPLETE", "counts", "missing", "vouches", "rows"),
            id="no-false-complete-and-no-summary-of-files-that-are-not-there",
        ),
        pytest.param(("digests",), id="one-digest-except-where-the-function-cannot-know-that-it-went-out"),
        pytest.param(("",), id="nothing-else-is-wrong"),
    ],
)
def test_every_fault_keeps_this_promise(rows: Rows, words: tuple[str, ...]) -> None:
    assert wrong(rows, *words) == []


def test_only_a_lost_answer_or_record_of_a_digest_leads_to_a_second_one(rows: Rows) -> None:
    calls = {row["call"] for row in rows if row["digests"] > 1}

    assert calls <= {"sns Publish digest", "dynamodb PutItem told"}


def test_lambdas_first_retry_replaces_a_killed_process(rows: Rows) -> None:
    killed = [row for row in rows if row["attempts"][0] == "killed" and row["function"] == "report"]
    once = [row for row in killed if row["lasting"] != "all attempts"]

    assert {tuple(row["attempts"]) for row in once} == {("killed", "done")}
    assert not any(row["in_failure_queue"] for row in once)
    assert all(row["created"] >= 1 for row in once)
