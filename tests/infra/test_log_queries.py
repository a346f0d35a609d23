"""What an operator finds in Logs Insights: a query for each question of an incident."""

import importlib
import json
import re

import pytest
from awslambdaric import bootstrap

from infra.log_queries import FAILED_REPORTS, PLACE_OF_THE_SEARCH_JOB
from tests.infra.conftest import SynthesizedStack

REPORT_LOG, WATCH_LOG = "<ReporterReportLogs>", "<WatcherWatchLogs>"


def test_there_is_a_query_for_each_question_in_a_folder_named_after_the_stack(stack: SynthesizedStack) -> None:
    saved = {query["Name"]: query for query in stack.resources("AWS::Logs::QueryDefinition").values()}

    assert {name: query["LogGroupNames"] for name, query in saved.items()} == {
        "<AWS::StackName>/What happened to a search job": [WATCH_LOG, REPORT_LOG],
        "<AWS::StackName>/Failed reports": [REPORT_LOG],
        "<AWS::StackName>/Slowest reports": [REPORT_LOG],
    }
    assert saved["<AWS::StackName>/Failed reports"]["QueryString"] == FAILED_REPORTS
    # The query for a search job says what to replace
    of_a_search_job = saved["<AWS::StackName>/What happened to a search job"]["QueryString"]
    assert of_a_search_job.startswith("# Replace the identifier")
    assert of_a_search_job.count(PLACE_OF_THE_SEARCH_JOB) == 1


class LogSink:
    """Receives the uncaught errors that Lambda's runtime logs."""

    def log_error(self, lines: list[str]) -> None:
        self.line = "\n".join(lines)


def is_failed_report(line: str) -> bool:
    """Whether the filter of the query matches a line of the log."""
    (pattern,) = re.findall(r"@message like /(.+)/", FAILED_REPORTS)
    level = json.loads(line).get("level") if line.startswith("{") else None
    return level == "ERROR" or re.search(pattern, line) is not None


@pytest.mark.parametrize("log_format", ["TEXT", "JSON"])
def test_the_query_for_failed_reports_finds_an_uncaught_error(log_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given what Lambda's own runtime logs of an exception
    with monkeypatch.context() as context:
        context.setenv("AWS_LAMBDA_LOG_FORMAT", log_format)
        runtime, sink = importlib.reload(bootstrap), LogSink()
        runtime.log_error(runtime.make_error("[Errno 5] Input/output error", "OSError", ["  File x\n"], "1-2-3"), sink)
    importlib.reload(bootstrap)

    assert "OSError" in sink.line
    assert is_failed_report(sink.line)
    for member in json.loads(sink.line) if log_format == "JSON" else []:
        assert member in FAILED_REPORTS or member in {"timestamp", "stackTrace"}


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        ("2026-11-21T09:00:00Z 1-2-3 Task timed out after 900.00 seconds", True),
        ("RequestId: 1-2-3 Error: Runtime exited with error: signal: killed", True),
        (json.dumps({"level": "ERROR", "message": "…"}), True),
        (json.dumps({"level": "INFO", "message": "report done"}), False),
        ("REPORT RequestId: 1 Duration: 1 ms", False),
    ],
)
def test_the_query_for_failed_reports_finds_no_report_that_was_written(line: str, *, failed: bool) -> None:
    assert is_failed_report(line) is failed
