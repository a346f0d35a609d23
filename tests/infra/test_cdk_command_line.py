"""What `npx cdk` does in a new shell, in which no virtual environment is active and which has no credentials."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.conftest import ROOT


class NewShell:
    """A shell whose PATH has Node.js and what every system has; its Python has no packages of this project."""

    def __init__(self, home: Path) -> None:
        node = shutil.which("node")
        assert node, "Node.js is not installed: run `make setup`."
        (home / "node").symlink_to(node)
        for name in ("python", "python3"):
            (home / name).write_text("#!/bin/sh\necho 'This is not the Python of .venv.' >&2\nexit 1\n")
            (home / name).chmod(0o755)
        self.home = home
        self.output = home / "cdk.out"

    def cdk(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the CDK command line in the folder of the project, as `npx cdk` does."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV"))}
        own = {"PATH": f"{self.home}:/usr/bin:/bin", "HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run(
            [ROOT / "node_modules" / ".bin" / "cdk", *arguments, "--output", self.output],
            cwd=ROOT,
            env=kept | own | {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_NOTICES": "false"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def new_shell(tmp_path: Path) -> NewShell:
    return NewShell(tmp_path)


def test_the_app_runs_without_an_activated_virtual_environment_asks_aws_nothing_and_is_for_any_account(
    new_shell: NewShell,
) -> None:
    # `list` synthesizes the stack as `deploy` does, but for the bundling
    run = new_shell.cdk("list")

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["SearchCoverage"]
    manifest = json.loads((new_shell.output / "manifest.json").read_text())
    assert not manifest.get("missing")
    assert manifest["artifacts"]["SearchCoverage"]["environment"] == "aws://unknown-account/unknown-region"


def test_a_wrong_setting_stops_the_command_line_with_one_sentence_said_once(new_shell: NewShell) -> None:
    run = new_shell.cdk("synth", "--context", "email=you@example.com")

    assert (run.returncode, run.stdout) == (1, "")
    (said,) = [line for line in run.stderr.splitlines() if "email" in line]
    assert said.startswith("Setting email ")
    assert "Did you mean notificationEmails or alarmEmails or postureMail?" in said
    assert "Traceback" not in run.stderr


def test_the_exports_of_the_readme_set_the_region_for_version_1_of_the_aws_cli_too(tmp_path: Path) -> None:
    # Given the line of README.md that names profile and Region
    (line,) = re.findall(r"^ *(export AWS_PROFILE=.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    config = tmp_path / "config"
    config.write_text("[profile backup-admin]\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    # When the AWS CLI of the virtual environment, which is version 1, runs after it
    aws = ROOT / ".venv" / "bin" / "aws"
    configured = subprocess.run(
        ["sh", "-c", f"{line}; {aws} --version; {aws} configure list"],
        env=environment | {"AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    # Then it knows the Region
    assert configured.startswith("aws-cli/1.")
    assert re.search(r"^ *region +eu-central-1 +env", configured, re.MULTILINE), configured
