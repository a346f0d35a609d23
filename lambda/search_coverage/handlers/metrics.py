"""The CloudWatch metrics, written to the log in the embedded metric format. Never a search job's id as a dimension."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:  # each function loads its own use case, not the other's
    from search_coverage.use_cases.report_search_job import Outcome
    from search_coverage.use_cases.sweep_search_jobs import Sweep


def count_report(metrics: Metrics, outcome: "Outcome") -> None:
    """Count a report that was made: its backups, its duration, and one report of its verdict."""
    for name, count in outcome.news["backups"].items():
        metrics.add_metric(f"Backups{name.capitalize()}", MetricUnit.Count, count)
    metrics.add_metric("ReportDuration", MetricUnit.Seconds, outcome.seconds)
    metrics.flush_metrics()
    with single_metric("Reports", MetricUnit.Count, 1, namespace=metrics.namespace) as reports:
        reports.add_dimension("service", metrics.service)
        reports.add_dimension("verdict", outcome.news["verdict"])


def count_sweep(metrics: Metrics, sweep: "Sweep") -> None:
    """Count a sweep that came to its end, and what it found."""
    metrics.add_metric("Sweeps", MetricUnit.Count, 1)
    metrics.add_metric("SearchJobsUnreported", MetricUnit.Count, sweep.unreported)
    metrics.add_metric("SearchJobsAnnounced", MetricUnit.Count, sweep.announced)
    metrics.flush_metrics()
