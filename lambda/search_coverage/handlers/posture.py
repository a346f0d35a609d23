"""The posture function: which backups a search could look into, before anyone starts one."""

import gc

gc.disable()  # loading makes next to no garbage, but looking for it takes a tenth of a cold start

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from search_coverage.aws import clients
from search_coverage.aws.alerts_topic import AlertsTopic
from search_coverage.aws.backup_plans import BackupPlans
from search_coverage.aws.backup_vaults import BackupVaults
from search_coverage.aws.event_bus import EventBus
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.aws.report_lease import ReportLeases
from search_coverage.aws.snapshots import Snapshots
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.scope_request import scope_of
from search_coverage.handlers.environment import PostureEnvironment
from search_coverage.handlers.failures import logging_failures
from search_coverage.handlers.metrics import count_failed_index, count_posture
from search_coverage.handlers.posture_request import IndexEvent, PreflightRequest, parse
from search_coverage.handlers.report_request import foreign_event
from search_coverage.names import METRICS_NAMESPACE, POSTURE_DONE, SERVICE
from search_coverage.report.posture.mail import posture_message
from search_coverage.report.posture.page import page
from search_coverage.use_cases.index_failures import FailedIndexes
from search_coverage.use_cases.ports import ReportInProgress
from search_coverage.use_cases.posture_mail import PostureMail
from search_coverage.use_cases.preflight import Preflight
from search_coverage.use_cases.take_posture import Place, TakePosture


def _now() -> datetime:
    return datetime.now(UTC)


environment = PostureEnvironment.read(os.environ)
logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace=METRICS_NAMESPACE)
_backup = clients.backup()
_bucket = ReportBucket(clients.s3(), environment.report_bucket)
take_posture = TakePosture(
    vaults=BackupVaults(_backup, reads_ahead=False),
    plans=BackupPlans(_backup),
    store=_bucket,
    leases=ReportLeases(clients.dynamodb(), environment.idempotency_table, subject="the"),
    mail=PostureMail(
        store=_bucket,
        topic=AlertsTopic(clients.sns(), environment.alerts_topic_arn),
        mail_on=environment.posture_mail,
        write=posture_message,
        now=_now,
    ),
    bus=EventBus(clients.events(), environment.event_bus_name),
    page=page,
    target=environment.searchable_target,
    now=_now,
)
preflight = Preflight(lambda: take_posture.vaults, lambda: Snapshots(clients.ec2()), _now)

gc.freeze()  # what is loaded by now stays
gc.enable()


@logger.inject_lambda_context(correlation_id_path="id", clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take the posture, record that an index failed, or say what a search would miss.

    Args:
        event: ``{"posture": {}}``, a "Recovery Point Index State Change" of AWS Backup, or
            ``{"preflight": {"searchScope": {...}}}`` with a SearchScope as StartSearchJob takes it.

    Returns:
        For a posture the detail of the event "Searchability Report Created", and whether it was ``created`` just now,
        or ``inProgress``. For an event whether it was ``recorded``. For a preflight its answer.
    """
    logger.remove_keys(["function_arn"])  # it names the account, and function_name says the same
    with logging_failures(logger):
        if foreign := foreign_event(event, context.invoked_function_arn):
            logger.warning(foreign)
            return {"ignored": True}
        request, here = parse(event, _now()), Arn.parse(context.invoked_function_arn)

        def seconds_left() -> float:
            return context.get_remaining_time_in_millis() / 1000

        if isinstance(request, IndexEvent):
            return _record(request, here)
        if isinstance(request, PreflightRequest):
            scope = scope_of(request.search_scope)
            return preflight.run(scope, here.account, here.region, seconds_left()).as_json()
        return _take(Place(here.account, here.region, here.partition), context.aws_request_id, seconds_left)


def _take(place: Place, request_id: str, seconds_left: Callable[[], float]) -> dict[str, Any]:
    try:
        outcome = take_posture.run(place, request_id, seconds_left)
    except ReportInProgress as error:
        if error.request_id == request_id:
            raise
        logger.info("posture in progress: another invocation takes it")
        return {"created": False, "inProgress": True}
    if outcome.created:
        count_posture(metrics, outcome.summary)
    logger.info(POSTURE_DONE, posture_created=outcome.created, **outcome.event_detail)
    if outcome.pending:
        raise outcome.pending
    return {**outcome.event_detail, "created": outcome.created}


def _record(event: IndexEvent, here: Arn) -> dict[str, Any]:
    if event.failure is None:
        return {"recorded": False}
    FailedIndexes(take_posture.store, here.account, here.region).record(event.failure, event.at, event.event_id)
    count_failed_index(metrics)
    logger.warning("index failed", recovery_point_arn=event.failure.recovery_point_arn, why=event.failure.message)
    return {"recorded": True}
