"""Amazon's Lambda Runtime Interface Emulator: starts a bundle as Lambda does, and measures how long that takes."""

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_NAME = f"aws-lambda-rie-{_ARCHITECTURES.get(platform.machine(), platform.machine())}"
EMULATOR = ROOT / ".venv/rie/samcli/local/rapid" / _NAME
# Not "Init Duration" of its REPORT line: that is the time in which the emulator starts the runtime, a few microseconds.
_INIT_REPORT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")


@dataclass(frozen=True, slots=True)
class Start:
    """The first invocation of a new environment.

    Attributes:
        init_seconds: The init phase, as the emulator logs it in `INIT REPORT`; None if it does not.
        first_answer_seconds: From the request, which starts the runtime, to the answer.
        answer: What the function answered.
    """

    init_seconds: float | None
    first_answer_seconds: float
    answer: Any


def start(  # noqa: PLR0917 - each of them is something else
    bundle: Path, handler: str, python: str, runtime_client: Path, environment: Mapping[str, str], event: object
) -> Start:
    """Start a function, invoke it twice, and end it.

    Args:
        bundle: The function's code. No bytecode is written into it, for Lambda's code folder is read-only.
        handler: Its handler.
        python: The interpreter.
        runtime_client: The folder of awslambdaric.
        environment: The function's variables.
        event: What it is invoked with.
    """
    log = bundle.with_suffix(".log")
    variables = {
        **environment,
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    with function(bundle, handler, variables, log, python, runtime_client) as url:
        started = time.monotonic()
        answer = invoke(url, event)
        seconds = time.monotonic() - started
        invoke(url, event)  # by then the init phase is in the log
    found = _INIT_REPORT.search(log.read_text(encoding="utf-8", errors="replace"))
    return Start(float(found[1]) / 1000 if found else None, seconds, answer)


@contextmanager
def function(  # noqa: PLR0917 - each of them is something else
    bundle: Path,
    handler: str,
    variables: Mapping[str, str],
    log: Path,
    python: str = sys.executable,
    runtime_client: Path = Path(),
) -> Iterator[str]:
    """Run a handler of a bundle under the emulator, and return the address to invoke it at."""
    EMULATOR.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, api_port = one.getsockname()[1], other.getsockname()[1]
    addresses = [
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(EMULATOR), *addresses, python, "-m", "awslambdaric", handler],
            cwd=bundle,
            env={**variables, "PYTHONPATH": f"{bundle}{os.pathsep}{runtime_client}", "LAMBDA_TASK_ROOT": str(bundle)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def invoke(url: str, event: object) -> Any:
    """Invoke the function, and return its answer; the emulator answers with an HTTP error if it did not start."""
    request = urllib.request.Request(url, json.dumps(event).encode(), method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return json.loads(error.read())
