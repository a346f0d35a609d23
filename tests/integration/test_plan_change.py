"""The command that changes a backup plan, copied from the page and run by a shell with the AWS CLI."""

import json
import os
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cfnlint.api import lint_all  # type: ignore[import-untyped]  # ships no types

from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from tests.integration.conftest import Deployment
from tests.pages import block

ROOT = Path(__file__).parents[2]
PLAN_ID = "22222222-3333-4444-5555-666666666666"
PLAN: dict[str, Any] = {
    "BackupPlanName": "nightly",
    "Rules": [
        {
            "RuleName": "every-night",
            "TargetBackupVaultName": "nightly",
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "StartWindowMinutes": 60,
            "Lifecycle": {"DeleteAfterDays": 35, "OptInToArchiveForSupportedResources": False},
            "RecoveryPointTags": {"stage": "prod"},
            "CopyActions": [{"DestinationBackupVaultArn": "arn:aws:backup:us-east-1:111122223333:backup-vault:far"}],
        },
        {
            "RuleName": "weekly",
            "TargetBackupVaultName": "nightly",
            "IndexActions": [{"ResourceTypes": ["EBS"]}],
            "EnableContinuousBackup": False,
        },
        {"RuleName": "untouched", "TargetBackupVaultName": "nightly"},
    ],
    "AdvancedBackupSettings": [{"ResourceType": "EC2", "BackupOptions": {"WindowsVSS": "enabled"}}],
}
CHANGED = deepcopy(PLAN)
CHANGED["Rules"][0]["IndexActions"] = [{"ResourceTypes": ["EBS", "S3"]}]
CHANGED["Rules"][1]["IndexActions"] = [{"ResourceTypes": ["EBS", "S3"]}]


