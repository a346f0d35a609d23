"""Ours: the watch function, invoked as often as the first argument says in one environment."""

import sys
from typing import Any

from benchmarks import meter
from search_coverage.handlers import watch


class Context:
    """What the watch function reads of Lambda's context."""

    function_name = "watch"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:watch"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Answer as if the invocation had just begun."""
        return 60_000


if __name__ == "__main__":
    meter.mark()
    context: Any = Context()
    counts: dict[str, int] = {}
    for _ in range(int(sys.argv[1])):
        counts = watch.handler({}, context)
        meter.mark()
    meter.tell(counts=counts)
