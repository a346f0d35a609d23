"""What to do about each reason: every reason has a remedy, and the AWS CLI accepts its commands."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore
import pytest

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.object_keys import NARROWING, KeyFilter
from search_coverage.coverage.remedies import REMEDIES, remedy_of
from search_coverage.coverage.remedy_commands import (
    advice,
    after_reading,
    commands,
    commands_for_all,
    reading,
)
from tests.examples import backup
from tests.reports import ROLE, excluded

INDEX = BackupIndex(vault="Default", status="FAILED", role_arn=ROLE)
S3_ARN = "arn:aws:backup:us-east-1:123456789012:recovery-point:1EB3B5E7"
HOSTILE_ARN = "arn:aws:ec2:us-east-1::snapshot/snap';touch${IFS}hacked;`id`$(id)\"&|<>#"
READ_THROUGH_AN_ACCESS_POINT = [Reason.INDEX_MISSING, Reason.INDEX_FAILED, Reason.NOT_SUPPORTED]
CONTINUOUS_ARN = S3_ARN.replace("point:", "point:continuous:")


def exclusion(reason: Reason, index: BackupIndex | None = INDEX, **changes: Any) -> Exclusion:
    return excluded(reason, index, **changes)


def of_s3(reason: Reason, arn: str = S3_ARN) -> Exclusion:
    return exclusion(reason, resource_type="S3", backup_arn=arn, source_resource_arn="arn:aws:s3:::payroll-archive")


def calls_of(command: str) -> list[list[str]]:
    """Split a command as a shell does, without the program's name and redirections; a loop has several calls."""
    loops = re.findall(r"(?:\$\(|do |; |while )(aws .*?)(?=\); do|; done|; aws | \| tee |; while )", command)
    calls = [shlex.split(call) for call in loops or [command]]
    assert all(words[0] == "aws" for words in calls)
    return [words[1 : words.index(">")] if ">" in words else words[1:] for words in calls]


