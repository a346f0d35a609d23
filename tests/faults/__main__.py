"""Runs a fault test on an AWS of its own: ``python -m tests.faults STORY FILE [NUMBER ...]``.

It writes the outcomes, one line of JSON per play. What the functions log goes to standard output.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import crash, freeze, outage, posture, storm
from tests.faults.aws_process import AwsProcess
from tests.faults.deployed import SDK, Deployed

_STORIES: dict[str, tuple[Callable[[AwsProcess], Any], Callable[..., Iterator[dict[str, Any]]]]] = {
    "crash": (lambda aws: Deployed(aws, crash.SCENARIO), crash.play),
    "freeze": (lambda aws: Deployed(aws, freeze.SCENARIO), freeze.play),
    "storm": (lambda aws: Deployed(aws, storm.SCENARIO), storm.play),
    "outage": (lambda aws: Deployed(aws, outage.SCENARIO), outage.play),
    "posture": (posture.DeployedPosture, posture.play),
}


def main(story: str, file: Path, *numbers: int) -> None:
    deploy, play = _STORIES[story]
    os.environ.update(SDK)
    aws = AwsProcess()
    try:
        with file.open("w", encoding="utf-8") as lines:
            for outcome in play(deploy(aws), *numbers):
                lines.write(json.dumps(outcome) + "\n")
    finally:
        aws.stop()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
