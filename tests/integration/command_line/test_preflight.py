"""`search-coverage preflight`: what it says, how it ends, and what it asks IAM."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.backup_search import BackupSimulator, RecoveryPointGroup, Vault
from simulators.backup_search.vault import AIR_GAPPED_VAULT
from tests.integration.command_line.operator_aws import OperatorAws
from tests.invocation import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/case-team"
PAYROLL = "arn:aws:s3:::payroll"


@pytest.fixture
def vaults(aws: OperatorAws, environment: pytest.MonkeyPatch) -> Iterator[BackupSimulator]:
    """The vaults that the command reads."""
    with BackupSimulator(account=ACCOUNT, region=REGION) as simulator:
        for service in ("BACKUP", "EC2"):
            environment.setenv(f"AWS_ENDPOINT_URL_{service}", simulator.endpoint_url)
        payroll: dict[str, Any] = {"source": PAYROLL, "tags": {"stage": "prod"}}
        indexed = RecoveryPointGroup(count=340, created=timedelta(days=3), **payroll)
        simulator.add_vault(Vault("daily", (indexed, RecoveryPointGroup(count=60, index=None, **payroll))))
        simulator.add_vault(Vault("lock", (RecoveryPointGroup(count=12, index=None, **payroll),), AIR_GAPPED_VAULT))
        mail = RecoveryPointGroup(count=2, source="arn:aws:s3:::mail")
        simulator.add_vault(Vault("mail", (mail, RecoveryPointGroup(count=3, resource_type="EC2", index=None))))
        yield simulator


def test_it_says_what_a_search_would_miss_and_what_to_do(aws: OperatorAws, vaults: BackupSimulator) -> None:
    result = aws.run("preflight", "--type", "S3", "--source", PAYROLL)

    rows = dict(line.split("  ", 1) for line in result.stdout.splitlines() if "   " in line[:25])
    numbers = {label: text.split()[0] for label, text in rows.items()}
    assert numbers == {
        "In scope": "412",
        "Searchable": "340",
        "No index": "60",
        "In an air-gapped vault": "12",
        "Searches": "21,",
    }
    assert "aws backup update-recovery-point-index-settings --backup-vault-name daily" in result.stdout
    assert "A search would NOT look into all of them." in result.stdout
    assert "Permissions were not looked at" in result.stdout
    assert result.exit_code == 1


def test_it_exits_with_0_only_if_one_search_would_see_all(aws: OperatorAws, vaults: BackupSimulator) -> None:
    fine = aws.run("preflight", "--type", "S3", "--source", "arn:aws:s3:::mail")
    too_many = aws.run("preflight", "--type", "S3", "--after", "2020-01-01", "--source", PAYROLL, "--tag", "stage=prod")
    nothing = aws.run("preflight", "--type", "S3", "--source", "arn:aws:s3:::nowhere")

    assert (fine.exit_code, too_many.exit_code, nothing.exit_code) == (0, 1, 1)
    assert "One search would look into all of them." in fine.stdout
    assert "A search would look into nothing" in nothing.stdout


def test_backups_of_instances_are_out_of_reach_of_a_search_for_ebs(aws: OperatorAws, vaults: BackupSimulator) -> None:
    result = aws.run("preflight", "--type", "EBS")

    assert "3 backups of EC2 instances in mail: no search looks into their volumes" in result.stdout
    assert result.exit_code == 1


def test_a_scope_can_be_given_as_the_aws_cli_takes_it(
    aws: OperatorAws, vaults: BackupSimulator, tmp_path: Path
) -> None:
    scope = {"BackupResourceTypes": ["S3"], "SourceResourceArns": ["arn:aws:s3:::mail"]}
    file = tmp_path / "scope.json"
    file.write_text(json.dumps(scope))

    for arguments in (
        ("--search-scope", json.dumps(scope)),
        ("--search-scope", f"file://{file}"),
        ("--cli-input-json", json.dumps({"Name": "x", "SearchScope": scope})),
    ):
        answer = json.loads(aws.run("preflight", "--json", *arguments).stdout)
        assert (answer["inScope"], answer["searchable"], answer["seesAll"]) == (2, 2, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Pass --type S3 or --type EBS"),
        (("--type", "S3", "--search-scope", "{}"), "Describe the scope in one way"),
        (("--search-scope", "BackupResourceTypes=S3"), "The shorthand of the AWS CLI is not read."),
        (("--search-scope", "file:///nowhere.json"), "/nowhere.json cannot be read"),
        (("--search-scope", '{"BackupResourceTypes": ["RDS"]}'), "it takes exactly one of EBS, S3"),
        (("--search-scope", '{"backupResourceTypes": ["S3"]}'), "unknown member 'backupResourceTypes'"),
        (("--type", "S3", "--after", "yesterday"), "it takes a time such as 2026-11-01T00:00:00Z"),
        (("--type", "S3", "--after", "2026-11-02", "--before", "2026-11-01"), "is later than CreatedBefore"),
        (("--type", "S3", "--source", "payroll"), "it takes ARNs, such as arn:aws:s3:::my-bucket"),
        (("--type", "S3", "--tag", "stage"), "--tag takes key=value"),
    ],
)
def test_a_wrong_scope_gets_one_sentence(aws: OperatorAws, arguments: tuple[str, ...], sentence: str) -> None:
    result = aws.run("preflight", *arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_iam_is_asked_about_a_role_and_what_it_cannot_see_is_said(aws: OperatorAws, vaults: BackupSimulator) -> None:
    allowed = aws.run("preflight", "--type", "S3", "--source", "arn:aws:s3:::mail", "--as", ROLE)
    aws.denied_actions = {"backup:SearchRecoveryPoint"}
    denied = aws.run("preflight", "--type", "S3", "--source", "arn:aws:s3:::mail", "--as", ROLE)

    assert (allowed.exit_code, denied.exit_code) == (0, 1)
    assert "The role may search all of them." in allowed.stdout
    assert "The role may NOT: backup:SearchRecoveryPoint on arn:aws:backup:" in denied.stdout
    for result in (allowed, denied):
        assert "does not see the access policies of vaults" in result.stdout


def test_without_the_vaults_nothing_is_known(aws: OperatorAws, vaults: BackupSimulator) -> None:
    vaults.faults.add("error", operation="ListBackupVaults", error_code="AccessDeniedException")

    result = aws.run("preflight", "--type", "S3")

    assert result.exit_code == 1
    assert "NOT KNOWN: " in result.stdout
    assert "AccessDeniedException" in result.stdout


def test_the_calls_are_those_of_the_permissions(aws: OperatorAws, vaults: BackupSimulator) -> None:
    from cli.permissions import PERMISSIONS  # noqa: PLC0415

    snapshot = RecoveryPointGroup(resource_type="EBS", tags={"a": "b"})
    vaults.add_vault(Vault("daily", (snapshot,)))
    aws.calls.clear()
    aws.run("preflight", "--type", "S3", "--tag", "stage=prod")
    aws.run("preflight", "--type", "EBS", "--tag", "a=b", "--as", ROLE)

    needed = {*PERMISSIONS["preflight"], *PERMISSIONS["preflight --as"]}
    assert aws.calls - {"sts:GetCallerIdentity"} == needed
