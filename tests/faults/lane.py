"""Plays every n-th case: ``python -m tests.faults.lane <lane> <lanes> <file>`` writes a line of JSON a case.

What the functions log goes to standard output.
"""

import json
import os
import sys
from pathlib import Path

from tests.faults.crash_cases import cases
from tests.faults.deployed import SDK, Deployed
from tests.faults.play import Player
from tests.faults.surroundings import Surroundings

_TRIES = 3  # a case in which the computer was too slow for a short timeout is played again


def main(lane: int, lanes: int, file: Path) -> None:
    """Play."""
    os.environ.update(SDK)
    surroundings = Surroundings.start()
    try:
        player = Player(Deployed(surroundings))
        recording = player.record()
        everything = [case for function, calls in recording.items() for case in cases(function, calls)]
        with file.open("w") as rows:
            rows.write(json.dumps({"recording": recording, "cases": len(everything)}) + "\n")
            for number, case in list(enumerate(everything, start=1))[lane::lanes]:
                for _ in range(_TRIES):
                    row = player.play(case)
                    if not row.disturbed:
                        break
                rows.write(json.dumps({"number": number, **row.as_json()}) + "\n")
    finally:
        surroundings.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
