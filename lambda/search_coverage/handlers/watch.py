"""The watch function: AWS sends no event when a search job ends, so this one looks every minute, and sends it."""

import gc

gc.disable()  # loading makes next to no garbage, but looking for it takes a tenth of a cold start

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from search_coverage.aws import clients
from search_coverage.aws.announcements import Announcements
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.event_bus import EventBus
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.handlers.environment import WatchEnvironment
from search_coverage.handlers.failures import logging_failures
from search_coverage.handlers.metrics import count_sweep
from search_coverage.names import METRICS_NAMESPACE, SERVICE, SWEEP_DONE
from search_coverage.use_cases.sweep_search_jobs import SweepSearchJobs


class SweepIncomplete(SearchCoverageError):
    """The sweep did what it could; the operator has to know what it could not."""


environment = WatchEnvironment.read(os.environ)
logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace=METRICS_NAMESPACE)
sweep_search_jobs = SweepSearchJobs(
    search=BackupSearch(clients.backup_search()),
    bucket=ReportBucket(clients.s3(), environment.report_bucket),
    announcements=Announcements(clients.dynamodb(), environment.idempotency_table),
    bus=EventBus(clients.events(), environment.event_bus_name),
    statuses=environment.search_job_statuses,
    now=lambda: datetime.now(UTC),
)

gc.freeze()  # what is loaded by now stays
gc.enable()


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Sweep the search jobs once.

    Returns:
        How many search jobs are ``known``, ``ended``, ``unreported`` and ``announced`` just now.

    Raises:
        SweepIncomplete: The sweep came to its end, but something is left over; the next one tries again.
        AwsCallFailed: AWS did not do what it was asked.
    """
    logger.remove_keys(["function_arn"])  # it names the account, and function_name says the same
    with logging_failures(logger):
        sweep = sweep_search_jobs.run(lambda: context.get_remaining_time_in_millis() / 1000)
        count_sweep(metrics, sweep)
        if sweep.left_over:
            raise SweepIncomplete(" ".join(sweep.left_over))
        counts = asdict(sweep)
        del counts["left_over"]
        logger.info(SWEEP_DONE, **counts)
        del counts["overdue"]  # for the alarm, not for the caller
        return counts
