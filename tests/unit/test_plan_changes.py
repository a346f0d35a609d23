"""What to change in backup plans: which rules, and a command that a real shell runs with an AWS CLI of ours."""

import ast
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.plan_changes import PlanChange, plan_changes
from search_coverage.coverage.posture import Counts, Posture, RulePosture, VaultPosture
from search_coverage.coverage.searchability import Searchability
from tests.postures import posture
from tests.whole_posture import DATABASES, FINANCE, hostile_posture, whole_posture

PLAN_ID = "p-1"
PLAN: dict[str, Any] = {
    "BackupPlanName": "nightly",
    "Rules": [
        {
            "RuleId": "r-1",
            "RuleName": "every-night",
            "TargetBackupVaultName": "nightly",
            "Lifecycle": {"DeleteAfterDays": 35, "DeleteAfterEvent": "DELETE_AFTER_COPY"},
            "CopyActions": [{"DestinationBackupVaultArn": "arn:x", "Lifecycle": {"DeleteAfterEvent": "x"}}],
            "RecoveryPointTags": {"DeleteAfterEvent": "a tag", "$(touch hacked)": "'"},
        },
        {"RuleId": "r-2", "RuleName": "volumes", "IndexActions": [{"ResourceTypes": ["EBS"]}]},
    ],
}
_RULE: dict[str, Any] = {
    **dict.fromkeys(PLAN["Rules"][0], ""),
    "IndexActions": [{"ResourceTypes": [""]}],
    "Lifecycle": {"DeleteAfterDays": 0},
    "CopyActions": [{"DestinationBackupVaultArn": ""}],
}
SKELETON = {"BackupPlan": {"BackupPlanName": "", "Rules": [_RULE]}}
AWS = """#!/bin/sh
case "$*" in
*--generate-cli-skeleton*) cat skeleton.json ;;
*"--query VersionId"*) cat version ;;
*get-backup-plan*) cat answer.json ;;
*update-backup-plan*) for word; do case $word in file://*) cp "${word#file://}" sent.json ;; esac; done ;;
esac
printf '%s\\n' "$*" >> calls
"""


def rule(
    name: str | None = "every-night", plan_id: str | None = PLAN_ID, to_mend: int = 3, **types: int
) -> RulePosture:
    """Return a rule that made so many backups of these types without an index."""
    counts = {kind: Counts({Searchability.INDEX_MISSING: count}) for kind, count in (types or {"S3": 5}).items()}
    return RulePosture(plan_id, name, counts, 4, to_mend)


def plan(content: Mapping[str, Any] = PLAN, plan_id: str = PLAN_ID, arn: str | None = None) -> BackupPlan:
    return BackupPlan(plan_id, arn, "v-1", content)


def changes(*rules: RulePosture, plans: tuple[BackupPlan, ...] = (plan(),), **others: Any) -> list[PlanChange]:
    return plan_changes(posture(rules=rules, plans={each.plan_id: each for each in plans}, **others))


def rules_of(change: PlanChange) -> dict[str | None, list[str]]:
    return {each.rule.name: each.all_types for each in change.rules}


@dataclass
class Shell:
    """A folder in which the commands of the page are run, and an AWS CLI that answers from it."""

    folder: Path

    def run(self, command: str, *, plan: Mapping[str, Any] = PLAN, version: str = "v-1", knows: Any = SKELETON) -> str:
        """Run a command against a plan; return what it says."""
        (self.folder / "sent.json").unlink(missing_ok=True)
        (self.folder / "answer.json").write_text(json.dumps({"BackupPlan": plan, "VersionId": "v-1"}))
        (self.folder / "version").write_text(f"{version}\n")
        (self.folder / "skeleton.json").write_text(json.dumps(knows, indent=4))
        (self.folder / "aws").write_text(AWS)
        (self.folder / "aws").chmod(0o700)
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        ran = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert not (self.folder / "hacked").exists()
        assert (ran.returncode == 0) == (self.sent is not None)
        return ran.stderr

    @property
    def sent(self) -> Any:
        """The plan that the last command sent; None if it sent none."""
        path = self.folder / "sent.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_plans_that_mend_the_most_sources_come_first() -> None:
    first, second = plan_changes(whole_posture())

    assert (first.plan.plan_id, first.sources, rules_of(first)) == (DATABASES, 11, {"hourly": ["EBS", "S3"]})
    assert (second.plan.plan_id, second.sources, rules_of(second)) == (FINANCE, 4, {"daily": ["S3"]})


