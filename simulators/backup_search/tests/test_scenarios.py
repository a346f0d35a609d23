"""What a person may write into a scenario file, and what they are told when it is wrong."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.backup_search import BackupSimulator, ScenarioError, load_scenarios, read_scenario
from simulators.backup_search.tests.asking import request

EXAMPLES = Path(__file__).parents[1] / "scenarios"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def rows_of(text: str) -> list[dict[str, Any]]:
    """Returns the rows on the wire of a job that has ended as the scenario says."""
    return _listed(BackupSimulator(scenarios=[read_scenario(text, origin="test.yaml")], clock=lambda: NOW))


def _listed(simulator: BackupSimulator) -> list[dict[str, Any]]:
    with simulator:
        (name,) = simulator.account.scenarios
        path = f"/search-jobs/{simulator.finish_job(name)}/backups"
        rows: list[dict[str, Any]] = json.loads(simulator.answer(request("GET", path)).body)["Results"]
        return rows


def test_the_documented_example_is_a_scenario() -> None:
    # When
    (scenario,) = load_scenarios(EXAMPLES)

    # Then
    assert (scenario.name, scenario.rows, scenario.runs_for) == ("nightly-invoices", 16, timedelta(seconds=8))
    assert scenario.totals.items_scanned == 125_000
    assert len(_listed(BackupSimulator(scenarios=[scenario]))) == 16


def test_rows_are_numbered_through_the_whole_list_and_placeholders_are_filled_in() -> None:
    # When
    rows = rows_of("""
        name: numbered
        backups:
          - count: 2
            source: arn:aws:s3:::b-{i:03}
          - count: 1
            backup_arn: "arn:aws:ec2:{region}::snapshot/snap-{i:017x}"
            source: "{account}/{i}/{i}"
            status_message: '100 % of {"x"} {other}'
    """)

    # Then
    assert [row["SourceResourceArn"] for row in rows] == [
        "arn:aws:s3:::b-001",
        "arn:aws:s3:::b-002",
        "000000000000/3/3",
    ]
    assert rows[2]["BackupResourceArn"] == "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000003"
    assert rows[2]["StatusMessage"] == '100 % of {"x"} {other}'


def test_times_are_fixed_or_counted_back_from_the_job() -> None:
    # When
    (row,) = rows_of("{name: t, backups: [{created: 2 days ago, index_created: 2026-11-20T03:00:00+01:00}]}")

    # Then
    assert row["BackupCreationTime"] == (NOW - timedelta(days=2)).timestamp()
    assert row["IndexCreationTime"] == datetime(2026, 11, 20, 2, tzinfo=UTC).timestamp()


def test_any_member_of_a_row_may_be_missing() -> None:
    # Given
    members = "Status, ResourceType, BackupResourceArn, SourceResourceArn, IndexCreationTime, BackupCreationTime"

    # When
    (row,) = rows_of(f"{{name: bare, backups: [{{omit: [{members}]}}]}}")

    # Then
    assert row == {}


def test_optional_members_of_a_job_may_be_missing() -> None:
    # Given
    text = "{name: bare, omit: [Name, CompletionTime, SearchScopeSummary, CurrentSearchProgress]}"

    # When
    with BackupSimulator(scenarios=[read_scenario(text, origin="test.yaml")]) as simulator:
        body = simulator.answer(request("GET", f"/search-jobs/{simulator.finish_job('bare')}")).body.decode()

    # Then
    assert "CompletionTime" not in body
    assert "Name" not in body


@pytest.mark.parametrize("status", ["TIMED_OUT", "ERRORED", "EXPIRED"])
def test_statuses_that_the_model_lacks_are_possible_on_purpose(status: str) -> None:
    # When
    (row,) = rows_of(f"{{name: odd, end_status: {status}, backups: [{{status: {status}}}]}}")

    # Then
    assert row["Status"] == status


def test_an_ebs_backup_is_a_snapshot_without_an_account() -> None:
    # When
    (row,) = rows_of("{name: e, resource_type: EBS, backups: [{}]}")

    # Then
    assert row["ResourceType"] == "EBS"
    assert row["BackupResourceArn"] == "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000001"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{name: x, colour: red}", "x.yaml: colour is no key here; allowed: name, backups"),
        ("{name: x, backups: [{}, {cuont: 3}]}", "x.yaml: backups[2].cuont is no key here; allowed: count, status"),
        ("{name: x, progress: {rows: 3}}", "x.yaml: progress.rows is no key here; allowed: recovery_points_to_scan"),
        ("{name: x, backups: [{count: many}]}", "backups[1].count must be a valid integer, not 'many'"),
        ("{name: x, backups: [{count: true}]}", "backups[1].count must be a valid integer, not True"),
        ("{name: x, backups: {}}", "x.yaml: backups must be a list, not {}"),
        ("{name: 7}", "x.yaml: name must be text (in quotes, if it looks like something else), not 7"),
        ("{}", "x.yaml: name is missing"),
        ("{name: x, runs_for: soon}", "x.yaml: runs_for must be a number of seconds from 0 to 2592000, not 'soon'"),
        ("{name: x, ended: yesterday}", "x.yaml: ended must be a time such as '3 hours ago', not 'yesterday'"),
        (
            "{name: x, end_status: RUNNING}",
            "x.yaml: end_status must be the status of an ended",
        ),
        ("{name: x, backups: [{created: 2026-11-20}]}", "backups[1].created must be a time such as '3 hours ago' or"),
        ("{name: x, backups: [{created: 2026-99-20}]}", "x.yaml: this is no YAML: month must be in 1..12"),
        (
            "{name: x, backups: [{source: 'b-{i:3f}'}]}",
            "source must hold no placeholder but {i}, ",
        ),
        ("[name]", "x.yaml: the scenario must be a mapping of keys to values, not ['name']"),
        ("{name: x, name: y}", "x.yaml: this is no YAML: key 'name' stands twice"),
        ("{name: x", "x.yaml: this is no YAML: while parsing a flow mapping"),
        ("{name: x, omit: [Status]}", "x.yaml: omit names 'Status'; allowed: Name, SearchScopeSummary"),
        ("{name: x, backups: [{omit: [Arn]}]}", "x.yaml: backups[1].omit names 'Arn'; allowed: Status, StatusMessage"),
        (
            "{name: x, backups: [{listed: no one}]}",
            "x.yaml: backups[1].listed must be a valid boolean",
        ),
        ("{name: x, backups: [{index: GONE}]}", "backups[1].index must be one of ACTIVE, DELETING, FAILED, NONE"),
        ("{name: x, scope: all}", "x.yaml: scope must be a mapping of keys to values, not 'all'"),
        ("{name: x, scope: {since: now}}", "x.yaml: scope.since is no key here; allowed: created_after"),
        ("{name: x, scope: {created_after: now}}", "scope.created_after must be a time such as '3 hours ago' or"),
        ("{name: x, scope: {source_arns: [1]}}", "x.yaml: scope.source_arns[1] must be text"),
        ("{name: x, scope: {tags: {a: 1}}}", "x.yaml: scope.tags.a must be text"),
        ("{name: x, vaults: [{}]}", "x.yaml: vaults[1].name is missing"),
        ("{name: x, vaults: [{name: vv, type: BIG}]}", "vaults[1].type must be one of BACKUP_VAULT, LOGICALLY_AIR"),
        (
            "{name: x, vaults: [{name: vv, recovery_points: [{}, {size: 3}]}]}",
            "x.yaml: vaults[1].recovery_points[2].size is no key here; allowed: count, resource_type, source",
        ),
        (
            "{name: x, vaults: [{name: vv, recovery_points: [{index: LOST}]}]}",
            "x.yaml: vaults[1].recovery_points[1].index must be one of PENDING, ACTIVE, FAILED, DELETING, not 'LOST'",
        ),
        ("{name: x, backups: [{vault: v}]}", "x.yaml: vault.name must look like"),
        ("{name: x, resource_type: RDS}", "x.yaml: resource_type must be one of S3, EBS, not 'RDS'"),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    # When
    with pytest.raises(ScenarioError) as caught:
        BackupSimulator(scenarios=[read_scenario(text, origin="x.yaml")])

    # Then
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_scenarios_of_one_directory_cannot_have_the_same_name(tmp_path: Path) -> None:
    # Given
    for file in ("a.yaml", "b.yaml"):
        (tmp_path / file).write_text("name: twin")

    # When
    with pytest.raises(ScenarioError) as caught:
        load_scenarios(tmp_path)

    # Then
    assert f"{tmp_path / 'a.yaml'} and {tmp_path / 'b.yaml'}: name 'twin' is used twice" in str(caught.value)
