"""Plays all cases once, on several lanes at a time, and writes the table that people read."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.freeze_table import write_plays

ROOT = Path(__file__).resolve().parents[2]
_LANES = (os.cpu_count() or 1) + 1  # some of the time a lane waits for calls to time out
_LONGEST = 900  # seconds

PLAYS = int(os.environ.get("PLAYS", "80"))
"""How many plays of frozen and killed attempts; `make faults PLAYS=400` plays more."""

_TITLES = [
    *("#", "function", "call", "fault", "for", "attempts", "failure queue", "report by"),
    *("digests", "Report Created", "wrong"),
]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What became of each case; also in out/faults.md and out/faults.json."""
    folder = tmp_path_factory.mktemp("lanes")
    _play_on_lanes("lane", folder, [(lane, _LANES) for lane in range(_LANES)])
    rows: Rows = []
    expected = 0
    for lane in range(_LANES):
        first, *others = map(json.loads, (folder / f"{lane}.jsonl").read_text().splitlines())
        expected = first["cases"]
        rows += others
    rows.sort(key=lambda row: row["number"])
    assert [row["number"] for row in rows] == list(range(1, expected + 1))
    _write(rows)
    return rows


@pytest.fixture(scope="session")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What became of each play of frozen and killed attempts; also in out/freeze.json and out/freeze.md."""
    folder = tmp_path_factory.mktemp("freeze")
    share = -(-PLAYS // _LANES)
    spans = [(first, min(first + share - 1, PLAYS)) for first in range(1, PLAYS + 1, share)]
    _play_on_lanes("freeze", folder, spans)
    plays: Rows = []
    for lane in range(len(spans)):
        plays += map(json.loads, (folder / f"{lane}.jsonl").read_text().splitlines())
    assert [play["plan"]["number"] for play in plays] == list(range(1, PLAYS + 1))
    write_plays(plays, ROOT / "out")
    return plays


def _play_on_lanes(story: str, folder: Path, shares: list[tuple[int, int]]) -> None:
    """Play a story in several processes at a time, each with its share, its file and its log."""
    lanes = [_start(story, lane, share, folder) for lane, share in enumerate(shares)]
    try:
        failed = [lane for lane, process in enumerate(lanes) if process.wait(_LONGEST)]
    finally:
        for process in lanes:
            process.kill()
            process.wait()
    if failed:
        pytest.fail((folder / f"{failed[0]}.log").read_text(errors="replace")[-6000:])


def _start(story: str, lane: int, share: tuple[int, int], folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"tests.faults.{story}", *map(str, share), str(folder / f"{lane}.jsonl")]
    with (folder / f"{lane}.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _write(rows: Rows) -> None:
    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    (out / "faults.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    made_by = Counter(row["made_by"] for row in rows)
    digests = Counter(row["digests"] for row in rows)
    wrong = {
        "lost": sum(any("lost" in flaw for flaw in row["wrong"]) for row in rows),
        "false COMPLETE": sum("a false COMPLETE" in row["wrong"] for row in rows),
        "with anything that must not be": sum(bool(row["wrong"]) for row in rows),
    }
    failure_queue = sum(row["in_failure_queue"] for row in rows)
    lines = [
        "# Every call of a report and of a sweep, with everything that can go wrong",
        "",
        "Made by `tests/faults`. The calls come from a recording of a report and of a sweep over HTTP. Each case is a",
        "call that goes wrong, then Lambda's retries, then the next sweeps.",
        "",
        f"- Cases: {len(rows)}; {'; '.join(f'{name}: {count}' for name, count in wrong.items())}",
        f"- Event in the failure queue, report there or made by a later sweep: {failure_queue}",
        f"- Report made by: {', '.join(f'{name} {count}' for name, count in sorted(made_by.items()))}",
        f"- Digests: {', '.join(f'{count} cases with {n}' for n, count in sorted(digests.items()))}",
        "",
        f"| {' | '.join(_TITLES)} |",
        f"|{'---|' * len(_TITLES)}",
        *(f"| {' | '.join(_cells(row))} |" for row in rows),
    ]
    (out / "faults.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        str(row["number"]),
        row["function"],
        row["call"].replace("<", "&lt;"),
        row["fault"],
        row["lasting"],
        ", ".join(row["attempts"]),
        "yes" if row["in_failure_queue"] else "",
        row["made_by"],
        str(row["digests"]),
        str(row["created"]),
        "; ".join(row["wrong"]),
    ]
