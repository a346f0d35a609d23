"""What to do about each reason: said for every one, and the commands are such that the AWS CLI takes them."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

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
    search_again,
    search_all_again,
)
from search_coverage.report.files.spool import Spool
from tests.examples import JOB_ID, backup, search_job

ROLE = "arn:aws:iam::123456789012:role/service-role/AWSBackupDefaultServiceRole"
INDEX = BackupIndex(vault="Default", status="FAILED", role_arn=ROLE)
S3_ARN = "arn:aws:backup:us-east-1:123456789012:recovery-point:1EB3B5E7"
HOSTILE_ARN = "arn:aws:ec2:us-east-1::snapshot/snap';touch${IFS}hacked;`id`$(id)\"&|<>#"


def of_s3(reason: Reason, arn: str = S3_ARN, index: BackupIndex | None = INDEX) -> Exclusion:
    source = "arn:aws:s3:::payroll-archive"
    return Exclusion(backup(resource_type="S3", backup_arn=arn, source_resource_arn=source), reason, index)


def exclusion(reason: Reason, index: BackupIndex | None = INDEX, **changes: object) -> Exclusion:
    return Exclusion(backup(**changes), reason, index)


@pytest.fixture(scope="module")
def aws_cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[str]], int]]:
    """The real AWS CLI, which checks a command as far as it can without AWS."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]  # noqa: PLC0415

    # It brings a model of its own that is older than access points; the botocore that the functions use has them.
    monkeypatch = pytest.MonkeyPatch()
    models = tmp_path_factory.mktemp("models")
    (models / "backup").symlink_to(Path(botocore.__file__).parent / "data" / "backup")
    monkeypatch.setenv("AWS_DATA_PATH", f"{models}{os.pathsep}{os.environ['AWS_DATA_PATH']}")

    # Its made-up answers break the model's own rule for access points: the value in its example of a map is empty.
    monkeypatch.setattr("awscli.customizations.generatecliskeleton.ArgumentGenerator._generate_type_map", lambda *_: {})

    def run(words: list[str]) -> int:
        words = [word.replace("<alias-of-the-access-point>", "alias-s3alias") for word in words]
        driver = create_clidriver()  # a new one each time: it keeps what it was last asked for
        try:
            return int(driver.main([*words, "--generate-cli-skeleton", "output"]))
        except SystemExit as error:
            return int(error.code or 0)

    yield run
    monkeypatch.undo()


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


def calls_of(command: str) -> list[list[str]]:
    """Split a command as a shell does, without the program's name and redirections; a loop has several calls."""
    loops = re.findall(r"(?:\$\(|do |; |while )(aws .*?)(?=\); do|; done|; aws | \| tee |; while )", command)
    calls = [shlex.split(call) for call in loops or [command]]
    assert all(words[0] == "aws" for words in calls)
    return [words[1 : words.index(">")] if ">" in words else words[1:] for words in calls]


def test_every_reason_says_what_happened_why_it_matters_and_what_to_do() -> None:
    assert set(REMEDIES) == set(Reason)
    for reason, remedy in REMEDIES.items():
        assert remedy.title, reason
        assert remedy.meaning.endswith("."), reason
        assert remedy.why.endswith("."), reason
        assert remedy.remedy.endswith("."), reason
        assert "\n" not in remedy.remedy, reason
        assert remedy.link.startswith("https://docs.aws.amazon.com/"), reason


def test_where_aws_documents_no_remedy_it_says_so() -> None:
    for of_type, expected in (
        ("EBS", {Reason.ARCHIVED, Reason.NOT_SUPPORTED}),
        ("S3", {Reason.ARCHIVED}),
        (None, {Reason.ARCHIVED, Reason.NOT_SUPPORTED}),
    ):
        undocumented = {reason for reason in Reason if not remedy_of(reason, of_type).documented}
        assert undocumented == expected
        for reason in Reason:
            said = remedy_of(reason, of_type).remedy.startswith("AWS documents no way")
            assert said == (reason in undocumented)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.usefixtures("files")
