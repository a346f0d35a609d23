"""The report function: a search job has ended, so make its report."""

import gc

gc.disable()  # loading makes next to no garbage, but looking for it takes a tenth of a cold start

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from search_coverage.aws import clients
from search_coverage.aws.alerts_topic import AlertsTopic
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.event_bus import EventBus
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.aws.report_lease import ReportLeases
from search_coverage.aws.search_results import SearchResults
from search_coverage.aws.sent_digests import SentDigests
from search_coverage.coverage.search_job import SearchJob
from search_coverage.handlers.environment import ReportEnvironment
from search_coverage.handlers.failures import logging_failures
from search_coverage.handlers.metrics import count_report
from search_coverage.handlers.report_request import ReportRequest, foreign_event
from search_coverage.names import METRICS_NAMESPACE, REPORT_DONE, SERVICE
from search_coverage.use_cases.keep_results import KeepResults
from search_coverage.use_cases.no_inventory import NoInventory
from search_coverage.use_cases.notifier import Notifier
from search_coverage.use_cases.ports import ReportInProgress
from search_coverage.use_cases.report_search_job import ReportSearchJob

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient
    from mypy_boto3_s3 import S3Client

    from search_coverage.aws.backup_vaults import BackupVaults
    from search_coverage.aws.snapshots import Snapshots
    from search_coverage.use_cases.take_inventory import InventoryOfScope


def _now() -> datetime:
    return datetime.now(UTC)


def _take_inventory(job: SearchJob, folder: Path, seconds: float) -> "InventoryOfScope":
    """Take the inventory; what that needs is loaded with the first report, and not at every start."""
    from search_coverage.use_cases.take_inventory import TakeInventory  # noqa: PLC0415

    return TakeInventory(_backup_vaults, _snapshots, _now).run(job, folder, seconds)


@cache
def _backup_vaults() -> "BackupVaults":
    from search_coverage.aws.backup_vaults import BackupVaults  # noqa: PLC0415

    return BackupVaults(clients.backup())


@cache
def _snapshots() -> "Snapshots":
    from search_coverage.aws.snapshots import Snapshots  # noqa: PLC0415

    return Snapshots(clients.ec2())


def _keep_results(search: "BackupSearchClient", s3: "S3Client", bucket: str | None, at_most: int) -> KeepResults | None:
    return KeepResults(SearchResults(search), ReportBucket(s3, bucket), at_most) if bucket else None


environment = ReportEnvironment.read(os.environ)
logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace=METRICS_NAMESPACE)
_backup_search, _dynamodb, _s3 = clients.backup_search(), clients.dynamodb(), clients.s3()
report_search_job = ReportSearchJob(
    search=BackupSearch(_backup_search),
    bucket=ReportBucket(_s3, environment.report_bucket),
    leases=ReportLeases(_dynamodb, environment.idempotency_table),
    notifier=Notifier(
        topic=AlertsTopic(clients.sns(), environment.alerts_topic_arn),
        sent=SentDigests(_dynamodb, environment.idempotency_table),
        notify_on=environment.notify_on,
        bucket=environment.report_bucket,
    ),
    bus=EventBus(clients.events(), environment.event_bus_name),
    take_inventory=_take_inventory if environment.inventory else NoInventory,
    keep_results=_keep_results(_backup_search, _s3, environment.results_bucket, environment.max_results),
    keep_item_filters=environment.keep_item_filters,
    now=_now,
)

gc.freeze()  # what is loaded by now stays
gc.enable()


@logger.inject_lambda_context(correlation_id_path="id", clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the report of the search job that the event names.

    Args:
        event: A "Search Job State Change", or ``{"searchJobIdentifier": "<uuid>", "replay": false}``.

    Returns:
        The detail of the event "Search Coverage Report Created", and whether the report was ``created`` just now. If
        another invocation is making it: ``inProgress``. If the event is of another account or Region: ``ignored``.
    """
    logger.remove_keys(["function_arn"])  # it names the account, and function_name says the same
    with logging_failures(logger):
        if foreign := foreign_event(event, context.invoked_function_arn):
            logger.warning(foreign)
            return {"ignored": True}
        request = ReportRequest.parse(event)
        logger.append_keys(search_job_id=request.identifier)
        try:
            outcome = report_search_job.run(
                request.identifier,
                replay=request.replay,
                request_id=context.aws_request_id,
                seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
            )
        except ReportInProgress as error:
            if request.replay or error.request_id == context.aws_request_id:
                raise
            # That request has retries of its own, and the sweep asks again as long as there is no report.
            logger.info("report in progress: another invocation is making it")
            return {"searchJobIdentifier": request.identifier, "created": False, "inProgress": True}
        if outcome.created:
            count_report(metrics, outcome)
        detail = outcome.event_detail
        logger.info(REPORT_DONE, verdict=detail["verdict"], report_created=outcome.created, backups=detail["backups"])
        if outcome.pending:
            raise outcome.pending
        return {**detail, "created": outcome.created}
