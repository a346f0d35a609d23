"""The dashboard: whether the product works, what it found, and where to look if something is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.log_queries import MOST_MEMORY
from infra.metrics import our_metric, rule_metric
from infra.monitoring import Monitoring
from infra.poster import Poster
from infra.report_store import ReportStore
from infra.reporter import Reporter
from infra.settings import Settings
from infra.watcher import Watcher
from search_coverage.coverage.verdict import Verdict
from search_coverage.names import METRICS_NAMESPACE, REPORTS, SERVICE, Metric

SHOWN: Final = Duration.days(7)
"""The time for which AWS keeps a search job after its end: everything shown can still be repaired."""

A_DAY: Final = Duration.days(1)
"""The period of what was found: an account has a few search jobs per day, seldom more."""

AN_HOUR: Final = Duration.hours(1)
"""The period of how the product works: with a shorter one, a week has more points than a screen."""

VERDICTS: Final = {Verdict.COMPLETE: "#2ca02c", Verdict.PARTIAL: "#ff7f0e", Verdict.NONE: "#d62728"}
"""The verdicts and their colors, as on the page of a report: green, orange, red."""

WIDTH: Final = 24
"""Columns of a CloudWatch dashboard; a widget fills half of them."""

_SIZE: Final[dict[str, Any]] = {"width": WIDTH // 2, "height": 6}
_MAXIMUM: Final = cloudwatch.Stats.MAXIMUM
_MINIMUM: Final = cloudwatch.Stats.MINIMUM
_SUM: Final = cloudwatch.Stats.SUM
_PERCENT: Final = cloudwatch.YAxisProps(min=0, max=100, label="%", show_units=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the dashboard shows."""

    settings: Settings
    store: ReportStore
    reporter: Reporter
    watcher: Watcher
    poster: Poster | None
    monitoring: Monitoring

    @property
    def functions(self) -> dict[str, lambda_.Function]:
        """The functions by what they do."""
        posture = {"posture": self.poster.function} if self.poster else {}
        return {"report": self.reporter.function, "watch": self.watcher.function, **posture}


class Dashboard(Construct):
    """The dashboard: first the alarms and what to do, then what was found, then how the product works.

    Attributes:
        name: The name of the dashboard, which CloudFormation generates.
        url: Its address in the console of the partition `aws`; in other partitions, look up the name in their console.
    """

    def __init__(self, scope: Construct, construct_id: str, shown: Shown) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=SHOWN,
            period_override=cloudwatch.PeriodOverride.INHERIT,  # the titles name the periods
            widgets=[
                [
                    _what_to_do(shown),
                    cloudwatch.AlarmStatusWidget(title="Alarms", alarms=shown.monitoring.alarms, **_SIZE),
                ],
                [_coverage(), _verdicts()],
                [_reasons(), _waiting()],
                *([[_searchable(shown.settings), _not_searchable()]] if shown.poster else []),
                [_sweeps(shown.settings), _failures(shown)],
                [_queues(shown), _duration(shown)],
                [_memory(name, function.log_group) for name, function in shown.functions.items()],
            ],
        )
        self.name = dashboard.dashboard_name
        self.url = f"{_console('cloudwatch')}#dashboards/dashboard/{self.name}"


def _graph(
    title: str, lines: Sequence[cloudwatch.IMetric], axis: cloudwatch.YAxisProps | str = "", **options: Any
) -> cloudwatch.GraphWidget:
    """Make a graph from 0 on; a text names what its axis counts."""
    if isinstance(axis, str):
        axis = cloudwatch.YAxisProps(min=0, label=axis or None, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=lines, left_y_axis=axis, **_SIZE, **options)


def _console(service: str) -> str:
    return f"https://{Aws.REGION}.console.aws.amazon.com/{service}/home?region={Aws.REGION}"


def _function_url(function: lambda_.Function) -> str:
    return f"{_console('lambda')}#/functions/{function.function_name}?tab=monitoring"


def _what_to_do(shown: Shown) -> cloudwatch.TextWidget:
    bucket = f"https://{Aws.REGION}.console.aws.amazon.com/s3/buckets/{shown.store.bucket.bucket_name}"
    report, watch = (_function_url(shown.functions[name]) for name in ("report", "watch"))
    return cloudwatch.TextWidget(
        markdown=f"""\
## What to look at first
1. **Is an alarm red?** Its description says what happened and names its section of the runbook, docs/operations.md. \
[All alarms]({_console("cloudwatch")}#alarmsV2:)
2. **Does the watch function run?** *Sweeps* should be a flat line. If not: [watch function]({watch})
3. **Is a report missing?** *Search jobs that wait for a report* should fall back to 0. If not: \
[report function]({report}), [queues]({_console("sqs/v3")}#/queues), and the saved queries of \
[Logs Insights]({_console("cloudwatch")}#logsV2:logs-insights)
4. **Is everything well, but coverage low?** That is about your backups: *Why backups were left out* says why, \
[the reports]({bucket}?region={Aws.REGION}&prefix={REPORTS}) say which and what to do
""",
        **_SIZE,
    )


def _coverage() -> cloudwatch.GraphWidget:
    """Show the share of the backups that were searched.

    Not the share of the listed backups: a backup that a search does not list is excluded, and would not lower it.
    """
    share = cloudwatch.MathExpression(
        expression="100 * searched / (searched + excluded)",
        using_metrics={
            "searched": our_metric(Metric.BACKUPS_SEARCHED, period=A_DAY),
            "excluded": our_metric(Metric.BACKUPS_EXCLUDED, period=A_DAY),
        },
        label="searched",
        period=A_DAY,
    )
    return _graph("Coverage: backups that were searched, % of all that should have been, per day", [share], _PERCENT)


