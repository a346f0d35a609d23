"""Runs the simulator by itself until SIGTERM or SIGINT."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from simulators.backup_search import BackupSimulator, load_scenarios


def main() -> int:
    """Run the simulator; print one line when it is ready.

    Returns:
        The exit code: 0 after a signal, 2 if it could not start (one sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="python -m simulators.backup_search", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (the default) for any free one")
    parser.add_argument("--scenarios", type=Path, metavar="DIR", help="directory of scenario files (*.yaml)")
    parser.add_argument("--account", default="000000000000", help="twelve digits (%(default)s)")
    parser.add_argument("--region", default="us-east-1", help="the Region of all ARNs (%(default)s)")
    parser.add_argument("--quotas", choices=("on", "off"), default="on", help="whether quotas hold (%(default)s)")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        simulator = BackupSimulator(
            scenarios=load_scenarios(options.scenarios) if options.scenarios else (),
            account=options.account,
            region=options.region,
            port=options.port,
            enforce_quotas=options.quotas == "on",
        )
    except OSError as error:
        return _give_up(f"port {options.port} on 127.0.0.1 is not available: {error.strerror}")
    except OverflowError:
        return _give_up(f"the port must be a number from 0 to 65535, not {options.port}")
    except ValueError as error:
        return _give_up(str(error))
    with simulator:
        print(f"backup simulator is ready at {simulator.endpoint_url}", flush=True)
        stop.wait()
    return 0


def _give_up(sentence: str) -> int:
    print(f"backup simulator: {sentence.rstrip('.')}.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
