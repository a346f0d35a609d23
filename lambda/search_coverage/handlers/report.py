"""The report function: a search job has ended, so its report is made and told."""

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
from search_coverage.aws.report_lease import ReportInProgress, ReportLease, ReportLeases
from search_coverage.aws.sent_digests import SentDigests
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import SearchJob
from search_coverage.handlers import collect_garbage_from_now_on
from search_coverage.handlers.environment import ReportEnvironment
from search_coverage.handlers.metrics import count_report
from search_coverage.handlers.report_request import ReportRequest, foreign_event
from search_coverage.names import METRICS_NAMESPACE, REPORT_DONE, SERVICE
from search_coverage.use_cases.no_inventory import NoInventory
from search_coverage.use_cases.report_search_job import NotificationPending, ReportSearchJob

if TYPE_CHECKING:
    from search_coverage.aws.backup_vaults import BackupVaults
    from search_coverage.aws.snapshots import Snapshots
    from search_coverage.use_cases.take_inventory import InventoryOfScope


def _now() -> datetime:
    return datetime.now(UTC)


def _take_inventory(job: SearchJob, folder: Path, seconds: float) -> "InventoryOfScope":
    """Take the inventory; what that takes is made when the first report needs it, and not at every start."""
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


environment = ReportEnvironment.read(os.environ)
logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace=METRICS_NAMESPACE)
dynamodb = clients.dynamodb()
leases = ReportLeases(dynamodb, environment.idempotency_table)
reporting = ReportSearchJob(
    search=BackupSearch(clients.backup_search()),
    bucket=ReportBucket(clients.s3(), environment.report_bucket),
    topic=AlertsTopic(clients.sns(), environment.alerts_topic_arn),
    bus=EventBus(clients.events(), environment.event_bus_name),
    sent=SentDigests(dynamodb, environment.idempotency_table),
    notify_on=environment.notify_on,
    take_inventory=_take_inventory if environment.inventory else NoInventory,
    now=_now,
)

collect_garbage_from_now_on()


@logger.inject_lambda_context(correlation_id_path="id", clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the report of the search job that the event names.

    Args:
        event: A "Search Job State Change", or ``{"searchJobIdentifier": "<uuid>", "replay": false}``.

    Returns:
        What the event "Search Coverage Report Created" carries, and whether the report was ``created`` just now. If
        another invocation is making it, just that: ``inProgress``. If the event is of another account or Region, just
        that: ``ignored``.
    """
    logger.remove_keys(["function_arn"])  # it names the account, and function_name says the same
    if foreign := foreign_event(event, context.invoked_function_arn):
        logger.warning(foreign)
        return {"ignored": True}
    try:
        request = ReportRequest.parse(event)
        logger.append_keys(search_job_id=request.identifier)
        with leases.acquire(request.identifier, context.aws_request_id).kept() as lease:
            return _report(request, context, lease)
    except ReportInProgress as error:
        if not request.replay and error.request_id != context.aws_request_id:
            # That request has retries of its own, and the sweep asks again as long as there is no report.
            logger.info("report in progress: another invocation is making it")
            return {"searchJobIdentifier": request.identifier, "created": False, "inProgress": True}
        logger.error(str(error), error=type(error).__name__)
        raise
    except SearchCoverageError as error:
        logger.error(str(error), error=type(error).__name__)
        raise


def _report(request: ReportRequest, context: LambdaContext, lease: ReportLease) -> dict[str, Any]:
    outcome = reporting.run(
        request.identifier,
        replay=request.replay,
        request_id=context.aws_request_id,
        lease=lease,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    if outcome.created:
        count_report(metrics, outcome)
    news = outcome.news
    logger.info(REPORT_DONE, verdict=news["verdict"], report_created=outcome.created, backups=news["backups"])
    if outcome.pending:
        raise NotificationPending(request.identifier, outcome.pending)
    return {**news, "created": outcome.created}
