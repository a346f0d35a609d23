"""`search-coverage`: what every command shares."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.errors import ExitCode
from cli.permissions import PERMISSIONS
from search_coverage import __version__
from tests.infra.conftest import ROOT
from tests.integration.command_line.operator_aws import JOB, OTHER_JOB, OperatorAws
from tests.integration.command_line.stored_report import store_report
from tests.invocation import state_change

COMMANDS = ["doctor", "preflight", "report", "evidence", "verify", "replay"]


def test_the_help_has_examples_exit_codes_and_permissions() -> None:
    whole = CliRunner().invoke(main, ["--help"]).stdout
    assert all(f"  {command} " in whole for command in (*COMMANDS, "completion"))
    assert "Exit codes:" in whole
    assert "..." not in whole.partition("Commands:")[2]  # no description is cut short
    assert "\n    search-coverage completion zsh > " in CliRunner().invoke(main, ["completion", "-h"]).stdout
    for command in COMMANDS:
        text = CliRunner().invoke(main, [command, "-h"]).stdout
        assert f"Examples:\n    search-coverage {command}" in text
        assert all(action in "".join(text.split()) for action in PERMISSIONS[command])
        assert all(option in text for option in ("--profile", "--region", "--json"))


def test_the_version_is_that_of_the_product() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"search-coverage, version {__version__}\n"


def test_the_help_needs_none_of_the_slow_imports() -> None:
    code = "import sys, cli.__main__; print({'boto3', 'rich', 'aws_cdk'} & set(sys.modules))"

    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "set()\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.filterwarnings("ignore")
def test_the_completion_script_of_a_shell_calls_the_command(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])

    assert result.exit_code == 0
    assert f"_SEARCH_COVERAGE_COMPLETE={shell}_complete" in result.stdout


def test_the_shell_completes_commands() -> None:
    environment = {"_SEARCH_COVERAGE_COMPLETE": "bash_complete", "COMP_WORDS": "search-coverage re", "COMP_CWORD": "1"}

    result = CliRunner().invoke(main, prog_name="search-coverage", env=environment)

    assert result.stdout.split() == ["plain,replay", "plain,report"]


@pytest.mark.parametrize("arguments", [("--region", "eu-west-1", "report", JOB), ("report", JOB, "--region=eu-west-1")])
def test_an_option_can_stand_before_or_after_the_command(aws: OperatorAws, arguments: tuple[str, ...]) -> None:
    result = aws.run(*arguments)

    assert result.exit_code == 2
    assert result.stderr == "Error: There is no stack SearchCoverage in account 123456789012, Region eu-west-1.\n"


@pytest.mark.parametrize(
    ("without", "arguments", "sentence"),
    [
        ("AWS_ACCESS_KEY_ID", [], "There are no AWS credentials"),
        ("AWS_DEFAULT_REGION", [], "There is no Region"),
        ("", ["--profile", "missing"], "The config profile (missing) could not be found"),
    ],
)
@pytest.mark.parametrize("command", [["doctor"], ["report", JOB], ["replay", "--failed"]], ids=" ".join)
def test_without_credentials_or_a_region_nothing_starts(
    environment: pytest.MonkeyPatch, without: str, arguments: list[str], sentence: str, command: list[str]
) -> None:
    environment.delenv(without, raising=False)

    result = CliRunner().invoke(main, [*arguments, *command])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "no-url"])
def test_an_aws_that_does_not_answer_is_reported_in_a_sentence(environment: pytest.MonkeyPatch, endpoint: str) -> None:
    environment.setenv("AWS_ENDPOINT_URL", endpoint)

    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: AWS cannot confirm who you are: ")
    assert result.stderr.count("\n") == 1


def test_credentials_that_aws_rejects_are_reported(aws: OperatorAws) -> None:
    aws.errors["GetCallerIdentity"] = "ExpiredToken"

    result = aws.run("--json", "doctor")

    assert result.exit_code == 2
    sentence = "AWS rejects these credentials; log in again. GetCallerIdentity answered ExpiredToken: Not you."
    assert result.stderr == f"Error: {sentence}\n"
    assert json.loads(result.stdout) == {"error": sentence}


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (
            KeyError("x"),
            2,
            "Error: Unexpected error, please report it to the maintainers: KeyError('x').\n",
        ),
    ],
)
def test_no_command_ends_with_a_traceback(
    aws: OperatorAws, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    def raise_it(*_: object) -> Any:
        raise raised

    monkeypatch.setattr("cli.report.find_report", raise_it)

    result = aws.run("report", JOB)

    assert (result.exit_code, result.stderr) == (code, said)


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "x"),
        ("report",),
        ("replay",),
        ("replay", "--failed", JOB),
        ("replay", "arn:aws:backup-search:us-east-1:1:search-job/x"),
        ("completion", "csh"),
        ("nothing",),
    ],
    ids=" ".join,
)
def test_wrong_usage_starts_nothing(aws: OperatorAws, arguments: tuple[str, ...]) -> None:
    result = aws.run(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert aws.calls == set()


def test_the_permissions_are_those_of_the_calls(aws: OperatorAws, tmp_path: Path) -> None:
    # Given a report of a search job that AWS has forgotten, and a failure of each kind
    store_report(aws)
    pack = str(tmp_path / "pack.zip")
    aws.fail(state_change(JOB), state_change(OTHER_JOB))
    aws.function = lambda event: {"errorMessage": "No."} if OTHER_JOB in str(event) else {"ignored": True}
    names = {
        "lambda:Invoke": "lambda:InvokeFunction",
        "s3:ListObjectsV2": "s3:ListBucket",
        "s3:HeadObject": "s3:GetObject",
    }

    for command, arguments in {
        "report": ("report", JOB),
        "evidence": ("evidence", JOB, "--without-results", "--output", pack),
        "verify": ("verify", pack),
        "replay": ("replay", JOB, "--yes"),
        "replay --failed": ("replay", "--failed"),
    }.items():
        aws.calls.clear()
        aws.run(*arguments)
        called = {names.get(call, call) for call in aws.calls} - {"sts:GetCallerIdentity"}
        # And S3 decrypts on behalf of whom reads, and asks for more where a version is read
        assert called == set(PERMISSIONS[command]) - {"kms:Decrypt", "s3:GetObjectVersion"}


def test_the_policies_in_the_documents_allow_these_actions_and_no_others() -> None:
    text = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    actions = [[each["Action"] for each in block.get("Statement", [])] for block in blocks]
    policies = [set(re.findall(r"[\w-]+:\w+", str(each))) for each in actions]

    # The one of the report command is that of a reader, and two actions in a sentence
    reader = set(PERMISSIONS["report"]) - {"cloudformation:DescribeStacks", "backup-search:GetSearchJob"}
    auditor = {*PERMISSIONS["evidence"], *PERMISSIONS["verify"]}
    searcher = {*PERMISSIONS["preflight"], *PERMISSIONS["preflight --as"]}
    for needed in (set(PERMISSIONS["doctor"]), set(PERMISSIONS["replay --failed"]), reader, auditor, searcher):
        assert needed in policies


def test_the_document_of_the_command_has_its_exit_codes() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(ExitCode)


def test_the_wheel_has_all_that_the_command_imports(tmp_path: Path) -> None:
    # Given the wheel, unpacked as an installer does
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)

    # When all modules of the command are imported from it
    code = """
import importlib, pkgutil, sys, cli
for module in pkgutil.walk_packages(cli.__path__, "cli."):
    importlib.import_module(module.name)
ours = [m for name, m in sys.modules.items() if name.split(".")[0] in {"cli", "search_coverage", "infra"}]
print({str(m.__file__ or list(m.__path__)[0]).startswith(sys.argv[1]) for m in ours}, "aws_cdk" in sys.modules)
"""
    output = subprocess.check_output(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, text=True
    )

    # Then none of them comes from elsewhere, and the script is there
    assert output == "{True} False\n"
    (scripts,) = tmp_path.glob("*.dist-info/entry_points.txt")
    assert "search-coverage = cli.__main__:main" in scripts.read_text(encoding="utf-8")
    (metadata,) = tmp_path.glob("*.dist-info/METADATA")
    required = {line.split()[1].split(">")[0] for line in metadata.read_text().splitlines() if "Requires-Dist" in line}
    assert required == {"aws-lambda-powertools", "boto3", "click", "rich"}
