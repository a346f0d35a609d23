"""The commands that are loops: run by a real shell, with an AWS CLI that notes its calls."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.remedy_commands import commands_for_all, commands_in_turn
from search_coverage.coverage.search_commands import search_all_again
from tests.examples import search_job
from tests.reports import ROLE, excluded, numbered, report

INDEX = BackupIndex(vault="Default", status="FAILED", role_arn=ROLE)
NOTES_ITS_CALLS = 'for word; do printf "%s\\t" "$word"; done >> calls\necho >> calls\n'


def run(command: str, folder: Path, exclusions: list[Exclusion], **programs: str) -> str:
    """Run a command beside the CSV of a report, with these programs instead of the real ones; return its stderr."""
    (folder / "excluded-backups.csv").write_bytes(report(exclusions).csv)
    for name, program in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{program}")
        (folder / name).chmod(0o700)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert not (folder / "hacked").exists()
    return ran.stderr


ROWS = numbered(45, Reason.INDEX_MISSING, INDEX)
HOSTILE = excluded(Reason.INDEX_MISSING, BackupIndex("file://x"), backup_arn="arn:x y\n$(touch hacked)`id`\\")
OTHER = excluded(Reason.ARCHIVED, INDEX)


def calls(folder: Path) -> list[list[str]]:
    return [line.split("\t")[:-1] for line in (folder / "calls").read_text().splitlines()]


def test_a_loop_makes_an_index_for_every_backup_of_the_reason_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    (loop,) = commands_for_all(REMEDIES[Reason.INDEX_MISSING], Reason.INDEX_MISSING, "us-east-1", ROWS)

    said = run(loop, tmp_path, [*ROWS, HOSTILE, OTHER], aws=NOTES_ITS_CALLS)

    assert said.count("left out:") == 1
    made = [call for call in calls(tmp_path) if call[1] == "update-recovery-point-index-settings"]
    assert [call[4] for call in made] == [row.backup.backup_arn for row in ROWS]
    roles = {(call[2], call[call.index("--iam-role-arn") + 1]) for call in made}
    assert roles == {("--backup-vault-name=Default", ROLE)}


def test_a_loop_searches_every_backup_of_the_reason_again_twenty_at_a_time(tmp_path: Path) -> None:
    _, loop = search_all_again(search_job(), Reason.INDEX_MISSING)

    run(loop, tmp_path, [*ROWS, HOSTILE, OTHER], aws=NOTES_ITS_CALLS)

    scopes = [json.loads(call[call.index("--search-scope") + 1]) for call in calls(tmp_path)]
    arns = [arn for scope in scopes for arn in scope["BackupResourceArns"]]
    assert [len(scope["BackupResourceArns"]) for scope in scopes] == [20, 20, 6]
    assert arns == [row.backup.backup_arn for row in (*ROWS, HOSTILE)]


AT_ONCE = """case "$*" in
*update-recovery-point-index-settings*)
    [ -e busy ] && echo refused >> orders || { echo "$5" >> orders; echo PENDING > busy; } ;;
*"--query IndexStatus"*) cat busy 2> /dev/null || echo ACTIVE ;;
esac
"""
"""An AWS that makes one index at a time, each of which is PENDING for a while, and refuses an order meanwhile."""


@pytest.mark.parametrize("reason", [Reason.INDEX_MISSING, Reason.INDEX_FAILED, Reason.INDEX_DELETING])
def test_a_loop_orders_the_next_index_when_aws_has_made_the_last(tmp_path: Path, reason: Reason) -> None:
    if reason is Reason.INDEX_DELETING:
        (tmp_path / "busy").write_text("DELETING\n")
    rows = numbered(3, reason, INDEX)
    (loop,) = commands_for_all(REMEDIES[reason], reason, "us-east-1", rows)

    said = run(loop, tmp_path, rows, aws=AT_ONCE, sleep="rm busy\n")

    assert (tmp_path / "orders").read_text().split() == [row.backup.backup_arn for row in rows]
    assert "PENDING\nACTIVE\n" in said


@pytest.mark.parametrize("reason", [Reason.INDEX_MISSING, Reason.INDEX_DELETING])
def test_a_loop_over_backups_that_it_names_itself_orders_one_index_after_another(
    tmp_path: Path, reason: Reason
) -> None:
    (tmp_path / "busy").write_text("DELETING\n")
    hostile = excluded(reason, INDEX, backup_arn="arn:aws:ec2:r::snapshot/$(touch${IFS}hacked)`id`'\"")
    rows = [*numbered(3, reason, INDEX), hostile]
    (loop,) = commands_in_turn(REMEDIES[reason], "us-east-1", rows)

    said = run(loop, tmp_path, [], aws=AT_ONCE, sleep="rm busy\n")

    assert (tmp_path / "orders").read_text().splitlines() == [row.backup.backup_arn for row in rows]
    assert "PENDING\nACTIVE\n" in said


def test_a_loop_uses_the_role_of_each_backup(tmp_path: Path) -> None:
    roles = [f"{ROLE}-{number}" for number in range(2)]
    rows = [excluded(Reason.INDEX_MISSING, BackupIndex("Default", role_arn=role)) for role in roles]
    (loop,) = commands_in_turn(REMEDIES[Reason.INDEX_MISSING], "us-east-1", rows)

    run(loop, tmp_path, [], aws=NOTES_ITS_CALLS)

    made = [call for call in calls(tmp_path) if call[1] == "update-recovery-point-index-settings"]
    assert [call[call.index("--iam-role-arn") + 1] for call in made] == roles


@pytest.mark.parametrize(
    ("reason", "index", "changes"),
    [
        (Reason.INDEX_MISSING, BackupIndex("Default"), {}),
        (Reason.INDEX_MISSING, BackupIndex(role_arn=ROLE), {}),
        (Reason.INDEX_MISSING, BackupIndex("file://x", role_arn=ROLE), {}),
        (Reason.INDEX_MISSING, INDEX, {"backup_arn": "arn:x y"}),
        (Reason.INDEX_FAILED, INDEX, {}),
        (Reason.INDEX_PENDING, INDEX, {}),
        (Reason.ARCHIVED, INDEX, {}),
    ],
    ids=["no role", "no vault", "another vault", "no ARN", "a policy for a role", "nothing to order", "a restore"],
)
def test_there_is_no_loop_where_a_command_is_a_decision_or_a_value_is_not_known(
    reason: Reason, index: BackupIndex, changes: dict[str, str]
) -> None:
    rows = [excluded(reason, INDEX), excluded(reason, index, **changes)]

    assert commands_in_turn(REMEDIES[reason], "us-east-1", rows) == []
