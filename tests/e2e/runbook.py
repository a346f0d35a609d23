"""The commands of the documents for operators, and a shell that runs them against the embedded AWS."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.conftest import ROOT, Stack

RUNBOOK, *OTHERS = ((ROOT / "docs" / name).read_text() for name in ("operations.md", "access.md", "queries.md"))
DOCUMENTS = "".join([RUNBOOK, *OTHERS])
SETUP = "Before you begin"
"""The section whose first block sets the shell variables and functions of all others."""

# The AWS CLI of .venv is version 1. What it and the embedded AWS cannot do is bridged here, and nowhere else:
# - for SQS, version 1 ignores AWS_ENDPOINT_URL: it gets the endpoint on the command line.
# - ministack takes the terms of `?one ?"or another"` as one pattern that must match as a whole: it gets the first.
# Pages of search jobs are small, to see that a command prints the same when AWS answers in several pages.
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


def blocks(text: str) -> dict[tuple[str, int], str]:
    """Return the blocks of commands of a text by the heading above them and their number below it, from 1."""
    found, section, number = {}, "", 0
    for heading, block in re.findall(r"^#+ ([^\n]+)$|^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        section, number = (heading, 0) if heading else (section, number + 1)
        if block:
            found[section, number] = block
    return found


BLOCKS = blocks(DOCUMENTS)


def commands_in_prose(text: str) -> set[str]:
    """Return the commands with arguments in the sentences and tables of a text."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)}
    command = re.compile(r"aws \S+ \S+ -|(output|errors_of|search-coverage re\w+) \S|\S+ doctor")
    return {span for span in spans if command.match(span)}


class Shell:
    """A reader's shell, in which the first block of `SETUP` was run.

    `variables` has the output of the stack behind each variable that it set, `values` their values.
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
        self._state = self.run(f"{setup}\ndeclare -f\ndeclare -p OUTPUTS {' '.join(self.variables)}")
        self.values = dict(re.findall(r'^declare -- (\w+)="(.*)"$', self._state, re.MULTILINE))

    def aws(self, service: str) -> Any:
        """Return a client of the embedded AWS."""
        return self.stack.aws.client(service)

    def block(self, section: str, number: int = 1, **how: Any) -> str:
        """Run a block of the documents (`run`)."""
        return self.run(BLOCKS[section, number], **how)

    def run(self, commands: str, replace: Mapping[str, str] | None = None, exit_code: int = 0, **variables: str) -> str:
        """Run commands that end with an exit code and print no error, and return what they print.

        `replace` has what a reader replaces, `variables` has shell variables instead of those of `SETUP`.
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