@pytest.fixture
def aws_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[list[str]], str | None]:
    """The real AWS CLI, which checks a call as far as it can without AWS, and returns its error, if there is one."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]  # noqa: PLC0415

    # It brings a model of its own that is older than access points; the botocore that the functions use has them.
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "backup").symlink_to(Path(botocore.__file__).parent / "data" / "backup")
    monkeypatch.setenv("AWS_DATA_PATH", f"{tmp_path / 'models'}{os.pathsep}{os.environ['AWS_DATA_PATH']}")
    # Its made-up answers break the model's own rule for access points: the value in its example of a map is empty.
    monkeypatch.setattr("awscli.customizations.generatecliskeleton.ArgumentGenerator._generate_type_map", lambda *_: {})
    # The file that a command reads, as the command before it writes it
    monkeypatch.chdir(tmp_path)
    (tmp_path / "restore-metadata.json").write_text('{"volumeType": "gp3"}')
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def complaint(words: list[str]) -> str | None:
        words = [word.replace("<alias-of-the-access-point>", "alias-s3alias") for word in words]
        driver = create_clidriver()  # a new one each time: it keeps what it was last asked for
        try:
            code = int(driver.main([*words, "--generate-cli-skeleton", "output"]))
        except SystemExit as error:
            code = int(error.code or 0)
        written = capsys.readouterr()
        return f"{words}: {written}" if code else None

    return complaint


def test_every_reason_has_a_remedy_that_says_what_happened_why_it_matters_and_what_to_do() -> None:
    assert set(REMEDIES) == set(Reason)
    for reason, remedy in REMEDIES.items():
        assert remedy.title, reason
        assert all(text.endswith(".") for text in (remedy.meaning, remedy.why, remedy.remedy)), reason
        assert "\n" not in remedy.remedy, reason
        assert remedy.link.startswith("https://docs.aws.amazon.com/"), reason


@pytest.mark.parametrize("of_type", ["EBS", "S3", None])
def test_a_remedy_that_aws_does_not_document_says_so(of_type: str | None) -> None:
    undocumented = {reason for reason in Reason if not remedy_of(reason, of_type).documented}

    assert undocumented == ({Reason.ARCHIVED} if of_type == "S3" else {Reason.ARCHIVED, Reason.NOT_SUPPORTED})
    for reason in Reason:
        said = remedy_of(reason, of_type).remedy.startswith("AWS documents no way")
        assert said == (reason in undocumented)


KEYS = [KeyFilter("people/-x`'\"é", operator) for operator in sorted(NARROWING)]


@pytest.mark.parametrize("reason", Reason)
def test_the_aws_cli_takes_every_command(reason: Reason, aws_cli: Callable[[list[str]], str | None]) -> None:
    found = [
        *commands(exclusion(reason)),
        *commands(exclusion(reason, None)),
        *commands(of_s3(reason)),
        *reading(of_s3(reason), KEYS),
        *reading(of_s3(reason, "arn:aws:x")),
        *reading(of_s3(reason, CONTINUOUS_ARN), KEYS[:1]),
        *after_reading(of_s3(reason)),
    ]
    for command in dict.fromkeys(found):
        for call in calls_of(command):
            assert aws_cli(call) is None, command


def test_the_aws_cli_takes_the_commands_for_all(aws_cli: Callable[[list[str]], str | None]) -> None:
    loops = [
        loop
        for reason in Reason
        for loop in commands_for_all(REMEDIES[reason], reason, "us-east-1", [exclusion(reason)])
    ]

    calls = {tuple(call) for loop in loops for call in calls_of(loop)}
    assert {call[1] for call in calls} == {
        "update-recovery-point-index-settings",
        "get-recovery-point-index-details",
        "describe-recovery-point",
    }
    for call in calls:
        assert aws_cli(list(call)) is None


def test_the_aws_cli_refuses_what_is_not_a_command(aws_cli: Callable[[list[str]], str | None]) -> None:
    assert "--vault" in str(aws_cli(["backup", "get-recovery-point-index-details", "--vault", "Default"]))


def test_a_missing_index_is_made_and_then_looked_at_with_the_values_of_the_backup() -> None:
    point = "--backup-vault-name Default --recovery-point-arn arn:aws:ec2:us-east-1::snapshot/snap-0001"

    create, look = commands(exclusion(Reason.INDEX_MISSING))

    assert create == (
        f"aws backup update-recovery-point-index-settings {point} --index ENABLED --iam-role-arn {ROLE} "
        "--region us-east-1"
    )
    assert look == f"aws backup get-recovery-point-index-details {point} --region us-east-1"


def test_what_is_not_known_is_a_placeholder_that_the_shell_does_not_run() -> None:
    found = commands(Exclusion(Backup(), Reason.INDEX_MISSING))

    assert found[0] == (
        "aws backup update-recovery-point-index-settings --backup-vault-name '<vault>' "
        "--recovery-point-arn '<recovery-point-arn>' --index ENABLED --iam-role-arn '<role-arn>'"
    )


def test_an_unknown_vault_is_looked_for_first_in_all_vaults_since_aws_does_not_name_it_for_a_source() -> None:
    first, *_ = commands(exclusion(Reason.INDEX_MISSING, index=None))

    names, points = calls_of(first)
    assert names[:2] == ["backup", "list-backup-vaults"]
    assert points[:2] == ["backup", "list-recovery-points-by-backup-vault"]
    assert points[points.index("--by-resource-arn") + 1] == "arn:aws:ec2:us-east-1:000000000000:volume/vol-0001"
    query = points[points.index("--query") + 1]
    assert query == 'RecoveryPoints[?RecoveryPointArn==`"arn:aws:ec2:us-east-1::snapshot/snap-0001"`].BackupVaultName'


@pytest.mark.parametrize("reason", READ_THROUGH_AN_ACCESS_POINT)
def test_a_backup_of_s3_without_an_index_is_read_through_an_access_point_that_is_deleted_again(reason: Reason) -> None:
    create, describe, versions = reading(of_s3(reason), [KeyFilter("people/", "BEGINS_WITH")])
    (delete,) = after_reading(of_s3(reason))

    name = calls_of(create)[0][5]
    assert re.fullmatch(r"search-coverage-[0-9a-f]{12}", name)
    point = f"--access-point-arn arn:aws:backup:us-east-1:123456789012:accesspoint/{name}"
    assert create == (
        f"aws backup create-backup-access-point --recovery-point-arn {S3_ARN} --name {name} --region us-east-1"
    )
    assert describe == (
        f"aws backup describe-backup-access-point {point} "
        "--query '[Status,AccessPointMetadata.S3AccessPointAlias]' --output text --region us-east-1"
    )
    assert versions == (
        "aws s3api list-object-versions --bucket '<alias-of-the-access-point>' --prefix people/ "
        "--query 'Versions[?starts_with(Key, `\"people/\"`)].[LastModified,Size,VersionId,Key]' --output text "
        "--region us-east-1"
    )
    assert delete == f"aws backup delete-backup-access-point {point} --region us-east-1"
    assert (
        "pauses the scheduled deletion of the backup and refuses its manual deletion; a backup takes at most 5"
        in remedy_of(reason, "S3").remedy
    )


def test_each_backup_has_an_access_point_of_its_own_and_a_continuous_one_a_moment() -> None:
    one, same, other, continuous = (
        reading(of_s3(Reason.NOT_SUPPORTED, arn))[0] for arn in (S3_ARN, S3_ARN, f"{S3_ARN}0", CONTINUOUS_ARN)
    )

    assert one == same
    assert calls_of(one)[0][5] != calls_of(other)[0][5]
    assert "--access-point-metadata" not in one
    assert "--access-point-metadata 'AccessPointInTime=<such-as-" in continuous
    assert "Command:" not in advice(of_s3(Reason.NOT_SUPPORTED, CONTINUOUS_ARN))


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ([], {"people/a.csv", "people/b.csv", "x/it's `q`.csv", "file:///etc/passwd"}),
        ([KeyFilter("people/a.csv", "EQUALS_TO")], {"people/a.csv"}),
        ([KeyFilter("b.csv", "ENDS_WITH"), KeyFilter("it's `q`", "CONTAINS")], {"people/b.csv", "x/it's `q`.csv"}),
        ([KeyFilter("file:///etc", "BEGINS_WITH")], {"file:///etc/passwd"}),
    ],
)
def test_the_objects_that_the_search_looked_for_are_what_is_listed(keys: list[KeyFilter], found: set[str]) -> None:
    import jmespath  # type: ignore[import-untyped]  # noqa: PLC0415

    objects = ["people/a.csv", "people/b.csv", "x/it's `q`.csv", "file:///etc/passwd"]
    (call,) = calls_of(reading(of_s3(Reason.NOT_SUPPORTED), keys)[2])

    listed = jmespath.search(call[call.index("--query") + 1], {"Versions": [{"Key": key} for key in objects]})
    assert {key for *_, key in listed} == found
    assert not any(word.startswith("file:") for word in call)


def test_backups_of_s3_need_no_permission_for_their_index() -> None:
    policy = "AWSBackupServiceRolePolicyForIndexing"

    assert policy in str(commands(exclusion(Reason.INDEX_FAILED)))
    assert policy not in str(commands(of_s3(Reason.INDEX_FAILED)))
    assert policy not in advice(of_s3(Reason.INDEX_FAILED))


@pytest.mark.parametrize("reason", Reason)
def test_a_hostile_value_stays_one_word(reason: Reason) -> None:
    for usual, hostile in zip(
        commands(exclusion(reason)), commands(exclusion(reason, backup_arn=HOSTILE_ARN)), strict=True
    ):
        words = shlex.split(hostile)
        assert [word.replace(HOSTILE_ARN, str(backup().backup_arn)) for word in words] == shlex.split(usual)


@pytest.mark.parametrize(
    "value",
    ["--endpoint-url=https://example.com", "file:///etc/passwd", "a\nb", "arn:aws:ec2:r::x\x1b[2J", "\u202e", ""],
)
def test_a_value_that_is_not_what_it_should_be_is_never_filled_in(value: str) -> None:
    found = commands(exclusion(Reason.INDEX_FAILED, BackupIndex(value, None, None, value), backup_arn=value))

    assert all(value not in shlex.split(command) for command in found)
    assert all("'<vault>'" in command or "'<role-name>'" in command for command in found)


def test_a_vault_whose_name_starts_with_a_dash_is_not_an_option() -> None:
    (command,) = commands(exclusion(Reason.INDEX_PENDING, BackupIndex("-x")))

    assert "--backup-vault-name=-x" in shlex.split(command)


def test_the_advice_of_a_row_ends_with_the_command_where_all_of_it_is_known() -> None:
    known, unknown = exclusion(Reason.INDEX_MISSING), exclusion(Reason.INDEX_MISSING, index=None)

    assert advice(known) == f"{REMEDIES[Reason.INDEX_MISSING].remedy} Command: {commands(known)[0]}"
    assert advice(unknown) == REMEDIES[Reason.INDEX_MISSING].remedy
    assert "\n" not in advice(known)
    assert "'<" not in advice(exclusion(Reason.PERMISSION_DENIED))
