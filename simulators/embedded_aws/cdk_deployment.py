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

from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.server_process import ROOT
from simulators.embedded_aws.surroundings import ACCOUNT_ID, REGION

_LAST_LINES = 25
_CDK = ROOT / "node_modules" / ".bin" / "cdk"

Outputs = dict[str, dict[str, str]]
"""The outputs of each stack, by the stack's name."""


@dataclass(frozen=True, slots=True)
class CdkDeployment:
    """A deployment of one app.

    Attributes:
        app_dir: The folder with `cdk.json`.
        context: Context values, as with `-c`.
        outputs_file: Where the CDK command line writes the stacks' outputs.
        state_dir: Where the cloud assembly goes, so that the app's own `cdk.out` stays as it is.
        environment: Of the CDK command line and of the app.
        progress: Called with each line that the CDK command line prints.
    """

    app_dir: Path
    context: Mapping[str, str]
    outputs_file: Path
    state_dir: Path
    environment: Mapping[str, str]
    progress: Callable[[str], None]

    def run(self) -> Outputs:
        """Bootstraps the emulator's account and deploys all stacks of the app.

        Raises:
            EmulatorError: Node.js or the CDK command line is missing, or it failed; with the last lines it printed.
        """
        _require_cdk(self.environment)
        # Not in the app's folder: bootstrapping would run the app.
        self._cdk(["bootstrap", f"aws://{ACCOUNT_ID}/{REGION}"], cwd=self.state_dir)
        self.outputs_file.parent.mkdir(parents=True, exist_ok=True)
        self.outputs_file.unlink(missing_ok=True)
        context = [argument for name, text in self.context.items() for argument in ("--context", f"{name}={text}")]
        outputs = ["--output", str(self.state_dir / "cdk.out"), "--outputs-file", str(self.outputs_file.resolve())]
        deploy = ["deploy", "--all", "--require-approval", "never", "--progress", "events"]
        self._cdk([*deploy, *outputs, *context], cwd=self.app_dir)
        if not self.outputs_file.exists():
            return {}
        deployed: Outputs = json.loads(self.outputs_file.read_text())
        return deployed

    def _cdk(self, arguments: Sequence[str], *, cwd: Path) -> None:
        command = [str(_CDK), *arguments, "--ci", "--no-color"]
        last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        with subprocess.Popen(
            command,
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
            said = "\n".join(last_lines)
            raise EmulatorError(f"`cdk {arguments[0]}` failed (exit code {process.returncode}); it said:\n{said}")


def _require_cdk(environment: Mapping[str, str]) -> None:
    if shutil.which("node", path=environment.get("PATH")) is None:
        raise EmulatorError("Node.js is not on the PATH: install Node.js 20 or newer, then run `make setup`.")
    if not _CDK.exists():
        raise EmulatorError("The CDK command line is not installed: run `make setup` (it does `npm ci`).")
