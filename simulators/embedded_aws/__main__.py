"""Runs the embedded AWS until it is interrupted: `python -m simulators.embedded_aws --port 4566 --state out/aws`.

With `--deploy` AWS Backup is beside it, with the search jobs of the demo, and the stack is deployed to it.
"""

import argparse
import contextlib
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from search_coverage.names import STACK
from simulators.backup_search import BackupSimulator, load_scenarios
from simulators.embedded_aws.by_hand import instructions, write_environment
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.process import ROOT

_MAIL_ADDRESS = "backup-admin@example.com"


def main() -> int:
    """Return the exit code: 0 when interrupted, 1 with a sentence when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m simulators.embedded_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="on 127.0.0.1; 0 for any free one (default: 4566)")
    parser.add_argument("--state", type=Path, default=Path("out/aws"), help="where it writes (default: out/aws)")
    backup = parser.add_mutually_exclusive_group()
    backup.add_argument("--simulator-url", help="the simulator of backup-search and backup, on loopback")
    backup.add_argument("--deploy", action="store_true", help="with a simulator of AWS Backup, and the stack deployed")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with contextlib.ExitStack() as running:
            simulator = running.enter_context(_simulator()) if options.deploy else None
            if simulator:
                print("Starting an AWS on this computer and deploying the stack: about a minute.", flush=True)
            simulator_url = simulator.endpoint_url if simulator else options.simulator_url
            aws = EmbeddedAws(state_dir=options.state, port=options.port, simulator_url=simulator_url)
            running.enter_context(aws)
            if simulator:
                simulator.send_events(aws.event_sink())
            deployed = _deploy(aws, options.state) if options.deploy else ""
            print(f"The embedded AWS answers at {aws.endpoint_url}, its log is {aws.log_file}. Ctrl-C stops it.")
            print(deployed, end="", flush=True)
            aws.process.wait()
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _simulator() -> BackupSimulator:
    scenarios = load_scenarios(ROOT / "demo" / "scenarios")
    return BackupSimulator(scenarios=scenarios, account=EmbeddedAws.account_id, region=EmbeddedAws.region)


def _deploy(aws: EmbeddedAws, state: Path) -> str:
    """Deploy the stack, and return the instructions."""
    context = {"notificationEmails": _MAIL_ADDRESS}
    outputs = aws.deploy(ROOT, context=context, outputs_file=state / "outputs.json")[STACK]
    environment = state / "environment.sh"
    write_environment(environment, aws, bucket=outputs["ReportBucketName"])
    return instructions(environment, mails=state / "mail")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
