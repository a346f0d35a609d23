"""What a person may write into a scenario file, and the sentence for what is wrong."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.backup_search import BackupSimulator, Scenario, ScenarioError, load_scenarios, read_scenario
from simulators.backup_search.tests.conftest import NOW, ask

EXAMPLES = Path(__file__).parents[1] / "scenarios"


def rows_of(scenario: str | Scenario) -> list[dict[str, Any]]:
    """Return the rows on the wire of a job that has ended as the scenario says."""
    if isinstance(scenario, str):
        scenario = read_scenario(scenario, origin="test.yaml")
    with BackupSimulator(clock=lambda: NOW) as simulator:
        path = f"/search-jobs/{simulator.finish_job(scenario)}/backups"
        rows: list[dict[str, Any]] = json.loads(ask(simulator, "GET", path).body)["Results"]
        return rows


def test_the_documented_example_is_a_scenario() -> None:
    (scenario,) = load_scenarios(EXAMPLES)

    assert (scenario.name, scenario.rows, scenario.runs_for) == ("nightly-invoices", 16, timedelta(seconds=8))
    assert (scenario.totals.items_scanned, scenario.result_count) == (125_000, 3)
    assert len(rows_of(scenario)) == 16


def test_rows_are_numbered_through_the_whole_list_and_placeholders_are_filled_in() -> None:
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

    assert [row["SourceResourceArn"] for row in rows] == [
        "arn:aws:s3:::b-001",
        "arn:aws:s3:::b-002",
        "000000000000/3/3",
    ]
    assert rows[2]["BackupResourceArn"] == "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000003"
    assert rows[2]["StatusMessage"] == '100 % of {"x"} {other}'


def test_times_are_fixed_or_counted_back_from_the_job() -> None:
    (row,) = rows_of("{name: t, backups: [{created: 2 days ago, index_created: 2026-11-20T03:00:00+01:00}]}")

    assert row["BackupCreationTime"] == (NOW - timedelta(days=2)).timestamp()
    assert row["IndexCreationTime"] == datetime(2026, 11, 20, 2, tzinfo=UTC).timestamp()


def test_any_member_of_a_row_may_be_missing() -> None:
    members = "Status, ResourceType, BackupResourceArn, SourceResourceArn, IndexCreationTime, BackupCreationTime"

    (row,) = rows_of(f"{{name: bare, backups: [{{omit: [{members}]}}]}}")

    assert row == {}


def test_optional_members_of_a_job_may_be_missing() -> None:
    text = "{name: bare, omit: [Name, CompletionTime, SearchScopeSummary, CurrentSearchProgress]}"

    with BackupSimulator(scenarios=[read_scenario(text, origin="test.yaml")]) as simulator:
        body = ask(simulator, "GET", f"/search-jobs/{simulator.finish_job('bare')}").body.decode()

    assert "CompletionTime" not in body
    assert "Name" not in body


@pytest.mark.parametrize("status", ["TIMED_OUT", "ERRORED", "EXPIRED"])
def test_statuses_that_the_model_lacks_are_possible_on_purpose(status: str) -> None:
    (row,) = rows_of(f"{{name: odd, end_status: {status}, backups: [{{status: {status}}}]}}")

    assert row["Status"] == status


def test_an_ebs_backup_is_a_snapshot_without_an_account() -> None:
    (row,) = rows_of("{name: e, resource_type: EBS, backups: [{}]}")

    assert row["ResourceType"] == "EBS"
    assert row["BackupResourceArn"] == "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000001"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{name: x, color: red}", "x.yaml: color is not a key here; allowed: name, backups"),
        ("{name: x, backups: [{}, {cuont: 3}]}", "x.yaml: backups[2].cuont is not a key here; allowed: count, status"),
        ("{name: x, progress: {rows: 3}}", "x.yaml: progress.rows is not a key here; allowed: recovery_points_to_scan"),
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
        ("{name: x, backups: [{created: 2026-99-20}]}", "x.yaml: this is not YAML: month must be in 1..12"),
        (
            "{name: x, backups: [{source: 'b-{i:3f}'}]}",
            "source must hold no placeholder but {i}, ",
        ),
        ("[name]", "x.yaml: the scenario must be a mapping of keys to values, not ['name']"),
        ("{name: x, name: y}", "x.yaml: this is not YAML: key 'name' appears twice"),
        ("{name: x", "x.yaml: this is not YAML: while parsing a flow mapping"),
        ("{name: x, omit: [Status]}", "x.yaml: omit names 'Status'; allowed: Name, SearchScopeSummary"),
        ("{name: x, backups: [{omit: [Arn]}]}", "x.yaml: backups[1].omit names 'Arn'; allowed: Status, StatusMessage"),
        (
            "{name: x, backups: [{listed: no one}]}",
            "x.yaml: backups[1].listed must be a valid boolean",
        ),
        ("{name: x, backups: [{index: GONE}]}", "backups[1].index must be one of ACTIVE, DELETING, FAILED, NONE"),
        ("{name: x, scope: all}", "x.yaml: scope must be a mapping of keys to values, not 'all'"),
        ("{name: x, scope: {since: now}}", "x.yaml: scope.since is not a key here; allowed: created_after"),
        ("{name: x, scope: {created_after: now}}", "scope.created_after must be a time such as '3 hours ago' or"),
        ("{name: x, scope: {source_arns: [1]}}", "x.yaml: scope.source_arns[1] must be text"),
        ("{name: x, scope: {tags: {a: 1}}}", "x.yaml: scope.tags.a must be text"),
        ("{name: x, vaults: [{}]}", "x.yaml: vaults[1].name is missing"),
        ("{name: x, vaults: [{name: vv, type: BIG}]}", "vaults[1].type must be one of BACKUP_VAULT, LOGICALLY_AIR"),
        (
            "{name: x, vaults: [{name: vv, recovery_points: [{}, {size: 3}]}]}",
            "x.yaml: vaults[1].recovery_points[2].size is not a key here; allowed: count, resource_type, source",
        ),
        (
            "{name: x, vaults: [{name: vv, recovery_points: [{index: LOST}]}]}",
            "x.yaml: vaults[1].recovery_points[1].index must be one of PENDING, ACTIVE, FAILED, DELETING, not 'LOST'",
        ),
        ("{name: x, backups: [{vault: v}]}", "x.yaml: vault.name must look like"),
        ("{name: x, results: [{}]}", "x.yaml: results[1].backup must be a row, from 1 to 0, not 1"),
        (
            "{name: x, backups: [{}], results: [{}, {backup: 0}]}",
            "results[2].backup must be greater than or equal to 1",
        ),
        ("{name: x, backups: [{}], results: [{key: a}]}", "results[1].key is not a key here; allowed: count, backup"),
        ("{name: x, backups: [{}], results: [{item: '{i:f}'}]}", "results[1].item must hold no placeholder but {i}"),
        ("{name: x, backups: [{}], results: [{omit: [Key]}]}", "results[1].omit names 'Key'; allowed: BackupResource"),
        ("{name: x, tags: {a: 1}}", "x.yaml: tags.a must be text"),
        ("{name: x, resource_type: RDS}", "x.yaml: resource_type must be one of S3, EBS, not 'RDS'"),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        BackupSimulator(scenarios=[read_scenario(text, origin="x.yaml")])

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ("[]", " must be a valid dictionary, not []"),
        ("{RDSItemFilters: []}", ".RDSItemFilters is not a key here; allowed: S3ItemFilters, EBSItemFilters."),
        ("{S3ItemFilters: {}}", ".S3ItemFilters must be a list of 0 to 10, not {}."),
        ("{S3ItemFilters: [x]}", ".S3ItemFilters[1] must be a mapping of keys to values, not 'x'."),
        ("{S3ItemFilters: [{FilePaths: []}]}", ".S3ItemFilters[1].FilePaths is not a key here; allowed: ObjectKeys, "),
        (
            "{S3ItemFilters: [{}, {ObjectKeys: []}]}",
            ".S3ItemFilters[2].ObjectKeys must be a list of 1 to 10, not of 0.",
        ),
        ("{S3ItemFilters: [{ETags: [{}]}]}", ".S3ItemFilters[1].ETags[1].Value is missing."),
        ("{S3ItemFilters: [{ETags: [{Value: 1}]}]}", ".S3ItemFilters[1].ETags[1].Value must be text, not 1."),
        ("{S3ItemFilters: [{Sizes: [{Value: true}]}]}", ".Sizes[1].Value must be a whole number, not True."),
        (
            "{S3ItemFilters: [{Sizes: [{Value: 1, Operator: IS}]}]}",
            "Operator must be one of EQUALS_TO, NOT_EQUALS_TO, ",
        ),
        ("{EBSItemFilters: [{CreationTimes: [{Value: now}]}]}", ".Value must be a time such as 2026-11-20T03:00:00Z,"),
        (
            "{EBSItemFilters: [{CreationTimes: [{Value: 2026-11-20}]}]}",
            ".CreationTimes[1].Value must be a time such as",
        ),
        (
            "{EBSItemFilters: [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]}",
            ".EBSItemFilters must be a list of 0 to 10,",
        ),
    ],
)
def test_item_filters_that_aws_does_not_take_are_refused_in_one_sentence(filters: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        BackupSimulator(scenarios=[read_scenario(f"{{name: x, item_filters: {filters}}}", origin="x.yaml")])

    assert str(caught.value).startswith("x.yaml: item_filters")
    assert sentence in str(caught.value)


def test_two_scenarios_of_one_directory_cannot_have_the_same_name(tmp_path: Path) -> None:
    for file in ("a.yaml", "b.yaml"):
        (tmp_path / file).write_text("name: twin")

    with pytest.raises(ScenarioError) as caught:
        load_scenarios(tmp_path)

    assert f"{tmp_path / 'a.yaml'} and {tmp_path / 'b.yaml'}: name 'twin' is used twice" in str(caught.value)
