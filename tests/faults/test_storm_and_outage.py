"""Many search jobs at once, and none for days: all of them get their report, and people one mail each."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import ROOT


def _play(story: str, folder: Path) -> tuple[dict[str, Any], str]:
    """Play a story in a process of its own, which forks; keep what became of it in out/."""
    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    file = out / f"{story}.json"
    file.unlink(missing_ok=True)
    log = folder / "log"
    with log.open("wb") as output:
        ended = subprocess.run(
            [sys.executable, "-m", f"tests.faults.{story}", str(file)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=600,
            check=False,
        )
    assert ended.returncode == 0, log.read_text()[-4000:]
    outcome: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return outcome, log.read_text()


def test_200_search_jobs_at_once_each_told_twice_while_aws_throttles(tmp_path: Path) -> None:
    storm, _ = _play("storm", tmp_path)

    assert (storm["jobs"], storm["announced"], storm["deliveries"]) == (200, 200, 400)
    assert storm["throttled_requests"] > 300
    assert (storm["reports"], storm["unreported"], storm["flaws"]) == (200, 0, [])
    assert storm["wrong_verdicts"] == 0
    assert (storm["digests"], storm["jobs_with_two_digests"]) == (100, 0)
    assert storm["report_created"] == 200
    assert storm["failure_queue"] == 0


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    return _play("outage", tmp_path_factory.mktemp("outage"))


def test_after_six_days_without_a_sweep_all_jobs_get_their_report_oldest_first(
    outage: tuple[dict[str, Any], str],
) -> None:
    story, _ = outage

    assert story["sweep"]["announced"] == len(story["jobs"]) == 12
    assert story["announced"] == story["jobs"]
    assert story["reported"] == story["jobs"]
    assert (story["errors"], set(story["digests"])) == ([], {1})


def test_a_search_job_that_vanished_is_an_error_once_an_attempt_and_is_never_announced_again(
    outage: tuple[dict[str, Any], str],
) -> None:
    story, log = outage

    assert story["late"] == ["SearchJobUnknown"] * 3
    assert "no report can be made of it any more" in story["late_message"]
    assert story["late_calls"].count("GetSearchJob") == 1
    lines = [line for line in map(_parsed, log.splitlines()) if line.get("search_job_id") == story["vanished"]]
    assert [line["error"] for line in lines if line["level"] == "ERROR"] == ["SearchJobUnknown"] * 3
    assert (story["last_sweep"]["unreported"], story["announced_again"]) == (0, [])


def _parsed(line: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(line)
    return parsed
