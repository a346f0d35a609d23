"""Baseline "usual": the imports of a function that follows the tutorials. The benchmark puts it into a bundle.

All of Powertools that the tutorials show, a model of the event, tracing of every call, and the same clients as ours,
with the same limits. It answers at once: the benchmark measures its start.
"""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.parser import BaseModel, parse
from aws_lambda_powertools.utilities.parser.models import EventBridgeModel
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})


class SearchJobStateChange(BaseModel):
    """The detail of the event."""

    searchJobIdentifier: str  # noqa: N815  # as it is on the wire
    searchJobArn: str  # noqa: N815
    status: str


class StateChangeEvent(EventBridgeModel):
    """The event."""

    detail: SearchJobStateChange


logger = Logger(service="usual")
tracer = Tracer(service="usual")
metrics = Metrics(service="usual", namespace="Usual")
search = boto3.client("backupsearch", config=CONFIG)
s3 = boto3.client("s3", config=CONFIG)
sns = boto3.client("sns", config=CONFIG)
events = boto3.client("events", config=CONFIG)
dynamodb = boto3.client("dynamodb", config=CONFIG)
records = DynamoDBPersistenceLayer(table_name="idempotency", boto3_client=dynamodb)
idempotency = IdempotencyConfig(expires_after_seconds=3600)


@tracer.capture_lambda_handler
@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse the event if it is one, and answer."""
    metrics.add_metric("Invocations", MetricUnit.Count, 1)
    if "detail-type" in event:
        parse(event, StateChangeEvent)
    return {"ready": True}
