"""`make emulator`: the lines that it prints do what it says, in a shell that was used for another account before."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, eventually


class Running:
    """The embedded AWS as `make emulator` runs it, and the shell of an operator who runs the lines that it printed."""

    def __init__(self, process: "subprocess.Popen[str]", said: str) -> None:
        self.process = process
        self.said = said
        lines = said.replace("\\\n", "").splitlines()
        self.commands = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")]

    def run(self, command: str) -> str:
        """Run a command in another shell that uses this AWS, and return its output."""
        ended = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{self.commands[0]}\n{command}"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "a real token"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def command(self, word: str) -> str:
        """Find the one command with a word in it."""
        (found,) = [command for command in self.commands if word in command]
        return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state = tmp_path_factory.mktemp("aws")
    command = [sys.executable, "-m", "simulators.embedded_aws", "--deploy", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "is gone when it stops" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        try:
            yield Running(process, said)
        finally:
            process.terminate()


def test_it_fits_into_a_terminal_of_the_usual_width(running: Running) -> None:
    # But for the line with the paths of this test
    state = str(Path(running.commands[0].removeprefix(". ")).parent)
    lines = [
        line.replace(state, "out/aws") for line in running.said.splitlines() if not line.startswith("The embedded")
    ]

    assert [line for line in lines if len(line) > 80] == []


def test_the_doctor_finds_nothing_wrong(running: Running) -> None:
    assert "0 wrong" in running.run(running.command("search-coverage doctor"))


def test_a_search_job_gets_a_report_that_is_in_the_bucket_and_opens_in_a_browser(running: Running) -> None:
    # Given that no report is there
    assert running.run(running.command("report_pages")) == ""

    # When the search job is started, as printed
    search_job = json.loads(running.run(running.command("start-search-job")))["SearchJobIdentifier"]

    # Then its page opens without credentials, as in a browser
    page = eventually(lambda: running.run(running.command("report_pages")).strip(), seconds=120)
    with urllib.request.urlopen(page, timeout=10) as answer:
        assert answer.headers.get_content_type() == "text/html"
        assert search_job in answer.read().decode()
    # And the AWS CLI lists it, and the mail is where it says
    assert f"{search_job}/report.html" in running.run(running.command("s3 ls"))
    (mails,) = re.findall(r"Its mail: (\S+)", running.said)
    assert any(search_job in path.read_text(encoding="utf-8") for path in Path(mails).glob("*.json"))


def test_the_shell_reaches_nothing_but_this_computer(running: Running) -> None:
    elsewhere = "import urllib.request; urllib.request.urlopen('http://192.0.2.1', timeout=5)"

    assert "Connection refused" in running.run(f'.venv/bin/python -c "{elsewhere}" 2>&1 || true')


def test_ctrl_c_ends_it_without_output(running: Running) -> None:
    running.process.send_signal(signal.SIGINT)

    said, _ = running.process.communicate(timeout=20)

    assert (running.process.returncode, said) == (0, "")
