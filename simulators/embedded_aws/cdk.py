"""Deploys a CDK app to the emulator with the CDK command line, as an operator deploys it to AWS."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.embedded_aws.environments import ACCOUNT_ID, REGION
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.process import ROOT

_LAST_LINES = 25
_CDK = ROOT / "node_modules" / ".bin" / "cdk"

Outputs = dict[str, dict[str, str]]
"""The outputs of each stack, by the stack's name."""


@dataclass(frozen=True, slots=True)
class CdkCommandLine:
    """The CDK command line. It calls `progress` with each line that it prints.

    The cloud assembly goes to `state_dir`, so that the app's own `cdk.out` stays as it is.
    """

    state_dir: Path
    environment: Mapping[str, str]
    progress: Callable[[str], None]

    def deploy(self, app_dir: Path, context: Mapping[str, str], outputs_file: Path) -> Outputs:
        """Bootstrap the emulator's account and deploy all stacks of the app.

        Raises:
            EmulatorError: Node.js or the CDK command line is missing, or it failed; with the last lines it printed.
        """
        if shutil.which("node", path=self.environment.get("PATH")) is None:
            raise EmulatorError("Node.js is not on the PATH: install Node.js 20 or newer, then run `make setup`.")
        if not _CDK.exists():
            raise EmulatorError("The CDK command line is not installed: run `make setup` (it does `npm ci`).")
        # Not in the app's folder: bootstrapping would run the app.
        self._run(["bootstrap", f"aws://{ACCOUNT_ID}/{REGION}"], cwd=self.state_dir)
        outputs_file.parent.mkdir(parents=True, exist_ok=True)
        outputs_file.unlink(missing_ok=True)
        values = [argument for name, text in context.items() for argument in ("--context", f"{name}={text}")]
        outputs = ["--output", str(self.state_dir / "cdk.out"), "--outputs-file", str(outputs_file.resolve())]
        deploy = ["deploy", "--all", "--require-approval", "never", "--progress", "events"]
        self._run([*deploy, *outputs, *values], cwd=app_dir)
        deployed: Outputs = json.loads(outputs_file.read_text()) if outputs_file.exists() else {}
        return deployed

    def _run(self, arguments: Sequence[str], *, cwd: Path) -> None:
        last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        with subprocess.Popen(
            [str(_CDK), *arguments, "--ci", "--no-color"],
            cwd=cwd,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                for line in process.stdout or ():
                    last_lines.append(line.rstrip())
                    self.progress(line.rstrip())
                process.wait()
            finally:
                # The app and its bundling are children of the command line: on Ctrl-C they all end.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            printed = "\n".join(last_lines)
            raise EmulatorError(f"`cdk {arguments[0]}` failed (exit code {process.returncode}); it printed:\n{printed}")
