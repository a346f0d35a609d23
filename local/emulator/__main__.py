"""Runs the embedded AWS until it is interrupted: `python -m local.emulator --port 4566 --state out/aws`."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.emulator.embedded_aws import EmbeddedAws
from local.emulator.errors import EmulatorError


def main() -> int:
    """Gives the exit code: 0 when interrupted, 1 with a sentence when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="on 127.0.0.1; 0 for any free one (default: 4566)")
    parser.add_argument("--state", type=Path, default=Path("out/aws"), help="where it writes (default: out/aws)")
    parser.add_argument("--simulator-url", help="the simulator of backup-search and backup, on loopback")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with EmbeddedAws(state_dir=options.state, port=options.port, simulator_url=options.simulator_url) as aws:
            print(f"The embedded AWS answers at {aws.endpoint_url}, its log is {aws.log_file}. Ctrl-C stops it.")
            sys.stdout.flush()
            aws.server.wait()
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
