"""Plays the stories, each once and in processes of their own, and writes the tables that people read."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults.tables import OUT, write_cases, write_plays
from tests.planted import refuse_planted

_LANES = os.cpu_count() or 1
_LONGEST = 900  # seconds

PLAYS = int(os.environ.get("PLAYS", "76"))
"""How many plays of frozen and killed attempts: 58 stop at each call in turn, the others where the draw says.
`make faults PLAYS=400` plays more."""

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What became of each crash case; also in out/faults.md and out/faults.json."""
    rows = _crash_cases("crash", tmp_path_factory.mktemp("crash"))
    write_cases("faults", "a report and of a sweep", rows)
    return rows


@pytest.fixture(scope="session")
def posture_rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What became of each crash case of a posture; also in out/faults-posture.md and out/faults-posture.json."""
    rows = _crash_cases("posture", tmp_path_factory.mktemp("posture"))
    write_cases("faults-posture", "a posture and of an index that failed", rows)
    return rows


def _crash_cases(story: str, folder: Path) -> Rows:
    lanes, _ = play_story(story, folder, [(lane, _LANES) for lane in range(_LANES)])
    rows = sorted((row for _, *rows in lanes for row in rows), key=lambda row: int(row["number"]))
    assert [row["number"] for row in rows] == list(range(1, lanes[0][0]["cases"] + 1))
    return rows


@pytest.fixture(scope="session")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What became of each play of frozen and killed attempts; also in out/freeze.json and out/freeze.md."""
    share = -(-PLAYS // _LANES)
    shares = [(first, min(first + share - 1, PLAYS)) for first in range(1, PLAYS + 1, share)]
    lanes, _ = play_story("freeze", tmp_path_factory.mktemp("freeze"), shares)
    plays = [play for lane in lanes for play in lane]
    assert [play["plan"]["number"] for play in plays] == list(range(1, PLAYS + 1))
    write_plays(plays)
    return plays


def play_one(story: str, folder: Path) -> tuple[dict[str, Any], str]:
    """Play a story in one process; return what became of it, which is also kept in out/, and its log."""
    ((outcome,),), log = play_story(story, folder, [()])
    OUT.mkdir(exist_ok=True)
    (OUT / f"{story}.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    return outcome, log


def play_story(story: str, folder: Path, shares: Sequence[tuple[int, ...]]) -> tuple[list[Rows], str]:
    """Play a story in several processes at a time, each with its share; return the rows of each, and the first log."""
    files = [folder / f"{lane}.jsonl" for lane in range(len(shares))]
    lanes = []
    for file, share in zip(files, shares, strict=True):
        command = [sys.executable, "-m", "tests.faults", story, str(file), *map(str, share)]
        with file.with_suffix(".log").open("wb") as log:
            lanes.append(subprocess.Popen(command, cwd=OUT.parent, stdout=log, stderr=subprocess.STDOUT))
    try:
        failed = [lane for lane, process in enumerate(lanes) if process.wait(_LONGEST)]
    finally:
        for process in lanes:
            process.kill()
            process.wait()
    logs = [file.with_suffix(".log").read_text(errors="replace") for file in files]
    if failed:
        pytest.fail(logs[failed[0]][-6000:])
    refuse_planted(logs, "the log of the functions")
    rows = [file.read_text(encoding="utf-8") for file in files]
    refuse_planted(rows, "the error of an attempt")
    return [[json.loads(line) for line in of_lane.splitlines()] for of_lane in rows], logs[0]
