"""The CloudWatch metrics, written to the log in the embedded metric format. Never a search job's id as a dimension."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
    _count_one_of(Metric.REPORTS, 1, metrics, MetricUnit.Count, {"verdict": outcome.event_detail["verdict"]})
    for reason, count in outcome.excluded_by_reason.items():  # a closed list
        _count_one_of(Metric.BACKUPS_EXCLUDED, count, metrics, MetricUnit.Count, {"reason": reason})


def count_sweep(metrics: Metrics, sweep: "Sweep") -> None:
    """Count a sweep that came to its end, and what it found."""
    metrics.add_metric(Metric.SWEEPS, MetricUnit.Count, 1)
    metrics.add_metric(Metric.SEARCH_JOBS_UNREPORTED, MetricUnit.Count, sweep.unreported)
    metrics.add_metric(Metric.SEARCH_JOBS_ANNOUNCED, MetricUnit.Count, sweep.announced)
    metrics.add_metric(Metric.SEARCH_JOBS_OVERDUE, MetricUnit.Count, sweep.overdue)
    metrics.flush_metrics()


def count_posture(metrics: Metrics, summary: Mapping[str, Any]) -> None:
    """Count a posture, and if it is COMPLETE the backups in it, in all and by resource type.

    ``Postures`` is 0 for a posture that is PARTIAL, so that an alarm misses the whole one. Shares of nothing are left
    out.
    """
    is_complete = summary["status"] == "COMPLETE"
    metrics.add_metric(Metric.POSTURES, MetricUnit.Count, int(is_complete))
    metrics.flush_metrics()
    if not is_complete:
        return
    _count_backups(metrics, summary["backups"], summary["sources"]["newestShare"], {})
    for kind, of_kind in summary["byResourceType"].items():
        _count_backups(metrics, of_kind, of_kind["newestShare"], {"resourceType": kind})


def _count_backups(
    metrics: Metrics, backups: Mapping[str, Any], newest_share: float | None, kind: Mapping[str, str]
) -> None:
    for name, value, unit in (
        (Metric.BACKUPS_SEARCHABLE, backups["searchable"], MetricUnit.Count),
        (Metric.BACKUPS_NOT_SEARCHABLE, backups["notSearchable"], MetricUnit.Count),
        (Metric.SEARCHABLE_SHARE, backups["share"], MetricUnit.Percent),
        (Metric.NEWEST_SEARCHABLE_SHARE, newest_share, MetricUnit.Percent),
    ):
        if value is not None:
            _count_one_of(name, value, metrics, unit, kind)


def count_failed_index(metrics: Metrics) -> None:
    """Count an index that failed."""
    metrics.add_metric(Metric.INDEXES_FAILED, MetricUnit.Count, 1)
    metrics.flush_metrics()


def _count_one_of(name: str, value: float, metrics: Metrics, unit: MetricUnit, kind: Mapping[str, str]) -> None:
    """Count under one more dimension, which a metric of the same blob cannot have."""
    with single_metric(name, unit, value, namespace=metrics.namespace) as metric:
        for dimension, of_kind in {"service": metrics.service, **kind}.items():
            metric.add_dimension(dimension, of_kind)
