"""Whatever call of a report or a sweep goes wrong, in whatever way: no report is lost, and none says too much."""

from collections import Counter

from tests.faults.conftest import Rows


def _wrong(rows: Rows, *words: str) -> list[str]:
    return [
        f"{row['number']} {row['function']}, {row['call']}, {row['fault']} for {row['lasting']}: {row['wrong']}"
        for row in rows
        if any(word in wrong for wrong in row["wrong"] for word in words)
    ]


def test_every_call_was_made_to_go_wrong_in_every_way(rows: Rows) -> None:
    kinds = {row["fault"] for row in rows}
    calls = Counter((row["function"], row["call"]) for row in rows)

    assert len(kinds) == 8
    assert {"s3 PutObject summary.json", "sns Publish digest", "sns Publish entries"} <= {call for _, call in calls}
    assert {"backup-search ListSearchJobBackups", "backup-search ListSearchJobBackups (2)"} <= {c for _, c in calls}
    assert all(count >= 10 for count in calls.values())
    assert _wrong(rows, "did not happen") == []


def test_no_report_is_lost(rows: Rows) -> None:
    assert _wrong(rows, "lost", "sweep") == []


def test_there_is_never_a_false_complete_nor_a_summary_that_vouches_for_files_that_are_not_there(rows: Rows) -> None:
    assert _wrong(rows, "COMPLETE", "counts", "missing", "vouches", "rows") == []


def test_people_are_told_once_except_where_nobody_can_know_that_they_were(rows: Rows) -> None:
    assert _wrong(rows, "digests") == []
    more = {(row["call"], row["fault"]) for row in rows if row["digests"] > 1}
    assert {call for call, _ in more} <= {"sns Publish digest", "dynamodb PutItem told"}


def test_nothing_else_is_wrong(rows: Rows) -> None:
    assert [row for row in rows if row["wrong"]] == []


def test_a_killed_process_is_replaced_by_lambdas_first_retry(rows: Rows) -> None:
    killed = [row for row in rows if row["attempts"][0] == "killed" and row["function"] == "report"]
    once = [row for row in killed if row["lasting"] != "all attempts"]

    assert {tuple(row["attempts"]) for row in once} == {("killed", "done")}
    assert not any(row["in_failure_queue"] for row in once)
    assert all(row["created"] >= 1 for row in once)
