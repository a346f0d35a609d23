"""Starts the child process that is the emulator, waits until it answers, and ends it with all that it started."""

import contextlib
import errno
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from simulators.embedded_aws.environments import LOOPBACK, aws_settings, emulator_environment
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.mailbox import Mailbox
from simulators.embedded_aws.ministack_patches import require_ministack

ROOT = Path(__file__).resolve().parents[2]

_START_TIMEOUT = 30  # seconds; it takes about one
_STOP_TIMEOUT = 5  # seconds
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Options:
    """How the emulator runs; `EmbeddedAws` explains each of them."""

    state_dir: Path
    port: int
    simulator_url: str | None
    concurrency: int
    retry_delays: tuple[float, ...]

    @property
    def mailbox(self) -> Path:
        """The folder in which e-mails end."""
        return self.state_dir / "mail"

    @property
    def log_file(self) -> Path:
        """The log of ministack and of the functions."""
        return self.state_dir / "emulator.log"

    def aws_settings(self, port: int) -> dict[str, str]:
        """Return the `AWS_*` variables of everything that talks to the emulator at this port."""
        absent = self.state_dir / "no-aws-config"
        url = f"http://{LOOPBACK}:{port}"
        return aws_settings(endpoint_url=url, simulator_url=self.simulator_url, absent=absent)


class EmulatorProcess:
    """The running emulator: a process group of its own, which ends when this process does, however it ends."""

    def __init__(self, process: subprocess.Popen[bytes], *, port: int, run_dir: Path, log_file: Path) -> None:
        self._process = process
        self._run_dir = run_dir
        self._log_file = log_file
        self.port = port

    @classmethod
    def start(cls, options: Options) -> Self:
        """Start the emulator and wait until it answers.

        Raises:
            EmulatorError: The port is in use, ministack is missing or another version, or it does not start.
        """
        require_ministack()
        identity = secrets.token_hex(8)
        with _bound_socket(options.port) as bound:
            port = bound.getsockname()[1]
            run_dir = _make_run_dir(options.state_dir)
            Mailbox(options.mailbox).clear()
            aws = options.aws_settings(port)
            with options.log_file.open("wb") as log:
                process = subprocess.Popen(
                    _command(options, descriptor=bound.fileno(), run_dir=run_dir),
                    cwd=ROOT,
                    env=emulator_environment(aws=aws, port=port, identity=identity, run_dir=run_dir),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[bound.fileno()],
                    start_new_session=True,
                )
        emulator = cls(process, port=port, run_dir=run_dir, log_file=options.log_file)
        try:
            emulator._wait_until_healthy(identity)
        except BaseException:
            emulator.stop()
            raise
        return emulator

    @property
    def process_id(self) -> int:
        """The id of the process, and of its process group."""
        return self._process.pid

    def wait(self) -> NoReturn:
        """Wait for an interrupt; an EmulatorError says that the emulator ended by itself."""
        self._process.wait()
        raise EmulatorError(f"The embedded AWS ended by itself; the end of {self._log_file}:\n{self._last_lines()}")

    def stop(self) -> None:
        """End the emulator and its Lambda workers: with SIGTERM, then with SIGKILL. Harmless when repeated."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_TIMEOUT)
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        shutil.rmtree(self._run_dir, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        # macOS answers EPERM, not ESRCH, for a group that has only zombies left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _wait_until_healthy(self, identity: str) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmulatorError(
                    f"The embedded AWS ended while it started (exit code {self._process.returncode}); "
                    f"the end of {self._log_file}:\n{self._last_lines()}"
                )
            if _health(self.port).get("edition") == identity:
                return
            time.sleep(0.05)
        raise EmulatorError(f"The embedded AWS did not answer within {_START_TIMEOUT} seconds: see {self._log_file}.")

    def _last_lines(self) -> str:
        return "\n".join(self._log_file.read_text(errors="replace").splitlines()[-_LAST_LINES:])


def _bound_socket(port: int) -> socket.socket:
    """Bind a port of 127.0.0.1, so that no other program can take it before the child serves it."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        bound.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise EmulatorError(
                f"Port {port} on {LOOPBACK} is in use: stop the program that uses it, or choose another port."
            ) from error
        raise EmulatorError(f"Port {port} on {LOOPBACK} cannot be opened: {error}.") from error
    return bound


def _make_run_dir(state_dir: Path) -> Path:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="run-", dir=state_dir))
    except OSError as error:
        raise EmulatorError(f"The embedded AWS cannot write to {state_dir}: {error.strerror}.") from error


def _command(options: Options, *, descriptor: int, run_dir: Path) -> list[str]:
    folders = {"run_dir": str(run_dir), "mailbox": str(options.mailbox)}
    delivery = {"concurrency": options.concurrency, "retry_delays": options.retry_delays}
    arguments = json.dumps({"socket": descriptor, **folders, **delivery})
    return [sys.executable, "-m", "simulators.embedded_aws.child", arguments]


def _health(port: int) -> dict[str, object]:
    """Return the answer to the health check; an empty one while there is none, or none that it understands."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {}
