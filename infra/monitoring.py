"""Who is told, and when, if the product itself does not do its work."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from infra.alerts import Alerts
from infra.dead_letters import DeadLetterQueue
from infra.reporter import Reporter
from infra.settings import Settings
from infra.watcher import Watcher
from search_coverage.names import METRICS_NAMESPACE, SERVICE, Metric

ERROR_PERIOD: Final = Duration.minutes(5)
"""A report that failed is retried after one and two minutes: its errors fall into one or two periods, one mail."""

QUEUE_PERIOD: Final = Duration.minutes(5)
"""SQS reports the length of a queue every minute, and up to 15 minutes late for a queue that was idle."""

RUNBOOK: Final = "docs/operations.md"

SWEEPS_LOOKED_AT: Final = 5
SWEEPS_FAILED: Final = 3
"""One sweep may fail without harm, the next does its work; three of five is no accident."""

THROTTLED_PERIODS: Final = 3
"""A burst is throttled by its own limit, and Lambda hands it over bit by bit. A report takes 15 minutes at most: if
after three periods of five there is still no room, something else is wrong."""

SILENT_MINUTES: Final = 15
SILENT_SWEEPS: Final = 3
"""How long the watch function may say nothing, and how many sweeps that are at least. For as long every sweep has to
see an overdue search job: after an outage, the first sweep sees many, and a few minutes later they have their reports.
"""


class Monitoring(Construct):
    """The alarm topic and the alarms.

    An alarm says in its description what happened and which section of docs/operations.md says what to do. It tells
    when it starts and when it is over. An alarm looks at one metric: most mean something for themselves, and the
    embedded AWS knows no others.

    The silence alarm takes missing data as silence, since a watch that never ran looks no other way. So it starts once
    at the first deployment, before the first sweep; it is made after the schedule, which keeps that short
    (docs/decisions/0008-silence-is-an-alarm-from-the-start.md).

    Attributes:
        topic: The topic of the alarms, encrypted with the key of the alerts.
        alarms: All alarms, the most urgent first.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        alerts: Alerts,
        reporter: Reporter,
        watcher: Watcher,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self,
            "Topic",
            display_name="Search Coverage alarms",
            master_key=alerts.key,
            enforce_ssl=True,
        )
        self._let_cloudwatch_publish(alerts)
        for address in settings.alarm_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))

        self.alarms: list[cloudwatch.Alarm] = []
        patience = max(SILENT_MINUTES, SILENT_SWEEPS * settings.poll_minutes)
        self._silence_alarm(patience, watcher)
        self._overdue_alarm(patience)
        self._report_alarms(reporter)
        self._watch_alarm(settings, watcher)
        self._queue_alarms(reporter, watcher)
        self._loss_alarms(reporter)
        if settings.alarm_on_incomplete:
            self._incomplete_alarm()

    def _silence_alarm(self, minutes: int, watcher: Watcher) -> None:
        """Tell when no sweep succeeded for a while, whatever the cause: nothing else would notice that."""
        alarm = self._alarm(
            "WatchSilent",
            our_metric(Metric.SWEEPS, period=Duration.minutes(minutes)),
            f"No sweep succeeded for {minutes} minutes: search jobs that end are not noticed. See whether the "
            "schedule is enabled and the watch function runs",
            section="The watch is silent",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        alarm.node.add_dependency(watcher.schedule)

    def _overdue_alarm(self, minutes: int) -> None:
        """Tell when a report stays away, whatever the cause: what all other alarms are about in the end."""
        self._alarm(
            "ReportOverdue",
            our_metric(
                Metric.SEARCH_JOBS_OVERDUE, period=Duration.minutes(minutes), statistic=cloudwatch.Stats.MINIMUM
            ),
            "A search job ended more than an hour ago and still has no report, or SNS did not take its messages; AWS "
            "forgets its list 7 days after its end. See why it fails, and run it again",
            section="A search job has no report for an hour",
        )

    def _report_alarms(self, reporter: Reporter) -> None:
        self._alarm(
            "ReportErrors",
            reporter.function.metric_errors(period=ERROR_PERIOD, statistic=cloudwatch.Stats.SUM),
            "A report could not be written; Lambda tries it twice more, then it goes to the failure queue. "
            "Look at the report function's log",
            section="A report failed",
        )
        self._alarm(
            "ReportThrottles",
            reporter.function.metric_throttles(period=ERROR_PERIOD, statistic=cloudwatch.Stats.SUM),
            "Lambda has had no room for the report function for a quarter of an hour: reports come late, and are "
            "given up after six hours. See what uses up the concurrency",
            section="Reports are throttled",
            evaluation_periods=THROTTLED_PERIODS,
            datapoints_to_alarm=THROTTLED_PERIODS,
        )

    def _watch_alarm(self, settings: Settings, watcher: Watcher) -> None:
        self._alarm(
            "WatchErrors",
            watcher.function.metric_errors(
                period=Duration.minutes(settings.poll_minutes), statistic=cloudwatch.Stats.SUM
            ),
            f"At least {SWEEPS_FAILED} of the last {SWEEPS_LOOKED_AT} sweeps failed, so that search jobs that end are "
            "not noticed; once sweeps succeed again they catch up by themselves. Look at the watch function's log",
            section="Sweeps fail",
            evaluation_periods=SWEEPS_LOOKED_AT,
            datapoints_to_alarm=SWEEPS_FAILED,
        )

    def _queue_alarms(self, reporter: Reporter, watcher: Watcher) -> None:
        """Tell when a queue that should be empty is not; each stays on until the queue is emptied."""
        self._alarm(
            "FailureQueueNotEmpty",
            _length(reporter.failure_queue),
            "A report failed for good, or waited for more than six hours. Read the message in the failure queue, "
            "remove the cause and run the report again",
            section="A message in the failure queue",
        )
        self._alarm(
            "RuleDeadLetterQueueNotEmpty",
            _length(reporter.rule_dead_letter_queue),
            "EventBridge could not hand an event to the report function. The next sweeps announce the search job "
            "again; find out why",
            section="A message in the dead-letter queue of the rule",
        )
        self._alarm(
            "ScheduleDeadLetterQueueNotEmpty",
            _length(watcher.schedule_dead_letter_queue),
            "EventBridge Scheduler could not start a sweep. If it does not start the next ones either, reports stay "
            "away",
            section="A message in the dead-letter queue of the schedule",
        )

    def _loss_alarms(self, reporter: Reporter) -> None:
        """Tell when an event was given up, and when it could not even be kept.

        The queues' alarms do not replace these: they stay on while a first message lies there and say nothing of a
        second, and a queue that is not there is never full. Names and dimensions:
        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html (the rule's name alone stands for
        the default bus).
        """
        self._alarm(
            "ReportEventsDropped",
            reporter.function.metric("AsyncEventsDropped", period=ERROR_PERIOD, statistic=cloudwatch.Stats.SUM),
            "Lambda gave up an event for the report function, after all its tries or after six hours. It is in the "
            "failure queue; the next sweeps announce the search job again",
            section="An event was given up",
        )
        self._alarm(
            "ReportFailuresNotKept",
            reporter.function.metric(
                "DestinationDeliveryFailures", period=ERROR_PERIOD, statistic=cloudwatch.Stats.SUM
            ),
            "Lambda gave up an event for the report function and could not put it into the failure queue either. "
            "Repair the queue or the permission; the next sweeps announce the search job again",
            section="A failure could not be kept",
        )
        self._alarm(
            "RuleEventsNotKept",
            cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="InvocationsFailedToBeSentToDlq",
                dimensions_map={"RuleName": reporter.rule.rule_name},
                period=ERROR_PERIOD,
                statistic=cloudwatch.Stats.SUM,
            ),
            "EventBridge could not hand an event to the report function and could not put it into its dead-letter "
            "queue either. Repair the queue or its policy; the next sweeps announce the search job again",
            section="A failure could not be kept",
        )

    def _incomplete_alarm(self) -> None:
        """Tell of any report that is not COMPLETE, for who wants this where all other alarms are."""
        self._alarm(
            "ReportIncomplete",
            our_metric(Metric.REPORTS_INCOMPLETE, period=ERROR_PERIOD),
            "A search job did not look at all backups, or it is in doubt whether it did. Read the report",
            section="A report is not COMPLETE",
            tells_when_over=False,  # five minutes later it is "over", and not one backup more was searched
        )

    def _alarm(  # noqa: PLR0913  # an alarm has that many parts
        self,
        construct_id: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        section: str,
        evaluation_periods: int = 1,
        datapoints_to_alarm: int = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        missing_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        tells_when_over: bool = True,
    ) -> cloudwatch.Alarm:
        """Make an alarm with the threshold one that mails when it starts and, as a rule, when it ends."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=f"{description}: {RUNBOOK}, section '{section}'.",
            threshold=1,
            comparison_operator=comparison,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            treat_missing_data=missing_data,
        )
        alarm.add_alarm_action(SnsAction(self.topic))
        if tells_when_over:
            alarm.add_ok_action(SnsAction(self.topic))
        self.alarms.append(alarm)
        return alarm

    def _let_cloudwatch_publish(self, alerts: Alerts) -> None:
        """Let CloudWatch use the topic and its key, for alarms of this account only.

        A topic whose policy is written down has no longer the default one that lets the account's alarms in, and
        without the key an alarm is lost silently
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).
        """
        alarms = Stack.of(self).format_arn(service="cloudwatch", resource="alarm:*")
        of_this_account: Mapping[str, Mapping[str, str]] = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": alarms},
        }
        cloudwatch_service = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[cloudwatch_service],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=of_this_account,
            )
        )
        alerts.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[cloudwatch_service],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )


def _length(queue: DeadLetterQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=QUEUE_PERIOD, statistic=cloudwatch.Stats.MAXIMUM)


def our_metric(
    name: str,
    *,
    period: Duration,
    statistic: str = cloudwatch.Stats.SUM,
    label: str | None = None,
    color: str | None = None,
    **dimensions: str,
) -> cloudwatch.Metric:
    """Give a metric that the functions write to their logs (`search_coverage/handlers/metrics.py`).

    Args:
        name: The metric's name.
        period: What one data point stands for.
        statistic: How the values of a period become one.
        label: What people read in its place.
        color: In hexadecimal digits, with `#`.
        **dimensions: On top of the service's name: `verdict` or `reason`.
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