def _verdicts() -> cloudwatch.GraphWidget:
    lines = [
        our_metric(Metric.REPORTS, period=A_DAY, label=verdict.value, color=color, verdict=verdict.value)
        for verdict, color in VERDICTS.items()
    ]
    return _graph("Reports by verdict, per day", lines, "reports", stacked=True)


def _reasons() -> cloudwatch.GraphWidget:
    """Show each reason that occurred: the expression also finds a reason that a later version adds."""
    dimensions = f"{{{METRICS_NAMESPACE},reason,service}}"
    metric = f'MetricName="{Metric.BACKUPS_EXCLUDED}" service="{SERVICE}"'
    found = cloudwatch.MathExpression(
        expression=f"SEARCH('{dimensions} {metric}', 'Sum', {A_DAY.to_seconds():.0f})",
        using_metrics={},
        label="${PROP('Dim.reason')}",
        period=A_DAY,
    )
    return _graph("Why backups were left out, backups per day", [found], "backups", stacked=True)


def _searchable(settings: Settings) -> cloudwatch.GraphWidget:
    """Show what a search could look into, by the postures."""
    lines = [
        our_metric(
            Metric.NEWEST_SEARCHABLE_SHARE, period=A_DAY, statistic=_MINIMUM, label="newest backup of each source"
        ),
        our_metric(Metric.SEARCHABLE_SHARE, period=A_DAY, statistic=_MINIMUM, label="all backups"),
    ]
    target = settings.searchable_target
    annotations = [cloudwatch.HorizontalAnnotation(value=target, label="target")] if target else []
    return _graph("Backups that a search could look into, % per day", lines, _PERCENT, left_annotations=annotations)


def _not_searchable() -> cloudwatch.GraphWidget:
    lines = [
        our_metric(
            Metric.BACKUPS_NOT_SEARCHABLE, period=A_DAY, statistic=_MAXIMUM, label="backups that cannot be searched"
        ),
        our_metric(Metric.INDEXES_FAILED, period=A_DAY, label="indexes that failed, as AWS reports them"),
    ]
    return _graph("Backups that cannot be searched, and indexes that failed, per day", lines, "backups")


def _waiting() -> cloudwatch.GraphWidget:
    lines = [
        our_metric(Metric.SEARCH_JOBS_UNREPORTED, period=AN_HOUR, statistic=_MAXIMUM, label="all, at most"),
        our_metric(
            Metric.SEARCH_JOBS_OVERDUE,
            period=AN_HOUR,
            statistic=_MAXIMUM,
            label="for more than an hour, at most",
            color=VERDICTS[Verdict.NONE],
        ),
    ]
    return _graph("Search jobs that wait for a report", lines, "search jobs")


def _sweeps(settings: Settings) -> cloudwatch.GraphWidget:
    lines = [
        our_metric(Metric.SWEEPS, period=AN_HOUR, label="sweeps"),
        our_metric(Metric.SEARCH_JOBS_ANNOUNCED, period=AN_HOUR, label="search jobs that they announced"),
    ]
    due = cloudwatch.HorizontalAnnotation(value=60 / settings.poll_minutes, label="sweeps that are due")
    return _graph("Sweeps for search jobs that ended, per hour", lines, left_annotations=[due])


def _failures(shown: Shown) -> cloudwatch.GraphWidget:
    report, watch = shown.reporter.function, shown.watcher.function
    lines = [
        report.metric_errors(period=AN_HOUR, statistic=_SUM, label="failed attempts of a report"),
        watch.metric_errors(period=AN_HOUR, statistic=_SUM, label="failed sweeps"),
        report.metric_throttles(period=AN_HOUR, statistic=_SUM, label="throttled reports"),
        watch.metric_throttles(period=AN_HOUR, statistic=_SUM, label="throttled sweeps"),
        report.metric("AsyncEventsDropped", period=AN_HOUR, statistic=_SUM, label="events that Lambda dropped"),
        rule_metric(shown.reporter.rule, "FailedInvocations", period=AN_HOUR, label="events that EventBridge dropped"),
    ]
    if shown.poster:
        lines.append(shown.poster.function.metric_errors(period=AN_HOUR, statistic=_SUM, label="failed postures"))
    return _graph("Failures, per hour", lines)


def _queues(shown: Shown) -> cloudwatch.GraphWidget:
    queues = {
        "failure queue": shown.reporter.failure_queue,
        "dead-letter queue of the rule": shown.reporter.rule_dead_letter_queue,
        "dead-letter queue of the schedule": shown.watcher.schedule_dead_letter_queue,
        **({"dead-letter queue of the posture": shown.poster.dead_letter_queue} if shown.poster else {}),
    }
    lines = [
        queue.metric_approximate_number_of_messages_visible(period=AN_HOUR, statistic=_MAXIMUM, label=label)
        for label, queue in queues.items()
    ]
    return _graph("Messages in the queues that should be empty", lines, "messages")


def _duration(shown: Shown) -> cloudwatch.GraphWidget:
    """Show how long the functions ran, in seconds; the metric of Lambda is in milliseconds."""
    lines = [
        cloudwatch.MathExpression(
            expression=f"{name} / 1000",
            using_metrics={name: function.metric_duration(period=AN_HOUR, statistic=_MAXIMUM)},
            label=f"{name} function",
            period=AN_HOUR,
        )
        for name, function in shown.functions.items()
    ]
    return _graph("Duration, the longest per hour", lines, "seconds")


def _memory(function: str, log_group: logs.ILogGroup) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=f"Memory of the {function} function, the most per hour",
        log_group_names=[log_group.log_group_name],
        query_string=MOST_MEMORY,
        view=cloudwatch.LogQueryVisualizationType.LINE,
        **_SIZE,
    )
