"""The child process: ministack with our patches, on a socket that the parent has bound, while the parent lives.

It leads a process group of its own, to which the Lambda workers that it starts belong.
"""

import asyncio
import json
import logging
import os
import resource
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from simulators.embedded_aws import ministack_patches
from simulators.embedded_aws.async_delivery import DeliveryQueue
from simulators.embedded_aws.mailbox import Mailbox

_KEEP_ALIVE = 75  # seconds, as in ministack's own launcher
_GRACE = 0.5  # seconds


def main() -> None:
    """Serve until SIGTERM, or until standard input ends because the parent ended.

    The one argument is a JSON object: `socket` (a file descriptor), `run_dir` (removed at the end), `mailbox`, and the
    arguments of the delivery queue.
    """
    options = json.loads(sys.argv[1])
    run_dir = Path(options["run_dir"])
    threading.Thread(target=_end_with_parent, args=(run_dir,), daemon=True).start()
    _allow_many_connections()
    deliveries = DeliveryQueue(concurrency=options["concurrency"], retry_delays=tuple(options["retry_delays"]))
    ministack_patches.apply(deliveries, Mailbox(Path(options["mailbox"])))
    _serve(options["socket"])
    _end(run_dir)


def _serve(descriptor: int) -> None:
    from hypercorn.asyncio import serve  # noqa: PLC0415  after the patches
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack.app import app  # noqa: PLC0415

    logging.getLogger("hypercorn.access").addFilter(lambda entry: "/_ministack/health" not in entry.getMessage())
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = _KEEP_ALIVE
    config.graceful_timeout = _GRACE
    asyncio.run(serve(app, config))


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_with_parent(run_dir: Path) -> None:
    """Wait for the end of standard input, a pipe that the parent holds open, however the parent ends."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGTERM)  # usually the workers end, and `main` returns
    time.sleep(4 * _GRACE)
    _end(run_dir)


def _end(run_dir: Path) -> None:
    shutil.rmtree(run_dir, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # ourselves included


if __name__ == "__main__":
    main()
