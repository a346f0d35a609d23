"""The page that an operator opens first: does it work, what did it find, and what to look at if it does not."""

from typing import Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.log_queries import MOST_MEMORY
from infra.monitoring import Monitoring, our_metric
from infra.report_store import ReportStore
from infra.reporter import Reporter
from infra.settings import Settings
from infra.watcher import Watcher
from search_coverage.coverage.verdict import Verdict
from search_coverage.names import METRICS_NAMESPACE, REPORTS, SERVICE, Metric

SHOWN: Final = Duration.days(7)
"""As long as AWS knows a search job after its end: what is on the page can still be made good."""

A_DAY: Final = Duration.days(1)
"""What was found is looked at by the day: an account has a few search jobs a day, seldom more."""

AN_HOUR: Final = Duration.hours(1)
"""How the product works is looked at by the hour: finer, a week has more points than a screen."""

VERDICTS: Final = {Verdict.COMPLETE: "#2ca02c", Verdict.PARTIAL: "#ff7f0e", Verdict.NONE: "#d62728"}
"""The verdicts, and the colours they have on the report's page: green, orange, red."""

WIDTH: Final = 24
"""Columns of a CloudWatch dashboard."""

HEIGHT: Final = 6


class Dashboard(Construct):
    """The dashboard: first what to do and the alarms, then what was found, then how the product works.

    Attributes:
        name: The dashboard's name, given by CloudFormation.
        url: Its address in the console, of the partition `aws`; elsewhere, look for the name in that console.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        store: ReportStore,
        reporter: Reporter,
        watcher: Watcher,
        monitoring: Monitoring,
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=SHOWN,
            period_override=cloudwatch.PeriodOverride.INHERIT,  # the periods are part of the titles
            widgets=[
                [_first_of_all(store, reporter, watcher), _alarms(monitoring)],
                [_coverage(), _verdicts()],
                [_reasons(), _waiting()],
                [_sweeps(settings), _failures(reporter, watcher)],
                [_queues(reporter, watcher), _duration(reporter, watcher)],
                [
                    _memory("Memory of the report function, the most of an hour", reporter.function.log_group),
                    _memory("Memory of the watch function, the most of an hour", watcher.function.log_group),
                ],
            ],
        )
        self.name = dashboard.dashboard_name
        self.url = f"{_console('cloudwatch')}#dashboards/dashboard/{self.name}"


def _console(service: str) -> str:
    return f"https://{Aws.REGION}.console.aws.amazon.com/{service}/home?region={Aws.REGION}"


def _function_url(function: lambda_.Function) -> str:
    return f"{_console('lambda')}#/functions/{function.function_name}?tab=monitoring"


def _first_of_all(store: ReportStore, reporter: Reporter, watcher: Watcher) -> cloudwatch.TextWidget:
    bucket = f"https://{Aws.REGION}.console.aws.amazon.com/s3/buckets/{store.bucket.bucket_name}"
    return cloudwatch.TextWidget(
        markdown=f"""\
