"""The functions' modules, imported anew as at a cold start, and the metrics that they print."""

import importlib
import json
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from search_coverage.names import METRICS_NAMESPACE, SERVICE, Variable
from tests.invocation import ACCOUNT, REGION

ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": SERVICE,
    "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
    Variable.REPORT_BUCKET: "reports-bucket",
    Variable.ALERTS_TOPIC_ARN: f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
    Variable.EVENT_BUS_NAME: "default",
    Variable.IDEMPOTENCY_TABLE: "idempotency",
    Variable.NOTIFY_ON: "EXCLUDED",
    Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED",
    Variable.POSTURE_MAIL: "ON_CHANGE",
}


def function(name: str, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str] = ENVIRONMENT) -> ModuleType:
    """Import a handler's module anew, as a cold start does."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    module = f"search_coverage.handlers.{name}"
    sys.modules.pop(module, None)
    return importlib.import_module(module)


def metrics_in(printed: str) -> list[dict[str, Any]]:
    """Return the blobs of metrics in what was printed."""
    return [json.loads(line) for line in printed.splitlines() if '"CloudWatchMetrics"' in line]
