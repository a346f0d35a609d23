"""The metrics that the alarms watch and the dashboard shows."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events

from search_coverage.names import METRICS_NAMESPACE, SERVICE


def our_metric(
    name: str,
    *,
    period: Duration,
    statistic: str = cloudwatch.Stats.SUM,
    label: str | None = None,
    color: str | None = None,
    **dimensions: str,
) -> cloudwatch.Metric:
    """Return a metric that the functions publish (`search_coverage/handlers/metrics.py`).

    Args:
        name: The name of the metric.
        period: The time of one data point.
        statistic: How the values of a period become one.
        label: What the dashboard shows instead of the name.
        color: In hexadecimal digits, with `#`.
        **dimensions: In addition to the name of the service: `verdict` or `reason`.
    """
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": SERVICE, **dimensions},
        period=period,
        statistic=statistic,
        label=label,
        color=color,
    )


def rule_metric(rule: events.IRule, name: str, *, period: Duration, label: str | None = None) -> cloudwatch.Metric:
    """Return a metric that EventBridge publishes about a rule."""
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name=name,
        dimensions_map={"RuleName": rule.rule_name},
        period=period,
        statistic=cloudwatch.Stats.SUM,
        label=label,
    )
