"""Backup plans as boto3 sees them, and the backups, the indexes and the events that they make as time goes by."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from simulators.backup_search import AIR_GAPPED_VAULT, RecoveryPointGroup, ScenarioError, Selection, Vault
from simulators.backup_search.tests.conftest import NOW, POINT, Sandbox, ask, named, refusal

BUCKETS = (Selection(source="arn:aws:s3:::bucket-{i}", count=2),)


def rule(name: str = "daily", *indexed: str, vault: str = "vault", **members: Any) -> dict[str, Any]:
    actions = {"IndexActions": [{"ResourceTypes": list(indexed)}]} if indexed else {}
    return {"RuleName": name, "TargetBackupVaultName": vault, **actions, **members}


def plan(*rules: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"BackupPlanName": "nightly", "Rules": list(rules), **members}


def update(sandbox: Sandbox, content: Mapping[str, Any]) -> str:
    return str(sandbox.backup.update_backup_plan(BackupPlanId="p", BackupPlan=content)["VersionId"])


def got(sandbox: Sandbox, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = sandbox.backup.get_backup_plan(BackupPlanId="p", **params)
    return answer


def indexes(sandbox: Sandbox) -> Counter[str | None]:
    return Counter(point.get("IndexStatus") for point in sandbox.points())


def test_an_update_replaces_the_whole_plan_and_gives_its_rules_new_ids(sandbox: Sandbox) -> None:
    settings = [{"ResourceType": "EC2", "BackupOptions": {"WindowsVSS": "enabled"}}]
    sandbox.simulator.add_plan("p", plan(rule("a"), rule("b"), AdvancedBackupSettings=settings))
    before = got(sandbox)

    version = update(sandbox, plan(rule("b", "S3")))

    now = got(sandbox)
    assert before["AdvancedBackupSettings"] == before["BackupPlan"]["AdvancedBackupSettings"] == settings
    assert now["VersionId"] == version != before["VersionId"]
    assert [each["RuleName"] for each in now["BackupPlan"]["Rules"]] == ["b"]
    assert "AdvancedBackupSettings" not in now | now["BackupPlan"]
    assert not {each["RuleId"] for each in now["BackupPlan"]["Rules"]} & {
        each["RuleId"] for each in before["BackupPlan"]["Rules"]
    }
    # And the version before is still there
    assert got(sandbox, VersionId=before["VersionId"])["BackupPlan"] == before["BackupPlan"]


def test_plans_and_their_versions_are_listed_in_pages(sandbox: Sandbox) -> None:
    for name in ("c", "a", "b"):
        sandbox.simulator.add_plan(name, plan(rule()))
    versions = [sandbox.backup.get_backup_plan(BackupPlanId="b")["VersionId"]]
    for _ in range(2):
        answer = sandbox.backup.update_backup_plan(BackupPlanId="b", BackupPlan=plan(rule()))
        versions.append(answer["VersionId"])
    sandbox.simulator.delete_plan("a")

    def listed(operation: str, member: str, name: str, **params: Any) -> list[str]:
        paginator = sandbox.backup.get_paginator(operation)
        pages = paginator.paginate(**params, PaginationConfig={"PageSize": 1})
        return [row[name] for page in pages for row in page[member]]

    assert listed("list_backup_plans", "BackupPlansList", "BackupPlanId") == ["b", "c"]
    assert listed("list_backup_plans", "BackupPlansList", "BackupPlanId", IncludeDeleted=True) == ["a", "b", "c"]
    found = listed("list_backup_plan_versions", "BackupPlanVersionsList", "VersionId", BackupPlanId="b")
    assert found == versions[::-1]


def test_a_deleted_plan_is_shown_and_not_updated(sandbox: Sandbox) -> None:
    sandbox.simulator.add_plan("p", plan(rule()))
    sandbox.simulator.delete_plan("p")

    assert got(sandbox)["DeletionDate"] == NOW
    for call, params in (
        (sandbox.backup.update_backup_plan, {"BackupPlanId": "p", "BackupPlan": plan(rule())}),
        (sandbox.backup.get_backup_plan, {"BackupPlanId": "q"}),
        (sandbox.backup.get_backup_plan, {"BackupPlanId": "p", "VersionId": "none"}),
        (sandbox.backup.list_backup_plan_versions, {"BackupPlanId": "q"}),
    ):
        assert refusal(call, **params)["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (plan(rule("r", "EFS")), "Error in rule r: a rule takes one index action with the resource types EBS or S3"),
        (plan(rule("r", IndexActions=[{"ResourceTypes": ["S3"]}] * 2)), "Error in rule r: a rule takes one index"),
        (plan(rule("r", IndexActions=[{"ResourceTypes": []}])), "Error in rule r: a rule takes one index action"),
        (plan(rule("r", IndexActions=[{}])), "Error in rule r: a rule takes one index action"),
        (
            plan(rule("r", Lifecycle={"DeleteAfterEvent": "DELETE_AFTER_COPY"})),
            "DeleteAfterEvent is not valid as an input",
        ),
        (plan(), "A backup plan needs at least one rule"),
    ],
)
def test_what_aws_does_not_accept_in_a_plan_is_refused(
    sandbox: Sandbox, content: dict[str, Any], sentence: str
) -> None:
    sandbox.simulator.add_plan("p", plan(rule()))

    error = refusal(sandbox.backup.update_backup_plan, BackupPlanId="p", BackupPlan=content)

    assert error["Code"] == "InvalidParameterValueException"
    assert sentence in error["Message"]
    with pytest.raises(ScenarioError, match=f"plan 'q'.content: .*{sentence}"):
        sandbox.simulator.add_plan("q", content)


def test_a_plan_that_the_model_does_not_know_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(
        ScenarioError, match=r'content: Missing required parameter in Rules\[0\]: "TargetBackupVaultName"'
    ):
        sandbox.simulator.add_plan("p", plan({"RuleName": "r"}))


def test_a_backup_names_the_plan_and_the_rule_that_made_it(sandbox: Sandbox) -> None:
    sandbox.simulator.add_plan("p", plan(rule("a"), rule("b")))
    first = got(sandbox)
    sandbox.move(days=2)
    update(sandbox, plan(rule("b")))
    made = [named("old", plan="p", rule="b", created=timedelta(days=1)), named("new", plan="p", rule="b", created=NOW)]
    others = [named("unknown", plan="gone", rule="r"), named("by-hand")]
    sandbox.simulator.add_vault(Vault("vault", (*made, *others)))

    by: dict[str, Any] = {
        point["RecoveryPointArn"].removeprefix(f"{POINT}:"): point.get("CreatedBy") for point in sandbox.points()
    }

    assert by["old"]["BackupPlanVersion"] == first["VersionId"]
    assert by["old"]["BackupRuleId"] == first["BackupPlan"]["Rules"][1]["RuleId"]
    assert {by["old"][name] for name in ("BackupPlanId", "BackupPlanName", "BackupRuleName")} == {"p", "nightly", "b"}
    assert by["old"]["BackupRuleCron"] == "cron(0 5 ? * * *)"
    assert by["unknown"].keys() == {"BackupPlanId", "BackupPlanArn", "BackupRuleId", "BackupRuleName"}
    assert by["by-hand"] is None
    assert len(sandbox.points(ByBackupPlanId="p")) == 2


def test_a_month_of_a_plan_that_indexes_from_its_second_week_on(sandbox: Sandbox) -> None:
    lifecycle = {"DeleteAfterDays": 10}
    sandbox.simulator.add_plan("p", plan(rule(Lifecycle=lifecycle)), BUCKETS)
    counts = []
    for day in range(1, 31):
        sandbox.move(days=1)
        counts.append((indexes(sandbox)["ACTIVE"], len(sandbox.points())))
        if day == 7:
            update(sandbox, plan(rule("daily", "S3", Lifecycle=lifecycle)))

    # One backup per source and day, deleted after ten days
    assert [backups for _, backups in counts] == [2 * min(day, 10) for day in range(1, 31)]
    # Those that the rule makes from then on have an index; those before leave one after the other
    assert [active for active, _ in counts] == [2 * min(max(0, day - 7), 10) for day in range(1, 31)]
    assert got(sandbox)["LastExecutionDate"] == (NOW + timedelta(days=30)).replace(hour=5)


def test_a_month_at_once_is_a_month_day_by_day(sandbox: Sandbox) -> None:
    sandbox.simulator.add_plan("p", plan(rule("daily", "S3", Lifecycle={"DeleteAfterDays": 10})), BUCKETS)

    sandbox.move(days=30)

    points = sandbox.points()
    assert len({point["RecoveryPointArn"] for point in points}) == len(points) == 20
    assert Counter(point["ResourceArn"] for point in points) == {f"arn:aws:s3:::bucket-{i}": 10 for i in (1, 2)}
    assert {point["CreationDate"].hour for point in points} == {5}


@pytest.mark.parametrize(
    ("schedule", "made"), [("cron(30 13 * * ? *)", 1), ("cron(30 11 * * ? *)", 0), ("cron(0 * * * ? *)", 0)]
)
def test_a_rule_runs_once_a_day_at_its_time_or_not_at_all(sandbox: Sandbox, schedule: str, made: int) -> None:
    sandbox.simulator.add_plan("p", plan(rule(ScheduleExpression=schedule)), BUCKETS[:1])

    sandbox.move(hours=2)  # from 12:00

    assert len(sandbox.points()) == 2 * made if made else sandbox.backup.list_backup_vaults()["BackupVaultList"] == []


def test_a_plan_indexes_what_can_be_indexed_and_only_its_types(sandbox: Sandbox) -> None:
    sandbox.simulator.add_vault(Vault("safe", type=AIR_GAPPED_VAULT))
    content = plan(rule("a", "S3"), rule("b", "S3", vault="safe"), rule("c", "EBS"))
    sandbox.simulator.add_plan("p", content, [Selection(), Selection(resource_type="EC2")])

    sandbox.move(days=1)

    found = {(point["BackupVaultName"], point["ResourceType"], point.get("IndexStatus")) for point in sandbox.points()}
    assert found == {
        ("vault", "S3", "ACTIVE"),
        ("vault", "S3", None),
        ("vault", "EC2", None),
        ("safe", "S3", None),
        ("safe", "EC2", None),
    }


def test_a_deleted_plan_makes_no_backup_any_more(sandbox: Sandbox) -> None:
    sandbox.simulator.add_plan("p", plan(rule()), BUCKETS)
    sandbox.move(days=1)
    sandbox.simulator.delete_plan("p")

    sandbox.move(days=3)

    assert len(sandbox.points()) == 2


def test_an_index_of_a_plan_is_pending_at_first(sandbox: Sandbox) -> None:
    sandbox.simulator.add_plan("p", plan(rule("daily", "S3")), BUCKETS)

    sandbox.move(hours=17, seconds=2)  # to 05:00
    before = indexes(sandbox)
    sandbox.move(seconds=3)

    assert (before, indexes(sandbox)) == ({"PENDING": 2}, {"ACTIVE": 2})


def test_each_end_of_an_index_is_an_event_as_aws_documents_it(sandbox: Sandbox) -> None:
    events: list[Mapping[str, Any]] = []
    sandbox.simulator.send_events(events.append)
    sandbox.simulator.add_vault(Vault("daily", (named("a", index=None), named("b"), named("c", index=None))))
    sandbox.simulator.fail_indexes("arn:aws:s3:::example-bucket-000003")

    for name, setting in (("a", "ENABLED"), ("b", "DISABLED"), ("c", "ENABLED")):
        sandbox.index("daily", f"{POINT}:{name}", setting)
    before = len(events)
    sandbox.move(seconds=5)

    assert before == 0
    assert [(event["Source"], event["DetailType"]) for event in events] == [
        ("aws.backup", "Recovery Point Index State Change")
    ] * 3
    details = [json.loads(event["Detail"]) for event in events]
    assert [detail["indexStatus"] for detail in details] == ["ACTIVE", "DELETED", "FAILED"]
    assert [event["Resources"] for event in events] == [[detail["recoveryPointArn"]] for detail in details]
    assert details[2] == {
        "recoveryPointArn": f"{POINT}:c",
        "accountId": "000000000000",
        "indexStatus": "FAILED",
        "iamRoleArn": "arn:aws:iam::000000000000:role/indexer",
        "resourceType": "S3",
        "backupVaultArn": "arn:aws:backup:us-east-1:000000000000:backup-vault:daily",
        "indexCreationTime": "2026-11-20T12:00:00.000Z",
        "isIndexingContinuous": False,
        "sourceResourceArn": "arn:aws:s3:::example-bucket-000003",
        "backupCreationTime": "2026-11-19T12:00:00.000Z",
        "indexStatusMessage": "An AWS Backup recovery point index failed to create. "
        f"Indexed recovery point arn : {POINT}:c",
    }
    assert details[0]["indexCompletionTime"] == details[1]["indexDeletionTime"] == "2026-11-20T12:00:05.000Z"
    # And the vault says the same
    failed = next(point for point in sandbox.points() if point["RecoveryPointArn"] == f"{POINT}:c")
    assert (failed["IndexStatus"], failed["IndexStatusMessage"]) == ("FAILED", details[2]["indexStatusMessage"])


def test_an_index_that_failed_can_be_made_again(sandbox: Sandbox) -> None:
    source = "arn:aws:s3:::payroll"
    sandbox.simulator.add_vault(Vault("daily", (named("a", index=None, source=source),)))
    sandbox.simulator.fail_indexes(source, message="Not allowed.")
    statuses = []
    for _ in range(2):
        sandbox.index("daily", f"{POINT}:a", "ENABLED")
        sandbox.move(seconds=5)
        statuses.append([(point["IndexStatus"], point.get("IndexStatusMessage")) for point in sandbox.points()])
        sandbox.simulator.fail_indexes()

    assert statuses == [[("FAILED", "Not allowed.")], [("ACTIVE", None)]]


def test_there_is_no_event_of_a_backup_that_is_gone_and_a_bus_that_refuses_loses_one(sandbox: Sandbox) -> None:
    tried: list[str] = []

    def refuse(event: Mapping[str, Any]) -> None:
        tried.append(event["Resources"][0])
        raise ConnectionError

    sandbox.simulator.send_events(refuse)
    sandbox.simulator.add_vault(Vault("daily", (named("{i}", count=2, index=None),)))
    for number in (1, 2):
        sandbox.index("daily", f"{POINT}:{number}", "ENABLED")
    sandbox.simulator.delete_recovery_point(f"{POINT}:1")

    sandbox.move(seconds=5)
    sandbox.move(seconds=5)

    assert tried == [f"{POINT}:2"]


def test_plans_and_failing_indexes_by_the_control_path(sandbox: Sandbox) -> None:
    simulator = sandbox.simulator
    added = {"id": "p", "content": plan(rule("daily", "S3")), "selections": [{"source": "arn:aws:s3:::payroll"}]}
    failing = {"sources": ["arn:aws:s3:::payroll"], "message": "No."}

    for path, body in (("plans", added), ("failing-indexes", failing), ("clock", {"forward_seconds": 86_400})):
        assert ask(simulator, "POST", f"/_simulator/{path}", json.dumps(body).encode()).status == 200, path
    refused = ask(simulator, "POST", "/_simulator/plans", json.dumps({**added, "content": plan()}).encode())

    assert indexes(sandbox) == {"FAILED": 1}
    assert refused.status == 400
    assert "at least one rule" in json.loads(refused.body)["message"]


def test_a_plan_that_is_replaced_keeps_the_backups_that_it_made(sandbox: Sandbox) -> None:
    sandbox.simulator.add_plan("p", plan(rule()), BUCKETS)
    sandbox.move(days=1)

    sandbox.simulator.add_plan("p", plan(rule("daily", "S3")), BUCKETS)
    sandbox.simulator.add_recovery_points("vault", RecoveryPointGroup(index=None))
    sandbox.move(days=1)

    assert indexes(sandbox) == {None: 3, "ACTIVE": 2}
