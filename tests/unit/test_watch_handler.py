"""The watch function: what a sweep counts, and what makes it fail."""

from types import ModuleType
from typing import Any

import pytest

from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from tests.conftest import Log
from tests.fakes import World
from tests.functions import function, metrics_in
from tests.invocation import Context


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The function's module; it takes longer to load it than to run a test."""
    with pytest.MonkeyPatch.context() as patch:
        return function("watch", patch)


@pytest.fixture
def world() -> World:
    world = World()
    world.add_job()
    return world


@pytest.fixture
def sweep(module: ModuleType, world: World, monkeypatch: pytest.MonkeyPatch, log: Log) -> Any:
    """The handler, over the fakes of the world."""
    monkeypatch.setattr(module, "sweep_search_jobs", world.sweeper())
    return module.handler


def test_a_sweep_that_came_to_its_end_counts_itself(sweep: Any, log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep({}, Context()) == {"known": 1, "ended": 1, "unreported": 1, "announced": 1}

    (blob,) = metrics_in(capsys.readouterr().out)
    assert (blob["Sweeps"], blob["SearchJobsUnreported"], blob["SearchJobsAnnounced"]) == ([1.0], [1.0], [1.0])
    assert blob["SearchJobsOverdue"] == [0.0]
    assert blob["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert log.lines[-1]["message"] == "sweep done"
    assert log.lines[-1]["overdue"] == 0


def test_a_sweep_that_leaves_something_over_counts_itself_and_fails_with_a_sentence(
    sweep: Any, world: World, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    world.unreadable = ["{'Name': 'nobody'}"]

    with pytest.raises(SearchCoverageError, match=r"AWS lists 1 search jobs that cannot be read.*nobody"):
        sweep({}, Context())

    assert len(metrics_in(capsys.readouterr().out)) == 1
    assert (log.lines[-1]["level"], log.lines[-1]["error"]) == ("ERROR", "SweepIncomplete")


def test_a_sweep_over_a_list_that_breaks_off_does_not_count_as_one(
    sweep: Any, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.broken_off = AwsCallFailed("It broke off.")

    with pytest.raises(AwsCallFailed):
        sweep({}, Context())

    assert metrics_in(capsys.readouterr().out) == []
