"""What an operator finds in Logs Insights: a query for each question of a bad day."""

import json
import re

import pytest
from awslambdaric import bootstrap

from infra.log_queries import PLACE_OF_THE_SEARCH_JOB
from tests.infra.conftest import SynthesisedStack

REPORT_LOG, WATCH_LOG = "<ReporterReportLogs>", "<WatcherWatchLogs>"


def test_there_is_a_query_for_each_question_in_a_folder_named_after_the_stack(stack: SynthesisedStack) -> None:
    saved = {query["Name"]: query["LogGroupNames"] for query in stack.resources("AWS::Logs::QueryDefinition").values()}

    assert saved == {
        "<AWS::StackName>/What happened to a search job": [WATCH_LOG, REPORT_LOG],
        "<AWS::StackName>/Failed reports": [REPORT_LOG],
        "<AWS::StackName>/Slowest reports": [REPORT_LOG],
    }


def test_the_query_for_a_search_job_says_what_to_replace(stack: SynthesisedStack) -> None:
    query = stack.resource("LogQueriesSearchJob")["QueryString"]

    assert query.startswith("# Replace the identifier")
    assert query.count(PLACE_OF_THE_SEARCH_JOB) == 1


class LogSink:
    """Where Lambda's runtime writes the errors that nobody caught."""

    def log_error(self, lines: list[str]) -> None:
        self.line = "\n".join(lines)


def finds(query: str, line: str) -> bool:
    """Whether the query's filter finds a line of the log."""
    (pattern,) = re.findall(r"@message like /(.+)/", query)
    level = json.loads(line).get("level") if line.startswith("{") else None
    return level == "ERROR" or re.search(pattern, line) is not None


def raw_error(log_format: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give what Lambda's own runtime logs of an unhandled exception."""
    import importlib  # noqa: PLC0415

    with monkeypatch.context() as context:
        context.setenv("AWS_LAMBDA_LOG_FORMAT", log_format)
        runtime = importlib.reload(bootstrap)
        sink = LogSink()
        runtime.log_error(runtime.make_error("[Errno 5] Input/output error", "OSError", ["  File x\n"], "1-2-3"), sink)
    importlib.reload(bootstrap)
    return sink.line


@pytest.mark.parametrize("log_format", ["TEXT", "JSON"])
def test_the_query_for_failed_reports_finds_an_error_that_nobody_foresaw(
    stack: SynthesisedStack, log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = stack.resource("LogQueriesFailedReports")["QueryString"]
    line = raw_error(log_format, monkeypatch)

    assert "OSError" in line
    assert finds(query, line)
    for member in json.loads(line) if log_format == "JSON" else []:
        assert member in query or member in {"timestamp", "stackTrace"}


def test_the_query_for_failed_reports_finds_no_report_that_was_made(stack: SynthesisedStack) -> None:
    query = stack.resource("LogQueriesFailedReports")["QueryString"]

    assert finds(query, "2026-11-21T09:00:00Z 1-2-3 Task timed out after 900.00 seconds")
    assert finds(query, "RequestId: 1-2-3 Error: Runtime exited with error: signal: killed")
    assert finds(query, json.dumps({"level": "ERROR", "message": "…"}))
    for line in (json.dumps({"level": "INFO", "message": "report done"}), "REPORT RequestId: 1 Duration: 1 ms"):
        assert not finds(query, line)
