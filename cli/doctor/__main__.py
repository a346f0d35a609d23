"""Says whether what the product needs is in order, and what to do where it is not. It only reads."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from cli.doctor.beginning import CannotBegin, begin
from cli.doctor.checkup import CHECKS, STACK, examine
from cli.doctor.printed import Printout


def main(arguments: Sequence[str] | None = None) -> int:
    """Give the exit code: 0 if nothing is wrong, 1 if something is, 2 with a sentence if it could not begin."""
    parser = argparse.ArgumentParser(prog="python -m cli.doctor", description=__doc__)
    parser.add_argument("--profile", help="of the AWS configuration (default: AWS_PROFILE)")
    parser.add_argument("--region", help="(default: AWS_REGION, AWS_DEFAULT_REGION, or that of the profile)")
    options = parser.parse_args(arguments)
    try:
        deployment, who = begin(profile=options.profile, region=options.region)
    except CannotBegin as error:
        print(f"The doctor could not begin: {error}", file=sys.stderr)
        return 2
    printout = Printout(Console(highlight=False))
    printout.add("credentials", who)
    made = 0
    for name, finding in examine(deployment):
        printout.add(name, finding)
        made += 1
    printout.sum_up(left_out=len((STACK, *CHECKS)) - made)
    return printout.exit_code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nThe doctor was interrupted.")
