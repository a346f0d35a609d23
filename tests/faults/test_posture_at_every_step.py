"""A posture is killed before and after each of its calls, and refused each: it is whole, or absent with a failure."""

from collections import Counter

import pytest

from tests.faults.conftest import Rows
from tests.faults.tables import wrong


def test_every_call_is_cut_short_and_refused(posture_rows: Rows) -> None:
    calls = Counter((row["function"], row["call"]) for row in posture_rows)

    assert {"killed before", "killed after", "access denied"} == {row["fault"] for row in posture_rows}
    assert {
        "s3 PutObject sources.csv",
        "s3 PutObject sources.jsonl.gz",
        "s3 PutObject posture.html",
        "s3 PutObject posture.json",
        "s3 PutObject summary.json",
        "backup GetBackupPlan",
        "backup ListRecoveryPointsByBackupVault (4)",
        "sns Publish digest",
        "events PutEvents",
    } <= {call for _, call in calls}
    assert {("again", "s3 DeleteObject summary.json"), ("again", "s3 PutObject summary.json")} <= calls.keys()
    assert any(function == "event" for function, _ in calls)
    assert wrong(posture_rows, "did not happen: the call") == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("lost",), id="a-posture-is-whole-or-failed-and-the-next-day-has-one"),
        pytest.param(("counts", "missing", "vouches", "rows", "PARTIAL", "since"), id="no-summary-is-ever-wrong"),
        pytest.param(("digests",), id="one-mail-in-a-week-except-where-nothing-can-know-that-it-went-out"),
        pytest.param(("",), id="nothing-else-is-wrong"),
    ],
)
def test_every_fault_keeps_this_promise(posture_rows: Rows, words: tuple[str, ...]) -> None:
    assert wrong(posture_rows, *words) == []


def test_only_between_the_mail_and_its_record_a_death_leads_to_a_second_mail(posture_rows: Rows) -> None:
    calls = {(row["call"], row["fault"]) for row in posture_rows if row["digests"] > 1}

    assert ("sns Publish digest", "killed after") in calls
    assert calls <= {
        ("sns Publish digest", "killed after"),
        ("s3 PutObject last-mail.json", "killed before"),
        ("s3 PutObject last-mail.json", "access denied"),
    }


def test_lambdas_first_retry_replaces_a_killed_process(posture_rows: Rows) -> None:
    killed = {tuple(row["attempts"]) for row in posture_rows if row["fault"].startswith("killed")}

    assert killed == {("killed", "done")}
