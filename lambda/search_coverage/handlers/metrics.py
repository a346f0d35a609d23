"""The CloudWatch metrics, written to the log in the embedded metric format. Never a search job's id as a dimension."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:  # each function loads its own use case, not the other's
    from search_coverage.use_cases.report_search_job import Outcome
    from search_coverage.use_cases.sweep_search_jobs import Sweep


def count_report(metrics: Metrics, outcome: "Outcome") -> None:
    """Count a report that was made: its backups, why some were excluded, its duration, and its verdict.

    ``ReportsIncomplete`` is 1 for any verdict but COMPLETE, so that an alarm needs no list of the others.
    """
    for name, count in outcome.news["backups"].items():
        metrics.add_metric(f"Backups{name.capitalize()}", MetricUnit.Count, count)
    metrics.add_metric("ReportDuration", MetricUnit.Seconds, outcome.seconds)
    metrics.add_metric("ReportsIncomplete", MetricUnit.Count, int(not outcome.is_complete))
    metrics.flush_metrics()
    _count_one_of("Reports", 1, metrics, verdict=outcome.news["verdict"])
    for reason, count in outcome.excluded_by_reason.items():  # a closed list of twelve
        _count_one_of("BackupsExcluded", count, metrics, reason=reason)


def count_sweep(metrics: Metrics, sweep: "Sweep") -> None:
    """Count a sweep that came to its end, and what it found."""
    metrics.add_metric("Sweeps", MetricUnit.Count, 1)
    metrics.add_metric("SearchJobsUnreported", MetricUnit.Count, sweep.unreported)
    metrics.add_metric("SearchJobsAnnounced", MetricUnit.Count, sweep.announced)
    metrics.add_metric("SearchJobsOverdue", MetricUnit.Count, sweep.overdue)
    metrics.flush_metrics()


def _count_one_of(name: str, count: int, metrics: Metrics, **kind: str) -> None:
    """Count under a dimension more, which a metric of the same blob cannot have."""
    with single_metric(name, MetricUnit.Count, count, namespace=metrics.namespace) as metric:
        for dimension, value in {"service": metrics.service, **kind}.items():
            metric.add_dimension(dimension, value)
