"""What an operator finds in Logs Insights: a query for each question of a bad day."""

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