def test_the_aws_cli_takes_every_command(
    reason: Reason, aws_cli: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [KeyFilter("people/-x`'\"é", operator) for operator in sorted(NARROWING)]
    continuous = of_s3(reason, "arn:aws:backup:us-east-1:123456789012:recovery-point:continuous:bucket-0a1b")
    found = [
        *commands(exclusion(reason)),
        *commands(exclusion(reason, None)),
        *commands(of_s3(reason)),
        *reading(of_s3(reason), keys),
        *reading(of_s3(reason, "arn:aws:x")),
        *reading(continuous, keys[:1]),
        *after_reading(of_s3(reason)),
    ]
    for command in dict.fromkeys(found):
        for call in calls_of(command):
            assert aws_cli(call) == 0, (command, capsys.readouterr())


@pytest.mark.usefixtures("files")
def test_the_aws_cli_takes_the_commands_for_all(
    aws_cli: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    loops = [
        loop
        for reason in Reason
        for loop in commands_for_all(REMEDIES[reason], reason, "us-east-1", [exclusion(reason)])
    ]
    scope = """'{"BackupResourceTypes": ["EBS"]}'"""
    search = search_all_again(JOB_ID, "us-east-1", Reason.REVIEW)[1].replace('"$scope"', scope)

    calls = {tuple(call) for loop in [*loops, search] for call in calls_of(loop)}
    assert {call[1] for call in calls} == {
        "update-recovery-point-index-settings",
        "get-recovery-point-index-details",
        "describe-recovery-point",
        "start-search-job",
    }
    for call in calls:
        assert aws_cli(list(call)) == 0, (call, capsys.readouterr())


@pytest.mark.usefixtures("files")
def test_the_aws_cli_takes_the_commands_that_search_again(
    aws_cli: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    found = search_again(JOB_ID, "us-east-1", [exclusion(Reason.NOT_FINISHED, backup_arn=HOSTILE_ARN)])

    assert len(found) == 2
    for command in found:
        for call in calls_of(command):
            assert aws_cli(call) == 0, (command, capsys.readouterr())


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


def test_an_unknown_vault_is_looked_for_first_in_all_vaults_since_aws_does_not_name_it_for_a_source() -> None:
    first, *_ = commands(exclusion(Reason.INDEX_MISSING, index=None))

    names, points = calls_of(first)
    assert names[:2] == ["backup", "list-backup-vaults"]
    assert points[:2] == ["backup", "list-recovery-points-by-backup-vault"]
    assert points[points.index("--by-resource-arn") + 1] == "arn:aws:ec2:us-east-1:000000000000:volume/vol-0001"
    query = points[points.index("--query") + 1]
    assert query == 'RecoveryPoints[?RecoveryPointArn==`"arn:aws:ec2:us-east-1::snapshot/snap-0001"`].BackupVaultName'


@pytest.mark.parametrize("reason", [Reason.INDEX_MISSING, Reason.INDEX_FAILED, Reason.NOT_SUPPORTED])
def test_a_backup_of_s3_without_an_index_is_read_through_an_access_point_that_is_deleted_again(reason: Reason) -> None:
    create, describe, versions = reading(of_s3(reason), [KeyFilter("people/", "BEGINS_WITH")])
    (delete,) = after_reading(of_s3(reason))

    name = calls_of(create)[0][5]
    assert re.fullmatch(r"search-coverage-[0-9a-f]{12}", name)
    point = f"arn:aws:backup:us-east-1:123456789012:accesspoint/{name}"
    assert create == (
        f"aws backup create-backup-access-point --recovery-point-arn {S3_ARN} --name {name} --region us-east-1"
    )
    assert describe == (
        f"aws backup describe-backup-access-point --access-point-arn {point} "
        "--query '[Status,AccessPointMetadata.S3AccessPointAlias]' --output text --region us-east-1"
    )
    assert versions == (
        "aws s3api list-object-versions --bucket '<alias-of-the-access-point>' --prefix people/ "
        "--query 'Versions[?starts_with(Key, `\"people/\"`)].[LastModified,Size,VersionId,Key]' --output text "
        "--region us-east-1"
    )
    assert delete == f"aws backup delete-backup-access-point --access-point-arn {point} --region us-east-1"
    said = remedy_of(reason, "S3").remedy
    assert (
        "pauses the scheduled deletion of the backup and refuses its manual deletion; a backup takes at most 5" in said
    )


def test_each_backup_has_an_access_point_of_its_own_and_a_continuous_one_a_moment() -> None:
    one, same, other = (reading(of_s3(Reason.NOT_SUPPORTED, arn))[0] for arn in (S3_ARN, S3_ARN, f"{S3_ARN}0"))
    continuous = reading(of_s3(Reason.NOT_SUPPORTED, S3_ARN.replace("point:", "point:continuous:")))[0]

    assert one == same
    assert calls_of(one)[0][5] != calls_of(other)[0][5]
    assert "--access-point-metadata" not in one
    assert "--access-point-metadata 'AccessPointInTime=<such-as-" in continuous
    assert "Command:" not in advice(of_s3(Reason.NOT_SUPPORTED, S3_ARN.replace("point:", "point:continuous:")))


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


def test_what_was_searched_for_stays_out_of_the_row() -> None:
    key = KeyFilter("people/jane-doe", "CONTAINS")

    assert "jane-doe" not in repr(key)
    assert "jane-doe" not in advice(of_s3(Reason.NOT_SUPPORTED))


def test_backups_of_s3_need_no_permission_for_their_index() -> None:
    policy = "AWSBackupServiceRolePolicyForIndexing"

    assert policy in str(commands(exclusion(Reason.INDEX_FAILED)))
    assert policy not in str(commands(of_s3(Reason.INDEX_FAILED)))
    assert policy not in advice(of_s3(Reason.INDEX_FAILED))


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


def test_all_are_searched_again_one_type_and_twenty_at_a_time() -> None:
    many = [exclusion(Reason.NOT_FINISHED, backup_arn=f"arn:aws:ec2:r::snapshot/{n}") for n in range(50)]

    _, *searches = search_again(JOB_ID, "us-east-1", [*many, *many, of_s3(Reason.NOT_FINISHED)])

    assert [search.count("arn:") for search in searches] == [20, 20, 10, 1]
    assert len(set(re.findall(r"snapshot/\d+", "".join(searches)))) == 50


@pytest.mark.parametrize("loop", ["mend", "search"])
def test_a_loop_over_the_csv_runs_for_every_backup_of_the_reason_and_names_what_it_leaves_out(
    tmp_path: Path, loop: str
) -> None:
    # Given a CSV with backups of two reasons, one of them hostile, and a CLI that notes its calls
    (tmp_path / "aws").write_text('#!/bin/sh\nfor word; do printf "%s\\t" "$word"; done >> calls\necho >> calls\n')
    (tmp_path / "aws").chmod(0o700)
    rows = [exclusion(Reason.INDEX_MISSING, backup_arn=f"arn:aws:ec2:r::snapshot/{n}") for n in range(45)]
    hostile = exclusion(Reason.INDEX_MISSING, BackupIndex("file://x"), backup_arn="arn:x y\n$(touch hacked)`id`\\")
    with Spool(tmp_path, search_job()) as spool:
        for excluded in [*rows, hostile, exclusion(Reason.ARCHIVED)]:
            spool.add(excluded)
        spool.finish_tables()
    (mend,) = commands_for_all(REMEDIES[Reason.INDEX_MISSING], Reason.INDEX_MISSING, "us-east-1", rows)
    filters, search = search_all_again(JOB_ID, "us-east-1", Reason.INDEX_MISSING)

    ran = subprocess.run(
        ["/bin/sh", "-c", mend if loop == "mend" else search],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    calls = [line.split("\t")[:-1] for line in (tmp_path / "calls").read_text().splitlines()]
    assert not (tmp_path / "hacked").exists()
    if loop == "mend":
        assert ran.stderr.count("left out:") == 1
        made = [call for call in calls if call[1] == "update-recovery-point-index-settings"]
        assert [call[4] for call in made] == [row.backup.backup_arn for row in rows]
        assert {(call[2], call[call.index("--iam-role-arn") + 1]) for call in made} == {
            ("--backup-vault-name=Default", ROLE)
        }
    else:
        scopes = [json.loads(call[call.index("--search-scope") + 1]) for call in calls]
        assert [len(scope["BackupResourceArns"]) for scope in scopes] == [20, 20, 6]
        assert scopes[2]["BackupResourceArns"][-1] == hostile.backup.backup_arn
        assert filters.endswith(" > item-filters.json --region us-east-1") or "--region us-east-1 >" in filters


@pytest.mark.parametrize("reason", [Reason.INDEX_MISSING, Reason.INDEX_FAILED, Reason.INDEX_DELETING])
def test_a_loop_orders_the_next_index_when_aws_has_made_the_last(tmp_path: Path, reason: Reason) -> None:
    # Given an AWS that makes one index at a time, each of which is PENDING for a while, and refuses an order meanwhile
    (tmp_path / "aws").write_text("""#!/bin/sh
case "$*" in
*update-recovery-point-index-settings*)
    [ -e busy ] && echo refused >> orders || { echo "$5" >> orders; echo PENDING > busy; } ;;
*"--query IndexStatus"*) cat busy 2> /dev/null || echo ACTIVE ;;
esac
""")
    (tmp_path / "sleep").write_text("#!/bin/sh\nrm busy\n")
    if reason is Reason.INDEX_DELETING:
        (tmp_path / "busy").write_text("DELETING\n")
    for program in ("aws", "sleep"):
        (tmp_path / program).chmod(0o700)
    rows = [exclusion(reason, backup_arn=f"arn:aws:ec2:r::snapshot/{n}") for n in range(3)]
    with Spool(tmp_path, search_job()) as spool:
        for row in rows:
            spool.add(row)
        spool.finish_tables()
    (loop,) = commands_for_all(REMEDIES[reason], reason, "us-east-1", rows)

    ran = subprocess.run(
        ["/bin/sh", "-c", loop],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (tmp_path / "orders").read_text().split() == [row.backup.backup_arn for row in rows]
    assert "PENDING\nACTIVE\n" in ran.stderr


def test_the_advice_of_a_row_ends_with_the_command_where_all_of_it_is_known() -> None:
    known, unknown = exclusion(Reason.INDEX_MISSING), exclusion(Reason.INDEX_MISSING, index=None)

    assert advice(known) == f"{REMEDIES[Reason.INDEX_MISSING].remedy} Command: {commands(known)[0]}"
    assert advice(unknown) == REMEDIES[Reason.INDEX_MISSING].remedy
    assert "\n" not in advice(known)
    assert "'<" not in advice(exclusion(Reason.PERMISSION_DENIED))
