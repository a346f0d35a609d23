"""What an operator sees first, and that every number on it is one that somebody writes."""

import json
import re
from typing import Any

import pytest

from infra.dashboard import VERDICTS, WIDTH
from infra.settings import Settings
from search_coverage.coverage.verdict import Verdict
from tests.infra.conftest import Synthesise, SynthesisedStack
from tests.infra.test_monitoring import ALARMS

OURS = {
    *("Sweeps", "SearchJobsUnreported", "SearchJobsAnnounced", "SearchJobsOverdue"),
    *("BackupsSearched", "BackupsExcluded", "Reports"),
}
"""Metrics that tests/integration hold against what the functions write."""


@pytest.fixture(scope="module")
def widgets(stack: SynthesisedStack) -> list[dict[str, Any]]:
    """The widgets, as the body of the dashboard has them."""
    found: list[dict[str, Any]] = json.loads(stack.resource("Dashboard")["DashboardBody"])["widgets"]
    return found


def titled(widgets: list[dict[str, Any]], title: str) -> dict[str, Any]:
    """Give the properties of the widget whose title begins like this."""
    (found,) = [w["properties"] for w in widgets if w["properties"].get("title", "").startswith(title)]
    assert isinstance(found, dict)
    return found


def test_the_first_row_says_what_to_look_at_and_shows_all_alarms(widgets: list[dict[str, Any]]) -> None:
    text, alarms = widgets[:2]

    assert text["properties"]["markdown"].startswith("## What to look at first")
    assert alarms["type"] == "alarm"
    assert sorted(arn.strip("<>").removesuffix(".Arn") for arn in alarms["properties"]["alarms"]) == sorted(ALARMS)


def test_every_link_leads_into_the_console_of_this_region(widgets: list[dict[str, Any]]) -> None:
    links = re.findall(r"\]\(([^)]+)\)", widgets[0]["properties"]["markdown"])

    assert len(links) == 6
    assert all(link.startswith("https://<AWS::Region>.console.aws.amazon.com/") for link in links)


def test_every_widget_has_a_title_for_people_and_fills_half_a_row(widgets: list[dict[str, Any]]) -> None:
    titles = [widget["properties"]["title"] for widget in widgets[1:]]

    assert titles == [
        "Alarms",
        "Coverage: backups that were searched, % of all that should have been, a day",
        "Reports by verdict, a day",
        "Why backups were left out, backups a day",
        "Search jobs that wait for a report",
        "Sweeps that looked for search jobs that ended, an hour",
        "What went wrong, an hour",
        "Messages in the queues that should be empty",
        "Duration, the longest of an hour",
        "Memory of the report function, the most of an hour",
        "Memory of the watch function, the most of an hour",
    ]
    assert {widget["width"] for widget in widgets} == {WIDTH // 2}


def test_every_line_has_a_name_for_people(widgets: list[dict[str, Any]]) -> None:
    for widget in widgets:
        for metric in widget["properties"].get("metrics", []):
            options = metric[-1]
            assert options.get("visible") is False or options["label"], metric


def test_coverage_counts_what_a_search_did_not_even_list(widgets: list[dict[str, Any]]) -> None:
    coverage = titled(widgets, "Coverage")

    assert coverage["metrics"][0][0]["expression"] == "100 * searched / (searched + excluded)"
    assert {(metric[1], metric[-1]["id"]) for metric in coverage["metrics"][1:]} == {
        ("BackupsSearched", "searched"),
        ("BackupsExcluded", "excluded"),
    }
    assert coverage["yAxis"]["left"] == {"min": 0, "max": 100, "label": "%", "showUnits": False}


def test_each_verdict_that_there_is_has_its_colour(widgets: list[dict[str, Any]]) -> None:
    shown = [metric[metric.index("verdict") + 1] for metric in titled(widgets, "Reports by verdict")["metrics"]]

    assert shown == list(VERDICTS) == list(Verdict)


def test_reasons_are_found_by_themselves(widgets: list[dict[str, Any]]) -> None:
    ((found,),) = titled(widgets, "Why")["metrics"]

    assert found["expression"] == (
        'SEARCH(\'{SearchCoverage,reason,service} MetricName="BackupsExcluded" service="search-coverage"\', '
        "'Sum', 86400)"
    )
    assert found["label"] == "${PROP('Dim.reason')}"


def test_every_metric_of_ours_is_one_that_the_functions_write(widgets: list[dict[str, Any]]) -> None:
    used = {
        metric[1]
        for widget in widgets
        for metric in widget["properties"].get("metrics", [])
        if metric[0] == "SearchCoverage"
    }

    assert used == OURS


@pytest.mark.parametrize(("poll_minutes", "due"), [(1, 60), (15, 4)])
def test_sweeps_are_shown_beside_those_that_are_due(synthesise: Synthesise, poll_minutes: int, due: int) -> None:
    stack = synthesise(Settings(poll_minutes=poll_minutes))
    sweeps = titled(json.loads(stack.resource("Dashboard")["DashboardBody"])["widgets"], "Sweeps")

    assert sweeps["annotations"]["horizontal"] == [
        {"value": due, "label": "sweeps that are due", "yAxis": "left"},
    ]


def test_memory_comes_from_the_line_that_lambda_writes_into_each_log(widgets: list[dict[str, Any]]) -> None:
    for function, log in (("report", "ReporterReportLogs"), ("watch", "WatcherWatchLogs")):
        memory = titled(widgets, f"Memory of the {function} function")
        assert memory["query"].startswith(f"SOURCE '<{log}>' | filter @type = \"REPORT\"")


def test_both_functions_log_as_text_so_that_the_line_can_be_read(stack: SynthesisedStack) -> None:
    for function in stack.resources("AWS::Lambda::Function").values():
        assert function["LoggingConfig"].get("LogFormat", "Text") == "Text"
