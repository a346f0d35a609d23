"""Ours: the report function, invoked once, as Lambda does it with a new environment."""

import sys
import uuid
from typing import Any

from benchmarks import meter
from search_coverage.handlers import report


class Context:
    """What the functions read of Lambda's context."""

    memory_limit_in_mb = 512

    def __init__(self, name: str) -> None:
        self.function_name = name
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        """Answer as if the invocation had just begun."""
        return 900_000


if __name__ == "__main__":
    meter.mark()
    context: Any = Context("report")
    outcome = report.handler({"searchJobIdentifier": sys.argv[1], "replay": "replay" in sys.argv[2:]}, context)
    meter.mark()
    meter.tell(backups=outcome["backups"], verdict=outcome["verdict"])
