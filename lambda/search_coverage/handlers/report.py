"""The report function: a search job has ended, so its report is made and told."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from search_coverage import METRICS_NAMESPACE, SERVICE
from search_coverage.aws import clients
from search_coverage.aws.alerts_topic import AlertsTopic
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.event_bus import EventBus
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.verdict import Inventory, InventoryStatus
from search_coverage.handlers.environment import ReportEnvironment
from search_coverage.handlers.metrics import count_report
from search_coverage.handlers.once import Once
from search_coverage.handlers.report_request import ReportRequest
from search_coverage.use_cases.report_search_job import ReportSearchJob

environment = ReportEnvironment.read(os.environ)
logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace=METRICS_NAMESPACE)
reporting = ReportSearchJob(
    search=BackupSearch(clients.backup_search()),
    bucket=ReportBucket(clients.s3(), environment.report_bucket),
    topic=AlertsTopic(clients.sns(), environment.alerts_topic_arn),
    bus=EventBus(clients.events(), environment.event_bus_name),
    notify_on=environment.notify_on,
    inventory=(
        Inventory(InventoryStatus.UNAVAILABLE, "this version cannot compare the list with the vaults yet")
        if environment.inventory
        else Inventory(InventoryStatus.OFF)
    ),
    now=lambda: datetime.now(UTC),
)


once = Once(clients.dynamodb(), environment.idempotency_table)


@logger.inject_lambda_context(correlation_id_path="id", clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the report of the search job that the event names.

    Args:
        event: A "Search Job State Change", or ``{"searchJobIdentifier": "<uuid>", "replay": false}``.

    Returns:
        What the event "Search Coverage Report Created" carries, and whether the report was ``created`` just now.
    """
    try:
        request = ReportRequest.parse(event)
        logger.append_keys(search_job_id=request.identifier)
        done = once.run(request.identifier, lambda: _report(request, context), context, again=request.replay)
    except SearchCoverageError as error:
        logger.error(str(error), error=type(error).__name__)
        raise
    logger.info("report done", verdict=done["verdict"], report_created=done["created"], backups=done["backups"])
    return done


def _report(request: ReportRequest, context: LambdaContext) -> dict[str, Any]:
    outcome = reporting.run(
        request.identifier,
        replay=request.replay,
        request_id=context.aws_request_id,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    if outcome.created:
        count_report(metrics, outcome)
    return {**outcome.news, "created": outcome.created}
