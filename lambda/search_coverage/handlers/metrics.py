"""The CloudWatch metrics, written to the log in the embedded metric format. Never a search job's id as a dimension."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from search_coverage.names import Metric

if TYPE_CHECKING:  # each function loads its own use case, not the other's
    from search_coverage.use_cases.report_search_job import Outcome
    from search_coverage.use_cases.sweep_search_jobs import Sweep

_BACKUPS = {
    "listed": Metric.BACKUPS_LISTED,
    "searched": Metric.BACKUPS_SEARCHED,
    "excluded": Metric.BACKUPS_EXCLUDED,
    "failed": Metric.BACKUPS_FAILED,
}


def count_report(metrics: Metrics, outcome: "Outcome") -> None:
    """Count a report that was made: its backups, why some were excluded, its duration, and its verdict.

    ``ReportsIncomplete`` is 1 for any verdict but COMPLETE, so that an alarm needs no list of the others.
    """
    for member, metric in _BACKUPS.items():
        metrics.add_metric(metric, MetricUnit.Count, outcome.event_detail["backups"][member])
    metrics.add_metric(Metric.REPORT_DURATION, MetricUnit.Seconds, outcome.seconds)
    metrics.add_metric(Metric.REPORTS_INCOMPLETE, MetricUnit.Count, int(not outcome.is_complete))
    metrics.flush_metrics()
    _count_one_of(Metric.REPORTS, 1, metrics, verdict=outcome.event_detail["verdict"])
    for reason, count in outcome.excluded_by_reason.items():  # a closed list
        _count_one_of(Metric.BACKUPS_EXCLUDED, count, metrics, reason=reason)


def count_sweep(metrics: Metrics, sweep: "Sweep") -> None:
    """Count a sweep that came to its end, and what it found."""
    metrics.add_metric(Metric.SWEEPS, MetricUnit.Count, 1)
    metrics.add_metric(Metric.SEARCH_JOBS_UNREPORTED, MetricUnit.Count, sweep.unreported)
    metrics.add_metric(Metric.SEARCH_JOBS_ANNOUNCED, MetricUnit.Count, sweep.announced)
    metrics.add_metric(Metric.SEARCH_JOBS_OVERDUE, MetricUnit.Count, sweep.overdue)
    metrics.flush_metrics()


def _count_one_of(name: str, count: int, metrics: Metrics, **kind: str) -> None:
    """Count under one more dimension, which a metric of the same blob cannot have."""
    with single_metric(name, MetricUnit.Count, count, namespace=metrics.namespace) as metric:
        for dimension, value in {"service": metrics.service, **kind}.items():
            metric.add_dimension(dimension, value)