## What to look at first
1. **An alarm is red?** Its description says what happened and names its section of the runbook, docs/operations.md. \
[All alarms]({_console("cloudwatch")}#alarmsV2:)
2. **Is the watch alive?** *Sweeps* should be a flat line. If not: [watch function]({_function_url(watcher.function)})
3. **Does a report stay away?** *Search jobs that wait for a report* should fall back to 0. If not: \
[report function]({_function_url(reporter.function)}), [queues]({_console("sqs/v3")}#/queues), and the saved queries \
of [Logs Insights]({_console("cloudwatch")}#logsV2:logs-insights)
4. **All is well, but coverage is low?** That is about your backups: *Why backups were left out* says why, \
[the reports]({bucket}?region={Aws.REGION}&prefix={REPORTS}) say which and what to do
""",
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _alarms(monitoring: Monitoring) -> cloudwatch.AlarmStatusWidget:
    return cloudwatch.AlarmStatusWidget(title="Alarms", alarms=monitoring.alarms, width=WIDTH // 2, height=HEIGHT)


def _coverage() -> cloudwatch.GraphWidget:
    """Show the share of the backups that were searched.

    Not of those listed: what a search does not even list is excluded as well, and would not lower that share.
    """
    counts = {
        "searched": our_metric(Metric.BACKUPS_SEARCHED, period=A_DAY),
        "excluded": our_metric(Metric.BACKUPS_EXCLUDED, period=A_DAY),
    }
    return cloudwatch.GraphWidget(
        title="Coverage: backups that were searched, % of all that should have been, a day",
        left=[
            cloudwatch.MathExpression(
                expression="100 * searched / (searched + excluded)",
                using_metrics=counts,
                label="searched",
                period=A_DAY,
            )
        ],
        left_y_axis=cloudwatch.YAxisProps(min=0, max=100, label="%", show_units=False),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _verdicts() -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title="Reports by verdict, a day",
        stacked=True,
        left=[
            our_metric(Metric.REPORTS, period=A_DAY, label=verdict.value, color=color, verdict=verdict.value)
            for verdict, color in VERDICTS.items()
        ],
        left_y_axis=_count_of("reports"),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _reasons() -> cloudwatch.GraphWidget:
    """Show each reason that occurred: the search finds them by themselves, also one that a later version adds."""
    of_ours = f"{{{METRICS_NAMESPACE},reason,service}}"
    service = f'service="{SERVICE}"'
    return cloudwatch.GraphWidget(
        title="Why backups were left out, backups a day",
        stacked=True,
        left=[
            cloudwatch.MathExpression(
                expression=(
                    f"SEARCH('{of_ours} MetricName=\"{Metric.BACKUPS_EXCLUDED}\" {service}', "
                    f"'Sum', {A_DAY.to_seconds():.0f})"
                ),
                using_metrics={},
                label="${PROP('Dim.reason')}",
                period=A_DAY,
            )
        ],
        left_y_axis=_count_of("backups"),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _waiting() -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title="Search jobs that wait for a report",
        left=[
            our_metric(
                Metric.SEARCH_JOBS_UNREPORTED, period=AN_HOUR, statistic=cloudwatch.Stats.MAXIMUM, label="all, at most"
            ),
            our_metric(
                Metric.SEARCH_JOBS_OVERDUE,
                period=AN_HOUR,
                statistic=cloudwatch.Stats.MAXIMUM,
                label="for more than an hour, at most",
                color=VERDICTS[Verdict.NONE],
            ),
        ],
        left_y_axis=_count_of("search jobs"),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _sweeps(settings: Settings) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title="Sweeps that looked for search jobs that ended, an hour",
        left=[
            our_metric(Metric.SWEEPS, period=AN_HOUR, label="sweeps"),
            our_metric(Metric.SEARCH_JOBS_ANNOUNCED, period=AN_HOUR, label="search jobs that they announced"),
        ],
        left_annotations=[
            cloudwatch.HorizontalAnnotation(value=60 / settings.poll_minutes, label="sweeps that are due")
        ],
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _failures(reporter: Reporter, watcher: Watcher) -> cloudwatch.GraphWidget:
    report, watch = reporter.function, watcher.function
    total = cloudwatch.Stats.SUM
    return cloudwatch.GraphWidget(
        title="What went wrong, an hour",
        left=[
            report.metric_errors(period=AN_HOUR, statistic=total, label="tries of a report that failed"),
            watch.metric_errors(period=AN_HOUR, statistic=total, label="sweeps that failed"),
            report.metric_throttles(period=AN_HOUR, statistic=total, label="reports that Lambda had no room for"),
            watch.metric_throttles(period=AN_HOUR, statistic=total, label="sweeps that Lambda had no room for"),
            report.metric("AsyncEventsDropped", period=AN_HOUR, statistic=total, label="events that Lambda gave up"),
            cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": reporter.rule.rule_name},
                period=AN_HOUR,
                statistic=total,
                label="events that EventBridge gave up",
            ),
        ],
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _queues(reporter: Reporter, watcher: Watcher) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title="Messages in the queues that should be empty",
        left=[
            queue.metric_approximate_number_of_messages_visible(
                period=AN_HOUR, statistic=cloudwatch.Stats.MAXIMUM, label=label
            )
            for queue, label in (
                (reporter.failure_queue, "failure queue"),
                (reporter.rule_dead_letter_queue, "dead-letter queue of the rule"),
                (watcher.schedule_dead_letter_queue, "dead-letter queue of the schedule"),
            )
        ],
        left_y_axis=_count_of("messages"),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _duration(reporter: Reporter, watcher: Watcher) -> cloudwatch.GraphWidget:
    """Show how long the functions ran; both are stopped at their time-out, the lines in the picture.

    Lambda's own metric is in milliseconds, and people wait in seconds.
    """
    return cloudwatch.GraphWidget(
        title="Duration, the longest of an hour",
        left=[
            cloudwatch.MathExpression(
                expression=f"{name} / 1000",
                using_metrics={
                    name: function.metric_duration(period=AN_HOUR, statistic=cloudwatch.Stats.MAXIMUM),
                },
                label=f"{name} function",
                period=AN_HOUR,
            )
            for name, function in (("report", reporter.function), ("watch", watcher.function))
        ],
        left_y_axis=cloudwatch.YAxisProps(min=0, label="seconds", show_units=False),
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _memory(title: str, log_group: logs.ILogGroup) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[log_group.log_group_name],
        query_string=MOST_MEMORY,
        view=cloudwatch.LogQueryVisualizationType.LINE,
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _count_of(what: str) -> cloudwatch.YAxisProps:
    return cloudwatch.YAxisProps(min=0, label=what, show_units=False)
