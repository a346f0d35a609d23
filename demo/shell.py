"""A shell that uses the embedded AWS: the demo runs commands in it as a user would."""

import shlex
import subprocess
import textwrap
from pathlib import Path

from rich.console import Console
from rich.text import Text

from simulators.embedded_aws.embedded_aws import EmbeddedAws
from simulators.embedded_aws.errors import EmulatorError

_INDENT = "   "
_SECONDS = 60.0


class Shell:
    """Runs commands in a folder. Those of the project's environment, such as `aws`, come first on its PATH."""

    def __init__(self, aws: EmbeddedAws, folder: Path, console: Console) -> None:
        self._environment = aws.environment()
        self._folder = folder
        self._console = console

    def show(self, command: str, also_ends_with: int = 0) -> None:
        """Run a command, and show it with what it prints; an EmulatorError means that it failed.

        Args:
            also_ends_with: An exit code that is an answer, and no failure.
        """
        self.show_command(command)
        with self._console.status(shlex.split(command)[0]):
            printed = self.run(command, also_ends_with)
        self._print(printed)

    def show_command(self, command: str) -> None:
        """Show a command."""
        self._print(f"$ {command}", style="bold")

    def run(self, command: str, also_ends_with: int = 0) -> str:
        """Run a command, and return what it prints.

        Raises:
            EmulatorError: It failed, or did not end; the text says what it printed.
        """
        try:
            done = subprocess.run(
                shlex.split(command),
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EmulatorError(f"{command} did not end within {_SECONDS:.0f} s: see out/emulator.") from error
        if done.returncode not in (0, also_ends_with):
            raise EmulatorError(f"{command} ended with exit code {done.returncode}: {done.stdout.strip()}")
        return done.stdout.rstrip()

    def _print(self, text: str, style: str = "") -> None:
        wrap = textwrap.TextWrapper(
            self._console.width,
            initial_indent=_INDENT,
            subsequent_indent=2 * _INDENT,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        for line in text.splitlines():
            for part in wrap.wrap(line):
                self._console.print(Text(part, style=style))
