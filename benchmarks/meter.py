"""What a measured process tells about itself. It imports next to nothing, so that it costs next to nothing."""

import json
import time
from pathlib import Path
from typing import Any

_marks: list[tuple[float, float]] = []


def mark() -> None:
    """Note the CPU time (user and system, all threads) and the moment; the first mark is the end of the start-up."""
    _marks.append((time.process_time(), time.monotonic()))


def tell(**more: Any) -> None:
    """Print the marks, the peak memory and what else there is to tell, as the last line."""
    print(json.dumps({"marks": _marks, "peak_kibibytes": _peak_kibibytes(), **more}), flush=True)


def _peak_kibibytes() -> int:
    # Not ru_maxrss: that of a forked child remembers its parent.
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise LookupError("The kernel does not tell VmHWM in /proc/self/status.")