@pytest.mark.parametrize(
    ("counted", "found"),
    [
        (rule(S3=1), {"every-night": ["S3"]}),
        (rule(S3=1, EBS=1), {"every-night": ["EBS", "S3"]}),
        (rule("r-1", S3=1), {"every-night": ["S3"]}),
        (rule("volumes", S3=1), {"volumes": ["EBS", "S3"]}),
        (rule("volumes", EBS=1), None),
        (rule("gone", S3=1), None),
        (rule(None, S3=1), None),
        (rule(plan_id=None, S3=1), None),
        (rule(plan_id="not-read", S3=1), None),
        (rule(S3=0), None),
    ],
    ids=[
        "one type",
        "both types",
        "a rule that AWS names by its id alone",
        "one type more",
        "a rule that indexes by now",
        "a rule that is gone",
        "a rule without a name",
        "no plan",
        "a plan that AWS did not show",
        "nothing without an index",
    ],
)
def test_a_rule_is_to_index_the_types_that_it_leaves_out(
    counted: RulePosture, found: dict[str, list[str]] | None
) -> None:
    assert [rules_of(change) for change in changes(counted)] == ([found] if found else [])


def test_a_rule_that_aws_names_once_by_its_name_and_once_by_its_id_is_changed_once() -> None:
    (change,) = changes(rule(S3=1, to_mend=2), rule("r-1", EBS=1, to_mend=1))

    assert (change.sources, [each.all_types for each in change.rules]) == (3, [["EBS", "S3"]])


def test_a_vault_that_takes_no_index_is_no_reason_for_a_change() -> None:
    vault = VaultPosture("nightly", "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", Counts())

    assert changes(rule(), vaults=(vault,)) == []


@pytest.mark.parametrize(
    ("plan_id", "arn", "is_of_organization"),
    [
        ("orgs/0c9d6f52", None, True),
        ("0c9d6f52", "arn:aws:backup:us-east-1:000000000000:backup-plan:orgs/0c9d6f52", True),
        ("0c9d6f52", "arn:aws:backup:us-east-1:000000000000:backup-plan:0c9d6f52", False),
        ("0c9d6f52", None, False),
    ],
)
def test_a_plan_of_the_organization_is_known_by_its_id(plan_id: str, arn: str | None, is_of_organization: bool) -> None:
    (change,) = changes(rule(plan_id=plan_id), plans=(plan(plan_id=plan_id, arn=arn),))

    assert change.is_of_organization is is_of_organization


def test_the_command_sends_the_plan_with_index_actions_and_without_what_only_answers_have(shell: Shell) -> None:
    (change,) = changes(rule(S3=1), rule("volumes", S3=1))

    assert shell.run(change.command) == ""

    expected = deepcopy(PLAN)
    for each in expected["Rules"]:
        del each["RuleId"]
    del expected["Rules"][0]["Lifecycle"]["DeleteAfterEvent"]
    del expected["Rules"][0]["CopyActions"][0]["Lifecycle"]["DeleteAfterEvent"]
    expected["Rules"][0]["IndexActions"] = [{"ResourceTypes": ["S3"]}]
    expected["Rules"][1]["IndexActions"] = [{"ResourceTypes": ["EBS", "S3"]}]
    assert shell.sent == expected


def test_the_command_stops_where_the_plan_changed_or_the_rule_is_gone(shell: Shell) -> None:
    (change,) = changes(rule())

    assert "changed by somebody else. Nothing was changed" in shell.run(change.command, version="v-2")
    without = {**PLAN, "Rules": PLAN["Rules"][1:]}
    assert "has no rule every-night any more. Nothing was changed" in shell.run(change.command, plan=without)