class Page:
    """The page of a posture, and a shell in which its commands are run."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        deployment.posture()
        (key,) = [key for key in deployment.stored() if key.endswith("posture.html")]
        self.text = deployment.read(key).decode()
        self._folder = folder

    def block(self, name: str) -> str:
        """Return what a reader copies."""
        return block(self.text, name)

    def run(self, commands: str, before_the_second_look: str = "") -> subprocess.CompletedProcess[str]:
        """Run commands; do something before the AWS CLI looks at the version for the last time."""
        script = f'#!/bin/sh\ncase "$*" in *VersionId*) {before_the_second_look or ":"} ;; esac\n'
        (self._folder / "aws").write_text(f'{script}exec "{ROOT}/.venv/bin/python" -m awscli "$@"\n')
        (self._folder / "aws").chmod(0o700)
        environment = {**os.environ, "PATH": f"{self._folder}:{os.environ['PATH']}", "AWS_PAGER": ""}
        command = ["/bin/sh", "-c", commands]
        return subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)


def plan_now() -> dict[str, Any]:
    """Return the plan as it is, without the ids of its rules."""
    plan: Any = boto3.client("backup").get_backup_plan(BackupPlanId=PLAN_ID)["BackupPlan"]
    return {**plan, "Rules": [{name: value for name, value in r.items() if name != "RuleId"} for r in plan["Rules"]]}


@pytest.fixture
def page(deployment: Deployment, simulator: BackupSimulator, tmp_path: Path) -> Page:
    simulator.add_plan(PLAN_ID, PLAN)
    made: Any = {"plan": PLAN_ID, "index": None}
    simulator.add_vault(
        Vault(
            "nightly",
            (
                RecoveryPointGroup(count=3, rule="every-night", **made),
                RecoveryPointGroup(count=2, rule="every-night", resource_type="EBS", **made),
                RecoveryPointGroup(source="arn:aws:s3:::weekly", rule="weekly", **made),
            ),
        )
    )
    return Page(deployment, tmp_path)


def test_the_command_changes_index_actions_and_nothing_else(page: Page) -> None:
    done = page.run(page.block("plan-cli-1"))

    assert (done.returncode, done.stderr) == (0, "")
    assert plan_now() == CHANGED


def test_run_after_somebody_elses_change_it_keeps_that(page: Page, simulator: BackupSimulator) -> None:
    theirs = deepcopy(PLAN)
    theirs["Rules"][0]["Lifecycle"] = {"DeleteAfterDays": 90}
    theirs["Rules"].append({"RuleName": "theirs", "TargetBackupVaultName": "nightly"})
    simulator.add_plan(PLAN_ID, theirs)

    done = page.run(page.block("plan-cli-1"))

    assert done.returncode == 0, done.stderr
    both = deepcopy(theirs)
    for number in (0, 1):
        both["Rules"][number]["IndexActions"] = CHANGED["Rules"][number]["IndexActions"]
    assert plan_now() == both


def test_a_change_while_it_runs_stops_it(page: Page) -> None:
    theirs = json.dumps({**PLAN, "BackupPlanName": "theirs"})
    change = (
        f'"{ROOT}/.venv/bin/python" -m awscli backup update-backup-plan --backup-plan-id {PLAN_ID} '
        f"--backup-plan '{theirs}' > /dev/null"
    )

    done = page.run(page.block("plan-cli-1"), before_the_second_look=change)

    assert done.returncode == 1
    assert done.stderr == "The plan has just been changed by somebody else. Nothing was changed; run this again.\n"
    assert plan_now()["BackupPlanName"] == "theirs"
    assert plan_now()["Rules"] == PLAN["Rules"]


def test_a_rule_that_is_gone_stops_it(page: Page, simulator: BackupSimulator) -> None:
    simulator.add_plan(PLAN_ID, {**PLAN, "Rules": PLAN["Rules"][1:]})

    done = page.run(page.block("plan-cli-1"))

    assert done.returncode == 1
    assert done.stderr == "The plan has no rule every-night any more. Nothing was changed.\n"
    assert plan_now()["Rules"] == PLAN["Rules"][1:]


def test_a_plan_that_aws_refuses_stays_as_it_is(page: Page, simulator: BackupSimulator) -> None:
    simulator.faults.add("error", operation="UpdateBackupPlan", error_code="InvalidParameterValueException")

    done = page.run(page.block("plan-cli-1"))

    assert done.returncode != 0
    assert "InvalidParameterValueException" in done.stderr
    assert plan_now() == PLAN


def test_it_leaves_no_file_behind(page: Page, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()

    page.run(f"TMPDIR={tmp_path}/made; export TMPDIR; {page.block('plan-cli-1')}")

    assert list((tmp_path / "made").iterdir()) == []


def test_it_can_be_run_twice(page: Page) -> None:
    for _ in range(2):
        assert page.run(page.block("plan-cli-1")).returncode == 0
    assert plan_now() == CHANGED


def test_the_cloudformation_form_is_valid_for_the_schema_of_aws(page: Page) -> None:
    snippet = yaml.safe_load(page.block("plan-cloudformation-1"))
    plan = {"BackupPlanName": "nightly", **snippet}
    for rule in plan["BackupPlanRule"]:
        rule["TargetBackupVault"] = "nightly"
    template = {"Resources": {"Plan": {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": plan}}}}

    assert [found for found in lint_all(json.dumps(template)) if found.rule.id.startswith(("E", "W"))] == []
    assert [rule["IndexActions"] for rule in plan["BackupPlanRule"]] == [
        [{"ResourceTypes": ["EBS", "S3"]}],
        [{"ResourceTypes": ["EBS", "S3"]}],
    ]


def test_the_cdk_form_is_python_that_makes_these_rules(page: Page) -> None:
    from aws_cdk import aws_backup as backup  # noqa: PLC0415

    rules = eval(f"[{page.block('plan-cdk-1')}]", {"backup": backup})  # noqa: S307 - the page's own text

    assert [rule.props.rule_name for rule in rules] == ["every-night", "weekly"]
    for rule in rules:
        assert [kind.value for kind in rule.props.index_actions[0].resource_types] == ["EBS", "S3"]


def test_the_form_for_organizations_assigns_the_types_to_each_rule(page: Page) -> None:
    policy = json.loads(page.block("plan-organizations-1"))

    rules = policy["plans"]["nightly"]["rules"]
    assert rules == {
        name: {"index_actions": {"resource_types": {"@@assign": ["EBS", "S3"]}}} for name in ("every-night", "weekly")
    }
