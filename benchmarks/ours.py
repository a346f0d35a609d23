"""Our functions, invoked in a new environment: ``ours SEARCH_JOB [replay]``, ``ours sweep TIMES``, ``ours posture``."""

import sys
from typing import Any

from benchmarks import meter


class Context:
    """What the functions read of Lambda's context."""

    memory_limit_in_mb = 512
    function_name = "measured"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:measured"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that a new invocation has left."""
        return 60_000 if sys.argv[1] == "sweep" else 900_000


def report(search_job: str, *options: str) -> None:
    from search_coverage.handlers import report  # noqa: PLC0415 - only what is measured is imported

    meter.mark()
    context: Any = Context()
    outcome = report.handler({"searchJobIdentifier": search_job, "replay": "replay" in options}, context)
    meter.mark()
    meter.print_marks(backups=outcome["backups"], verdict=outcome["verdict"])


def sweep(times: str) -> None:
    from search_coverage.handlers import watch  # noqa: PLC0415 - as above

    meter.mark()
    context: Any = Context()
    counts: dict[str, int] = {}
    for _ in range(int(times)):
        counts = watch.handler({}, context)
        meter.mark()
    meter.print_marks(counts=counts)


def posture() -> None:
    from search_coverage.handlers import posture  # noqa: PLC0415 - as above

    meter.mark()
    context: Any = Context()
    outcome = posture.handler({"posture": {}}, context)
    meter.mark()
    meter.print_marks(backups={name: outcome["backups"][name] for name in ("total", "searchable")})


if __name__ == "__main__":
    if sys.argv[1] == "sweep":
        sweep(sys.argv[2])
    elif sys.argv[1] == "posture":
        posture()
    else:
        report(*sys.argv[1:])