@pytest.mark.parametrize("member", ["IndexActions", "CopyActions", "DeleteAfterDays"])
def test_the_command_stops_where_the_aws_cli_would_drop_a_member_of_the_plan(shell: Shell, member: str) -> None:
    (change,) = changes(rule())
    older = json.loads(json.dumps(SKELETON).replace(f'"{member}"', '"Other"'))

    said = shell.run(change.command, knows=older)

    assert said == f"This AWS CLI is too old for the plan: it does not know {member}. Nothing was changed.\n"


def test_what_users_call_their_tags_is_no_member_that_the_aws_cli_has_to_know() -> None:
    (change,) = changes(rule())

    (members,) = (line for line in change.command.splitlines() if line.startswith("for member in "))
    assert "hacked" not in members
    assert not {"RuleId", "DeleteAfterEvent"} & set(members.split())


_NAMES = st.text(max_size=12) | st.sampled_from(["every-night", "$(touch hacked)", "'; touch hacked; '", "a b", "-x"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
_RULES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"RuleName": _NAMES},
    optional={
        "RuleId": _NAMES,
        "TargetBackupVaultName": _NAMES,
        "RecoveryPointTags": st.dictionaries(_NAMES, _NAMES, max_size=2),
        "CopyActions": st.lists(st.fixed_dictionaries({}, optional={"Lifecycle": st.just({"x": 1})}), max_size=2),
        "IndexActions": st.lists(st.fixed_dictionaries({"ResourceTypes": st.lists(_NAMES, max_size=2)}), max_size=1),
        "Other": _VALUES,
    },
)
_PLANS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"BackupPlanName": _NAMES, "Rules": st.lists(_RULES, max_size=3, unique_by=lambda rule: rule["RuleName"])},
    optional={"AdvancedBackupSettings": _VALUES, "$(touch hacked)": _VALUES},
)


@given(content=_PLANS, plan_id=_NAMES)
def test_whatever_is_in_a_plan_the_command_changes_index_actions_alone(content: dict[str, Any], plan_id: str) -> None:
    counted = [rule(each["RuleName"], plan_id, S3=1) for each in content["Rules"]]
    found = changes(*counted, plans=(plan(content, plan_id),))

    if not found:  # ids and names of other shapes are not for a command
        return
    (change,) = found
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(Path(folder))
        shell.run(change.command, plan=content, knows={"IndexActions": "", "ResourceTypes": "", "of the plan": content})
        sent = shell.sent
    changed = {each.rule.name for each in change.rules}
    assert {**sent, "Rules": None} == {**content, "Rules": None}
    for before, after in zip(content["Rules"], sent["Rules"], strict=True):
        kept = {name: value for name, value in before.items() if name not in {"RuleId", "IndexActions"}}
        assert {name: value for name, value in after.items() if name != "IndexActions"} == kept
        indexed = {kind for action in after.get("IndexActions") or () for kind in action["ResourceTypes"]}
        had = {kind for action in before.get("IndexActions") or () for kind in action["ResourceTypes"]}
        assert indexed == (had | {"S3"} if before["RuleName"] in changed else had)


@given(content=_PLANS)
def test_whatever_is_in_a_plan_the_other_forms_are_what_they_claim_to_be(content: dict[str, Any]) -> None:
    for change in changes(*(rule(each["RuleName"]) for each in content["Rules"]), plans=(plan(content),)):
        names = [each.rule.name for each in change.rules]
        calls = ast.parse(f"[{change.cdk}]", mode="eval").body.elts  # type: ignore[attr-defined]
        assert [call.keywords[0].value.value for call in calls] == names
        cloudformation = yaml.safe_load(change.cloudformation)
        assert [each["RuleName"] for each in cloudformation["BackupPlanRule"]] == names
        policy = json.loads(change.organizations)
        assert list(policy["plans"]) == [content["BackupPlanName"]]
        assert list(policy["plans"][content["BackupPlanName"]]["rules"]) == names
        for text in (change.command, change.cdk, change.cloudformation, change.organizations):
            assert text.replace("\n", "").isprintable()


def test_a_hostile_posture_gets_commands_for_what_has_the_shape_of_aws_alone() -> None:
    hostile: Posture = hostile_posture()

    (change,) = plan_changes(hostile)

    assert (change.plan.plan_id, rules_of(change)) == (DATABASES, {"hourly": ["EBS"]})
    assert plan_changes(replace(hostile, plans={})) == []
