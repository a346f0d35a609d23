"""Many search jobs at once, and none for days: all of them get their report, and people one mail each."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import play_one


def test_200_search_jobs_at_once_each_announced_twice_while_aws_throttles(tmp_path: Path) -> None:
    storm, _ = play_one("storm", tmp_path)

    assert (storm["jobs"], storm["announced"], storm["deliveries"]) == (200, 200, 400)
    assert storm["throttled_requests"] > 300
    assert (storm["reports"], storm["unreported"], storm["flaws"]) == (200, 0, [])
    assert storm["wrong_verdicts"] == 0
    assert (storm["digests"], storm["jobs_with_two_digests"]) == (100, 0)
    assert storm["report_created"] == 200
    assert storm["failure_queue"] == 0


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    return play_one("outage", tmp_path_factory.mktemp("outage"))


def test_after_six_days_without_a_sweep_all_jobs_get_their_report_oldest_first(
    outage: tuple[dict[str, Any], str],
) -> None:
    story, _ = outage

    assert story["sweep"]["announced"] == len(story["jobs"]) == 12
    assert story["announced"] == story["jobs"]
    assert story["reported"] == story["jobs"]
    assert (story["errors"], set(story["digests"])) == ([], {1})


def test_a_search_job_that_vanished_is_an_error_once_per_attempt_and_is_never_announced_again(
    outage: tuple[dict[str, Any], str],
) -> None:
    story, log = outage

    assert story["late"] == ["SearchJobUnknown"] * 3
    assert "no report can be made of it any more" in story["late_message"]
    assert story["late_calls"].count("GetSearchJob") == 1
    lines = [line for line in map(json.loads, log.splitlines()) if line.get("search_job_id") == story["vanished"]]
    assert [line["error"] for line in lines if line["level"] == "ERROR"] == ["SearchJobUnknown"] * 3
    assert (story["last_sweep"]["unreported"], story["announced_again"]) == (0, [])
