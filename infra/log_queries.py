"""Queries over the logs of the functions for troubleshooting, saved in CloudWatch Logs Insights."""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_logs as logs
from constructs import Construct

PLACE_OF_THE_SEARCH_JOB: Final = "11111111-2222-3333-4444-555555555555"
"""A person replaces it with the identifier of a search job."""

A_SEARCH_JOB: Final = f"""\
# Replace the identifier with that of the search job, and choose a time range from its end until now.
fields @timestamp, level, message, search_job_id, verdict, error, function_name, @log
| filter @message like "{PLACE_OF_THE_SEARCH_JOB}"
| sort @timestamp asc
| limit 1000"""

FAILED_REPORTS: Final = """\
# The failed attempts; a report has up to three. An attempt can have two lines: ours names the search job, and
# Lambda's has the traceback.
fields @timestamp, search_job_id, coalesce(error, errorType) as error_type, coalesce(message, errorMessage, @message)
    as what_failed, coalesce(function_request_id, requestId) as request
| filter level = "ERROR"
    or @message like /^\\[ERROR\\]|Traceback \\(most recent call last\\)|Task timed out|Runtime exited|Runtime\\.\\w+/
| sort @timestamp desc
| limit 200"""

SLOWEST_REPORTS: Final = """\
# Lambda's line has the duration, ours has the search job; both have the request.
fields coalesce(function_request_id, @requestId) as request
| filter @type = "REPORT" or ispresent(search_job_id)
| stats max(@duration / 1000) as seconds, max(@maxMemoryUsed / 1000 / 1000) as memory_MB,
    sortsLast(search_job_id) as search_job by request
| sort seconds desc
| limit 50"""

MOST_MEMORY: Final = """\
filter @type = "REPORT"
| stats max(@maxMemoryUsed / 1000 / 1000) as used_MB, max(@memorySize / 1000 / 1000) as allowed_MB by bin(1h)"""
"""Lambda reports the memory of an invocation in the log only; it has no metric for it."""


class LogQueries(Construct):
    """The saved queries, in a folder with the name of the stack."""

    def __init__(
        self, scope: Construct, construct_id: str, *, report_log: logs.ILogGroup, watch_log: logs.ILogGroup
    ) -> None:
        super().__init__(scope, construct_id)
        for resource, name, query, log_groups in (
            ("SearchJob", "What happened to a search job", A_SEARCH_JOB, (watch_log, report_log)),
            ("FailedReports", "Failed reports", FAILED_REPORTS, (report_log,)),
            ("SlowestReports", "Slowest reports", SLOWEST_REPORTS, (report_log,)),
        ):
            # The higher-level construct takes a query in parts, and writes them in its own order.
            logs.CfnQueryDefinition(
                self,
                resource,
                name=f"{Aws.STACK_NAME}/{name}",
                query_string=query,
                log_group_names=[log_group.log_group_name for log_group in log_groups],
            )
