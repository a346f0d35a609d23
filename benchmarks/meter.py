"""What a measured process prints about itself. It imports next to nothing, so that it costs next to nothing."""

import json
import time
from pathlib import Path
from typing import Any

_marks: list[tuple[float, float]] = []


def mark() -> None:
    """Note the CPU time (user and system, all threads) and the moment; the first mark is the end of the start-up."""
    _marks.append((time.process_time(), time.monotonic()))


def print_marks(**more: Any) -> None:
    """Print the marks, the peak memory and more, as the last line."""
    # Not ru_maxrss: a forked child inherits that of its parent.
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    peak = int(status.partition("VmHWM:")[2].split()[0])
    print(json.dumps({"marks": _marks, "peak_kibibytes": peak, **more}), flush=True)
