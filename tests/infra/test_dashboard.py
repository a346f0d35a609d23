"""What an operator sees first, and that every number on it is one that the functions publish."""

import json
import re
from typing import Any

import pytest

from infra.dashboard import VERDICTS, WIDTH
from search_coverage.coverage.verdict import Verdict
from search_coverage.names import Metric
from tests.infra.conftest import SynthesizedStack
from tests.infra.test_monitoring import ALARMS

SWEEPS = {Metric.SWEEPS, Metric.SEARCH_JOBS_UNREPORTED, Metric.SEARCH_JOBS_ANNOUNCED, Metric.SEARCH_JOBS_OVERDUE}
POSTURES = {
    Metric.NEWEST_SEARCHABLE_SHARE,
    Metric.SEARCHABLE_SHARE,
    Metric.BACKUPS_NOT_SEARCHABLE,
    Metric.INDEXES_FAILED,
}
OURS = SWEEPS | POSTURES | {Metric.BACKUPS_SEARCHED, Metric.BACKUPS_EXCLUDED, Metric.REPORTS}
"""Metrics that tests/integration compares with what the functions publish."""

TITLES = [
    "Alarms",
    "Coverage: backups that were searched, % of all that should have been, per day",
    "Reports by verdict, per day",
    "Why backups were left out, backups per day",
    "Search jobs that wait for a report",
    "Backups that a search could look into, % per day",
    "Backups that cannot be searched, and indexes that failed, per day",
    "Sweeps for search jobs that ended, per hour",
    "Failures, per hour",
    "Messages in the queues that should be empty",
    "Duration, the longest per hour",
    "Memory of the report function, the most per hour",
    "Memory of the watch function, the most per hour",
    "Memory of the posture function, the most per hour",
]

Widgets = list[dict[str, Any]]


def widgets_of(stack: SynthesizedStack) -> Widgets:
    found: Widgets = json.loads(stack.resource("Dashboard")["DashboardBody"])["widgets"]
    return found


@pytest.fixture(scope="module")
def widgets(stack: SynthesizedStack) -> Widgets:
    return widgets_of(stack)


def titled(widgets: Widgets, title: str) -> dict[str, Any]:
    """Return the properties of the widget whose title begins like this."""
    (found,) = [w["properties"] for w in widgets if w["properties"].get("title", "").startswith(title)]
    assert isinstance(found, dict)
    return found


def metrics_of(widgets: Widgets) -> list[list[Any]]:
    return [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]


def test_the_first_row_says_what_to_look_at_and_shows_all_alarms(widgets: Widgets) -> None:
    text, alarms = widgets[:2]
    links = re.findall(r"\]\(([^)]+)\)", text["properties"]["markdown"])

    assert text["properties"]["markdown"].startswith("## What to look at first")
    assert len(links) == 6
    assert all(link.startswith("https://<AWS::Region>.console.aws.amazon.com/") for link in links)
    assert alarms["type"] == "alarm"
    assert {arn.strip("<>").removesuffix(".Arn") for arn in alarms["properties"]["alarms"]} == {
        f"Monitoring{alarm.name}" for alarm in ALARMS
    }


def test_every_widget_has_a_title_and_fills_half_a_row(widgets: Widgets) -> None:
    assert [widget["properties"]["title"] for widget in widgets[1:]] == TITLES
    assert {widget["width"] for widget in widgets} == {WIDTH // 2}


def test_every_line_has_a_name_for_people(widgets: Widgets) -> None:
    for metric in metrics_of(widgets):
        assert metric[-1].get("visible") is False or metric[-1]["label"], metric


def test_every_metric_of_ours_is_one_that_the_functions_publish(widgets: Widgets) -> None:
    assert {metric[1] for metric in metrics_of(widgets) if metric[0] == "SearchCoverage"} == OURS


def test_coverage_counts_backups_that_a_search_did_not_list(widgets: Widgets) -> None:
    coverage = titled(widgets, "Coverage")

    assert coverage["metrics"][0][0]["expression"] == "100 * searched / (searched + excluded)"
    assert {(metric[1], metric[-1]["id"]) for metric in coverage["metrics"][1:]} == {
        ("BackupsSearched", "searched"),
        ("BackupsExcluded", "excluded"),
    }
    assert coverage["yAxis"]["left"] == {"min": 0, "max": 100, "label": "%", "showUnits": False}


def test_each_verdict_has_its_color(widgets: Widgets) -> None:
    shown = [metric[metric.index("verdict") + 1] for metric in titled(widgets, "Reports by verdict")["metrics"]]

    assert shown == list(VERDICTS) == list(Verdict)


def test_an_expression_finds_every_reason(widgets: Widgets) -> None:
    ((found,),) = titled(widgets, "Why")["metrics"]

    assert found["expression"] == (
        'SEARCH(\'{SearchCoverage,reason,service} MetricName="BackupsExcluded" service="search-coverage"\', '
        "'Sum', 86400)"
    )
    assert found["label"] == "${PROP('Dim.reason')}"


def test_sweeps_are_shown_beside_those_that_are_due(stack: SynthesizedStack, changed_stack: SynthesizedStack) -> None:
    for any_stack, due in ((stack, 60), (changed_stack, 4)):
        annotations = titled(widgets_of(any_stack), "Sweeps")["annotations"]
        assert annotations["horizontal"] == [{"value": due, "label": "sweeps that are due", "yAxis": "left"}]


def test_memory_comes_from_the_line_that_lambda_writes_into_each_log_as_text(
    stack: SynthesizedStack, widgets: Widgets
) -> None:
    for function, log in (("report", "ReporterReportLogs"), ("watch", "WatcherWatchLogs")):
        memory = titled(widgets, f"Memory of the {function} function")
        assert memory["query"].startswith(f"SOURCE '<{log}>' | filter @type = \"REPORT\"")
    for each in stack.resources("AWS::Lambda::Function").values():
        assert each["LoggingConfig"].get("LogFormat", "Text") == "Text"
