"""What to do about each reason: said for every one, and the commands are such that the AWS CLI takes them."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from search_coverage.coverage.backup import Backup, BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.remedies import REMEDIES, advice, commands, search_again
from tests.examples import JOB_ID, backup

ROLE = "arn:aws:iam::123456789012:role/service-role/AWSBackupDefaultServiceRole"
INDEX = BackupIndex(vault="Default", status="FAILED", role_arn=ROLE)
HOSTILE_ARN = "arn:aws:ec2:us-east-1::snapshot/snap';touch${IFS}hacked;`id`$(id)\"&|<>#"


def exclusion(reason: Reason, index: BackupIndex | None = INDEX, **changes: object) -> Exclusion:
    return Exclusion(backup(**changes), reason, index)


@pytest.fixture(scope="module")
def aws_cli() -> Callable[[list[str]], int]:
    """The real AWS CLI, which checks a command as far as it can without AWS."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]  # noqa: PLC0415

    def run(words: list[str]) -> int:
        driver = create_clidriver()  # a new one each time: it keeps what it was last asked for
        try:
            return int(driver.main([*words, "--generate-cli-skeleton", "output"]))
        except SystemExit as error:
            return int(error.code or 0)

    return run


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that a command reads, as the command before it writes them."""
    monkeypatch.chdir(tmp_path)
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "item-filters.json").write_text('{"EBSItemFilters": [{"FilePaths": [{"Value": "/invoice.pdf"}]}]}')
    (tmp_path / "restore-metadata.json").write_text('{"volumeType": "gp3"}')


def words_of(command: str) -> list[str]:
    """Split a command as a shell does, without the program's name and the redirection to a file."""
    words = shlex.split(command)
    assert words[0] == "aws"
    return words[1 : words.index(">")] if ">" in words else words[1:]


def test_every_reason_says_what_happened_why_it_matters_and_what_to_do() -> None:
    assert set(REMEDIES) == set(Reason)
    for reason, remedy in REMEDIES.items():
        assert remedy.title, reason
        assert remedy.meaning.endswith("."), reason
        assert remedy.why.endswith("."), reason
        assert remedy.remedy.endswith("."), reason
        assert "\n" not in remedy.remedy, reason
        assert remedy.link.startswith("https://docs.aws.amazon.com/"), reason


def test_no_two_reasons_are_equally_easy() -> None:
    assert len({remedy.effort for remedy in REMEDIES.values()}) == len(Reason)


def test_where_aws_documents_no_remedy_it_says_so() -> None:
    undocumented = {reason for reason, remedy in REMEDIES.items() if not remedy.documented}

    assert undocumented == {Reason.ARCHIVED, Reason.NOT_SUPPORTED}
    assert all(REMEDIES[reason].remedy.startswith("AWS documents no way") for reason in undocumented)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.usefixtures("files")
def test_the_aws_cli_takes_every_command(
    reason: Reason, aws_cli: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    for index in (INDEX, None):
        for command in commands(exclusion(reason, index)):
            assert aws_cli(words_of(command)) == 0, (command, capsys.readouterr())


@pytest.mark.usefixtures("files")
def test_the_aws_cli_takes_the_commands_that_search_again(
    aws_cli: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    found = search_again(JOB_ID, "us-east-1", [exclusion(Reason.NOT_FINISHED, backup_arn=HOSTILE_ARN)])

    assert len(found) == 2
    for command in found:
        assert aws_cli(words_of(command)) == 0, (command, capsys.readouterr())


@pytest.mark.usefixtures("files")
def test_the_aws_cli_refuses_what_is_not_a_command(
    aws_cli: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    # Given that the check above checks something
    assert aws_cli(["backup", "get-recovery-point-index-details", "--vault", "Default"]) != 0
    capsys.readouterr()


def test_a_missing_index_is_made_and_then_looked_at_with_the_values_of_the_backup() -> None:
    assert commands(exclusion(Reason.INDEX_MISSING)) == [
        (
            "aws backup update-recovery-point-index-settings --backup-vault-name Default "
            "--recovery-point-arn arn:aws:ec2:us-east-1::snapshot/snap-0001 --index ENABLED "
            f"--iam-role-arn {ROLE} --region us-east-1"
        ),
        (
            "aws backup get-recovery-point-index-details --backup-vault-name Default "
            "--recovery-point-arn arn:aws:ec2:us-east-1::snapshot/snap-0001 --region us-east-1"
        ),
    ]


def test_what_is_not_known_is_a_placeholder_that_the_shell_does_not_run() -> None:
    found = commands(Exclusion(Backup(), Reason.INDEX_MISSING))

    assert found[0] == (
        "aws backup update-recovery-point-index-settings --backup-vault-name '<vault>' "
        "--recovery-point-arn '<recovery-point-arn>' --index ENABLED --iam-role-arn '<role-arn>'"
    )


def test_an_unknown_vault_is_asked_for_first() -> None:
    first, *_ = commands(exclusion(Reason.INDEX_MISSING, index=None))

    assert first.startswith("aws backup list-recovery-points-by-resource --resource-arn arn:aws:ec2:us-east-1:")
    assert "RecoveryPointArn=='arn:aws:ec2:us-east-1::snapshot/snap-0001'" in "".join(shlex.split(first))


@pytest.mark.parametrize("reason", Reason)
def test_a_hostile_value_stays_one_word(reason: Reason) -> None:
    usual = exclusion(reason)
    hostile = exclusion(reason, backup_arn=HOSTILE_ARN)

    for one, other in zip(commands(usual), commands(hostile), strict=True):
        assert len(shlex.split(other)) == len(shlex.split(one))
        if usual.backup.backup_arn in shlex.split(one):
            assert HOSTILE_ARN in shlex.split(other)


def test_a_hostile_arn_stays_one_value_of_the_scope() -> None:
    _, search = search_again(JOB_ID, "us-east-1", [exclusion(Reason.NOT_FINISHED, backup_arn=HOSTILE_ARN)])
    words = shlex.split(search)

    scope = json.loads(words[words.index("--search-scope") + 1])
    assert scope == {"BackupResourceTypes": ["EBS"], "BackupResourceArns": [HOSTILE_ARN]}


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


def test_a_search_takes_one_type_and_no_more_backups_than_its_quota() -> None:
    many = [exclusion(Reason.NOT_FINISHED, backup_arn=f"arn:aws:ec2:r::snapshot/{n}") for n in range(30)]
    s3 = exclusion(Reason.NOT_FINISHED, resource_type="S3", backup_arn="arn:aws:backup:r:1:recovery-point:x")

    _, of_ebs, of_s3 = search_again(JOB_ID, "us-east-1", [*many, s3])

    assert of_ebs.count("arn:") == 20
    assert of_s3.count("arn:") == 1


def test_the_advice_of_a_row_ends_with_the_command_where_all_of_it_is_known() -> None:
    known, unknown = exclusion(Reason.INDEX_MISSING), exclusion(Reason.INDEX_MISSING, index=None)

    assert advice(known) == f"{REMEDIES[Reason.INDEX_MISSING].remedy} Command: {commands(known)[0]}"
    assert advice(unknown) == REMEDIES[Reason.INDEX_MISSING].remedy
    assert "\n" not in advice(known)
    assert "'<" not in advice(exclusion(Reason.PERMISSION_DENIED))
