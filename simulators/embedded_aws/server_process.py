"""Starts the child process that is the emulator, waits until it answers, and ends it with all that it started."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.loopback import LOOPBACK, claim_port
from simulators.embedded_aws.mailbox import Mailbox
from simulators.embedded_aws.ministack_seams import require_ministack
from simulators.embedded_aws.surroundings import aws_settings, emulator_environment

ROOT = Path(__file__).resolve().parents[2]

_START_TIMEOUT = 30  # seconds; it takes about one
_STOP_TIMEOUT = 5  # seconds
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the emulator is to run.

    Attributes:
        state_dir: Where it writes, created if missing.
        port: The port on 127.0.0.1, or 0 for any free one.
        simulator_url: The simulator of `backup-search` and `backup`.
        concurrency: How many asynchronous Lambda invocations may run at once.
        retry_delays: Seconds before each retry of an asynchronous invocation. On AWS: 60 and 120.
    """

    state_dir: Path
    port: int
    simulator_url: str | None
    concurrency: int
    retry_delays: tuple[float, ...]

    @property
    def mailbox(self) -> Path:
        """The folder in which e-mails end."""
        return self.state_dir / "mail"


class ServerProcess:
    """The running emulator: a process group of its own, which ends when this process does, however it ends."""

    def __init__(self, process: subprocess.Popen[bytes], *, port: int, run_dir: Path, log_file: Path) -> None:
        """Use `start`."""
        self._process = process
        self._run_dir = run_dir
        self.port = port
        self.log_file = log_file

    @classmethod
    def start(cls, options: ServerOptions) -> Self:
        """Starts the emulator and waits until it answers.

        Raises:
            EmulatorError: The port is in use, ministack is missing or another version, or it does not come up.
        """
        require_ministack()
        identity = secrets.token_hex(8)
        log_file = options.state_dir / "emulator.log"
        with claim_port(options.port) as claimed:
            port = claimed.getsockname()[1]
            run_dir = _make_run_dir(options.state_dir)
            Mailbox(options.mailbox).clear()
            with log_file.open("wb") as log:
                process = subprocess.Popen(
                    _command(options, descriptor=claimed.fileno(), run_dir=run_dir),
                    cwd=ROOT,
                    env=_environment(options, port=port, identity=identity, run_dir=run_dir),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[claimed.fileno()],
                    start_new_session=True,
                )
        server = cls(process, port=port, run_dir=run_dir, log_file=log_file)
        try:
            server._wait_until_healthy(identity)
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def process_id(self) -> int:
        """Of the emulator, and of its process group."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.poll() is None

    def wait(self) -> NoReturn:
        """Returns never: it ends with an interrupt, or when the emulator ends by itself.

        Raises:
            EmulatorError: The emulator ended by itself; with the end of its log.
        """
        self._process.wait()
        raise EmulatorError(f"The embedded AWS ended by itself; the end of {self.log_file}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of its log, to be shown when something went wrong."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def stop(self) -> None:
        """Ends the emulator and its Lambda workers: politely at first, then for certain. Harmless when repeated."""
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
            if not self.is_running:
                raise EmulatorError(
                    f"The embedded AWS ended while it started (exit code {self._process.returncode}); "
                    f"the end of {self.log_file}:\n{self.last_lines()}"
                )
            if _health(self.port).get("edition") == identity:
                return
            time.sleep(0.05)
        raise EmulatorError(f"The embedded AWS did not answer within {_START_TIMEOUT} seconds: see {self.log_file}.")


def _make_run_dir(state_dir: Path) -> Path:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="run-", dir=state_dir))
    except OSError as error:
        raise EmulatorError(f"The embedded AWS cannot write to {state_dir}: {error.strerror}.") from error


def _command(options: ServerOptions, *, descriptor: int, run_dir: Path) -> list[str]:
    child = [
        sys.executable,
        "-m",
        "simulators.embedded_aws.child",
        "--socket",
        str(descriptor),
        "--run-dir",
        str(run_dir),
    ]
    pauses = [str(seconds) for seconds in options.retry_delays]
    mailbox = ["--mailbox", str(options.mailbox)]
    return [*child, *mailbox, "--concurrency", str(options.concurrency), "--retry-delays", *pauses]


def _environment(options: ServerOptions, *, port: int, identity: str, run_dir: Path) -> dict[str, str]:
    aws = aws_settings(
        endpoint_url=f"http://{LOOPBACK}:{port}",
        simulator_url=options.simulator_url,
        absent=run_dir / "no-aws-config",
    )
    return emulator_environment(aws=aws, port=port, identity=identity, run_dir=run_dir)


def _health(port: int) -> dict[str, object]:
    """What answers the health check; nothing while there is nobody, or nobody who speaks our language."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {}
