"""The commands of the documents for operators, and a shell that runs them against the embedded AWS."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.conftest import ROOT, Stack

RUNBOOK, *OTHERS = ((ROOT / "docs" / name).read_text() for name in ("operations.md", "access.md", "queries.md"))
DOCUMENTS = "".join([RUNBOOK, *OTHERS])
SETUP = "Before you begin"
"""The section whose first block sets the shell variables and functions of all others."""

# The AWS CLI of .venv is version 1. What it and the embedded AWS cannot do is bridged here, and nowhere else:
# - for SQS, version 1 ignores AWS_ENDPOINT_URL: it gets the endpoint on the command line.
# - ministack takes the terms of `?one ?"or another"` as one pattern that must match as a whole: it gets the first.
# Pages of search jobs are small, to see that a command gives the same when AWS answers in several pages.
_AWS = """\
#!/usr/bin/env bash
arguments=()
while (( $# )); do
  case "$1 ${2-}" in
    "--filter-pattern ?"*) arguments+=("$1" "${2%% *}"); shift 2 ;;
    *) arguments+=("$1"); shift ;;
  esac
done
case "${arguments[*]:0:2}" in
  "sqs "*) arguments+=(--endpoint-url "$AWS_ENDPOINT_URL") ;;
  "backupsearch list-search-jobs") arguments+=(--page-size 2) ;;
esac
exec "REAL_CLI" "${arguments[@]}"
"""


class Block(NamedTuple):
    """Commands that stand together: the heading above them, their number below it from 1, and their text."""

    section: str
    number: int
    text: str


def blocks(text: str) -> Iterator[Block]:
    """Give all blocks of commands of a text, in its order."""
    section, number = "", 0
    for found in re.finditer(r"^#+ (?P<section>[^\n]+)$|^```bash\n(?P<block>.*?)^```$", text, re.MULTILINE | re.DOTALL):
        section, number = (found["section"], 0) if found["section"] else (section, number + 1)
        if found["block"]:
            yield Block(section, number, found["block"])


BLOCKS = {(block.section, block.number): block.text for block in blocks(DOCUMENTS)}


def commands_in_prose(text: str) -> set[str]:
    """Give the commands with arguments in the sentences and tables of a text."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)}
    return {span for span in spans if re.match(r"aws \S+ \S+ -|(output|errors_of|search-coverage) \S", span)}


class Shell:
    """A reader's shell in the folder of the project, in which the first block of `SETUP` was run.

    Attributes:
        stack: The deployed stack.
        folder: Its working directory, with links to what the commands use of the project.
        variables: The shell variables that are set, and the output of the stack behind each.
        values: Their values.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        environment = stack.aws.environment()
        real = shutil.which("aws", path=environment["PATH"])
        assert real, "The AWS CLI is not installed: run `make setup`."
        search_coverage = f'#!/usr/bin/env bash\nexec "{sys.executable}" -m cli "$@"\n'
        for name, program in {"aws": _AWS.replace("REAL_CLI", real), "search-coverage": search_coverage}.items():
            (folder / name).write_text(program, encoding="utf-8")
            (folder / name).chmod(0o755)
        for name in ("infra", ".venv"):
            (folder / name).symlink_to(ROOT / name)
        paths = {"PATH": (folder, environment["PATH"]), "PYTHONPATH": (ROOT / "lambda", ROOT)}
        self._environment = environment | {name: os.pathsep.join(map(str, path)) for name, path in paths.items()}
        self._state, setup = "", BLOCKS[SETUP, 1]
        self.variables = dict(re.findall(r"^([A-Z_]+)=\$\(output (\w+)\)$", setup, re.MULTILINE))
        self._state = self.run(f"{setup}\ndeclare -f\ndeclare -p {' '.join(self.variables)}")
        self.values = dict(re.findall(r'^declare -- (\w+)="(.*)"$', self._state, re.MULTILINE))

    def aws(self, service: str) -> Any:
        """Give a client of the embedded AWS."""
        return self.stack.aws.client(service)

    def block(self, section: str, number: int = 1, **how: Any) -> str:
        """Run a block of the documents (`run`)."""
        return self.run(BLOCKS[section, number], **how)

    def run(self, commands: str, replace: Mapping[str, str] | None = None, exit_code: int = 0, **variables: str) -> str:
        """Run commands as they stand in a document, expect that they print no error, and give what they print.

        Args:
            commands: The commands.
            replace: What a reader replaces, and by what.
            exit_code: How they have to end.
            **variables: Shell variables that have another value than `SETUP` gave them.
        """
        for placeholder, value in (replace or {}).items():
            commands, count = re.subn(rf"(?<![\w-]){re.escape(placeholder)}(?![\w-])", value, commands)
            assert count, f"{placeholder} does not stand in:\n{commands}"
        given = "".join(f"{name}='{value}'\n" for name, value in variables.items())
        script = f"set -euo pipefail\n{self._state}\n{given}{commands}"
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 120}
        ended = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self._environment, check=False, **options)
        everything = f"{commands}\n-- output\n{ended.stdout}\n-- errors\n{ended.stderr}"
        assert (ended.returncode, ended.stderr) == (exit_code, ""), f"It ended with {ended.returncode}:\n{everything}"
        return str(ended.stdout)
