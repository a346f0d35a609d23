"""The commands of docs/operations.md: where they stand, and a shell to run them in, against the embedded AWS."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulators.embedded_aws.embedded_aws import EmbeddedAws

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "operations.md"

SETUP = "Before you begin"
"""The section that a reader goes through first: its shell variables and functions are used in all others."""

# The AWS CLI of .venv is version 1. What it and the embedded AWS cannot do is bridged here, and nowhere else:
# - `--cli-binary-format raw-in-base64-out` is unknown to version 1, and the document says so: exactly that goes.
# - for SQS version 1 asks for queue.amazonaws.com whatever AWS_ENDPOINT_URL says: it is told on the command line.
# - ministack takes the terms of `?one ?"or another"` as one pattern that must fit as a whole: it gets the first.
# And to see that a command gives the same where AWS answers in several pages, every page is small; to wait for a
# message that does not come takes one second.
_CLI = """\
#!/usr/bin/env bash
arguments=()
while (( $# )); do
  case "$1 ${2-}" in
    "--cli-binary-format raw-in-base64-out") shift 2 ;;
    "--wait-time-seconds "*) arguments+=("$1" 1); shift 2 ;;
    "--filter-pattern ?"*) arguments+=("$1" "${2%% *}"); shift 2 ;;
    *) arguments+=("$1"); shift ;;
  esac
done
case "${arguments[*]:0:2}" in
  "sqs "*) arguments+=(--endpoint-url "$AWS_ENDPOINT_URL") ;;
  "s3api list-objects-v2" | "backupsearch list-search-jobs") arguments+=(--page-size 2) ;;
esac
exec "REAL_CLI" "${arguments[@]}"
"""


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that stand together.

    Attributes:
        section: The heading above it.
        number: Its number in the section, from 1.
        text: The commands.
    """

    section: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What a block did: all that it printed, and the folder that it ran in."""

    output: str
    folder: Path

    @property
    def lines(self) -> list[str]:
        """The lines that say something."""
        return [line for line in self.output.splitlines() if line.strip()]

    @property
    def rows(self) -> list[list[str]]:
        """The lines as `--output text` makes them: values with tabs in between."""
        return [line.split("\t") for line in self.lines]


def blocks(text: str) -> Iterator[Block]:
    """Give all blocks of commands of a document, in its order."""
    section, number = "", 0
    for found in re.finditer(r"^## (?P<section>[^\n]+)$|^```bash\n(?P<block>.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if found["section"]:
            section, number = found["section"], 0
        else:
            number += 1
            yield Block(section, number, found["block"])


def block(section: str, number: int = 1) -> Block:
    """Give one block of the runbook.

    Raises:
        LookupError: There is none.
    """
    for candidate in blocks(DOCUMENT.read_text(encoding="utf-8")):
        if (candidate.section, candidate.number) == (section, number):
            return candidate
    raise LookupError(f"{DOCUMENT.name} has no block {number} of bash in a section {section!r}.")


def commands_in_prose(text: str) -> list[str]:
    """Give the commands with arguments that stand in a document's sentences and tables, each once."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    return list(dict.fromkeys(span for span in spans if re.match(r"aws \S+ \S+ -|(output|errors_of) \S", span)))


@dataclass(slots=True)
class Shell:
    """A reader's shell: `SETUP` was run in it.

    Attributes:
        aws: The account.
        folder: Where it keeps what it needs; each block gets an empty folder in it.
        variables: The shell variables that `SETUP` sets, and the output of the stack behind each.
    """

    aws: EmbeddedAws
    folder: Path
    variables: dict[str, str] = field(init=False)
    _environment: dict[str, str] = field(init=False)
    _runs: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        environment = self.aws.environment()
        cli = self.folder / "bin" / "aws"
        cli.parent.mkdir()
        real = shutil.which("aws", path=environment["PATH"])
        if real is None:
            raise LookupError("The AWS CLI is not installed: run `make setup`.")
        cli.write_text(_CLI.replace("REAL_CLI", real), encoding="utf-8")
        cli.chmod(0o755)
        self._environment = environment | {"PATH": os.pathsep.join([str(cli.parent), environment["PATH"]])}
        self._state.touch()
        self._set_up()

    def run(
        self,
        commands: str,
        *,
        placeholders: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run commands to their end, in a folder of their own.

        Args:
            commands: The commands, as they stand in the document.
            placeholders: What a reader replaces, and by what.
            variables: Shell variables that have another value than `SETUP` gave them.
            files: Names that are found in the folder, and the paths behind them.

        Raises:
            AssertionError: They failed, or complained.
        """
        for placeholder, value in (placeholders or {}).items():
            pieces = re.split(rf"(?<![\w-]){placeholder}(?![\w-])", commands)
            assert len(pieces) > 1, f"{placeholder} does not stand in:\n{commands}"
            commands = value.join(pieces)
        folder = self._new_folder()
        for name, path in (files or {}).items():
            (folder / name).symlink_to(path)
        given = "".join(f"{name}='{value}'\n" for name, value in (variables or {}).items())
        script = f"set -euo pipefail\nsource '{self._state}'\n{given}{commands}"
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        all_said = f"{commands}\n-- output\n{ended.stdout}\n-- errors\n{ended.stderr}"
        assert ended.returncode == 0, f"It ended with {ended.returncode}:\n{all_said}"
        assert not ended.stderr, f"It complained:\n{all_said}"
        return Ran(ended.stdout, folder)

    @property
    def _state(self) -> Path:
        return self.folder / "state.sh"

    def _set_up(self) -> None:
        both = block(SETUP, 1).text, block(SETUP, 2).text
        self.variables = dict(re.findall(r"^([A-Z_]+)=\$\(output (\w+)\)$", both[0], re.MULTILINE))
        names = " ".join(self.variables)
        state = self.run(f"{both[0]}\n{{ {both[1]} }} > /dev/null\ndeclare -f\ndeclare -p {names}").output
        self._state.write_text(state, encoding="utf-8")

    def _new_folder(self) -> Path:
        self._runs += 1
        folder = self.folder / str(self._runs)
        folder.mkdir()
        return folder
