"""The alarms: who is notified, and when, if the product itself does not work."""

import math
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
from infra.metrics import our_metric, rule_metric
from infra.poster import Poster
from infra.reporter import Reporter
from infra.settings import Settings
from infra.watcher import Watcher
from search_coverage.names import Metric

FIVE_MINUTES: Final = Duration.minutes(5)
"""A report that failed is retried after one and two minutes: its errors fall into one or two periods, one mail. SQS
reports the length of a queue every minute, and up to 15 minutes late for a queue that was idle."""

A_DAY: Final = Duration.days(1)
AN_HOUR: Final = Duration.hours(1)

_SUM: Final = cloudwatch.Stats.SUM

RUNBOOK: Final = "docs/operations.md"

SWEEPS_CHECKED: Final = 5
SWEEPS_FAILED: Final = 3
"""One sweep may fail without harm, because the next one does its work; three of five need attention."""

THROTTLED_PERIODS: Final = 3
"""Lambda throttles a burst by design, and invokes the function bit by bit. A report takes 15 minutes at most: if there
is no room after three periods of five, something else is wrong."""

SILENT_MINUTES: Final = 15
SILENT_SWEEPS: Final = 3
"""How long the watch function may be silent: this time, and at least this many sweeps. A report is overdue only if each
sweep of this time finds it: after an outage the first sweep finds many, which have their reports minutes later."""


class Monitoring(Construct):
    """The alarm topic and the alarms.

    The description of an alarm says what happened and which section of docs/operations.md says what to do. An alarm
    notifies when it starts and when it ends. It watches one metric, because the embedded AWS of the tests supports no
    others.

    The silence alarm treats missing data as silence, because a watch that never ran has no data. So it starts once at
    the first deployment, before the first sweep; it is created after the schedule, which keeps that time short
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
        poster: Poster | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self, "Topic", display_name="Search Coverage alarms", master_key=alerts.key, enforce_ssl=True
        )
        self._allow_cloudwatch_to_publish(alerts)
        for address in settings.alarm_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))

        self.alarms: list[cloudwatch.Alarm] = []
        self._add_sweep_alarms(settings, watcher)
        self._add_report_alarms(reporter)
        self._add_watch_alarm(settings, watcher)
        self._add_queue_alarms(reporter, watcher)
        self._add_loss_alarms(reporter)
        if poster:
            self._add_posture_alarms(settings, poster)
        if settings.alarm_on_incomplete:
            self._alarm(
                "ReportIncomplete",
                our_metric(Metric.REPORTS_INCOMPLETE, period=FIVE_MINUTES),
                "A search job did not look at all backups, or it is in doubt whether it did. Read the report",
                section="A report is not COMPLETE",
                notifies_at_end=False,  # the alarm ends after five minutes, and no more backups are searched by then
            )

    def _add_sweep_alarms(self, settings: Settings, watcher: Watcher) -> None:
        """Add the alarms that notice every failure in the end: no sweep, or no report."""
        minutes = max(SILENT_MINUTES, SILENT_SWEEPS * settings.poll_minutes)
        period = Duration.minutes(minutes)
        silence = self._alarm(
            "WatchSilent",
            our_metric(Metric.SWEEPS, period=period),
            f"No sweep succeeded for {minutes} minutes: search jobs that end are not noticed. Check that the schedule "
            "is enabled and that the watch function runs",
            section="The watch is silent",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        silence.node.add_dependency(watcher.schedule)
        self._alarm(
            "ReportOverdue",
            our_metric(Metric.SEARCH_JOBS_OVERDUE, period=period, statistic=cloudwatch.Stats.MINIMUM),
            "A search job ended more than an hour ago and still has no report, or SNS did not accept its messages; AWS "
            "deletes its list 7 days after its end. Find out why the report fails, and run it again",
            section="A search job has no report for an hour",
        )

    def _add_report_alarms(self, reporter: Reporter) -> None:
        self._alarm(
            "ReportErrors",
            reporter.function.metric_errors(period=FIVE_MINUTES, statistic=_SUM),
            "A report could not be written. Lambda retries it twice, then sends it to the failure queue. Look at the "
            "log of the report function",
            section="A report failed",
        )
        self._alarm(
            "ReportThrottles",
            reporter.function.metric_throttles(period=FIVE_MINUTES, statistic=_SUM),
            "Lambda has throttled the report function for a quarter of an hour: reports come late, and are dropped "
            "after six hours. Find out what uses up the concurrency",
            section="Reports are throttled",
            failed=THROTTLED_PERIODS,
            of_periods=THROTTLED_PERIODS,
        )

    def _add_watch_alarm(self, settings: Settings, watcher: Watcher) -> None:
        period = Duration.minutes(settings.poll_minutes)
        self._alarm(
            "WatchErrors",
            watcher.function.metric_errors(period=period, statistic=_SUM),
            f"At least {SWEEPS_FAILED} of the last {SWEEPS_CHECKED} sweeps failed: search jobs that end are not "
            "noticed. The next sweep that succeeds catches up. Look at the log of the watch function",
            section="Sweeps fail",
            failed=SWEEPS_FAILED,
            of_periods=SWEEPS_CHECKED,
        )

    def _add_queue_alarms(self, reporter: Reporter, watcher: Watcher) -> None:
        """Add an alarm per queue that should be empty; it stays on until the queue is empty."""
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
            "EventBridge could not deliver an event to the report function. The next sweeps announce the search job "
            "again. Find out why",
            section="A message in the dead-letter queue of the rule",
        )
        self._alarm(
            "ScheduleDeadLetterQueueNotEmpty",
            _length(watcher.schedule_dead_letter_queue),
            "EventBridge Scheduler could not start a sweep. If it does not start the next ones either, there are no "
            "reports",
            section="A message in the dead-letter queue of the schedule",
        )

    def _add_loss_alarms(self, reporter: Reporter) -> None:
        """Add the alarms for an event that was dropped, and for one that no queue could keep.

        The alarms of the queues do not replace these: they stay on for the first message and ignore a second, and a
        queue that does not exist is never full. Names and dimensions:
        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html (the name of the rule alone means
        the default bus).
        """
        self._alarm(
            "ReportEventsDropped",
            reporter.function.metric("AsyncEventsDropped", period=FIVE_MINUTES, statistic=_SUM),
            "Lambda dropped an event for the report function, after all retries or after six hours. The event is in "
            "the failure queue; the next sweeps announce the search job again",
            section="An event was given up",
        )
        self._alarm(
            "ReportFailuresNotKept",
            reporter.function.metric("DestinationDeliveryFailures", period=FIVE_MINUTES, statistic=_SUM),
            "Lambda dropped an event for the report function and could not send it to the failure queue. Repair the "
            "queue or the permission; the next sweeps announce the search job again",
            section="A failure could not be kept",
        )
        self._alarm(
            "RuleEventsNotKept",
            rule_metric(reporter.rule, "InvocationsFailedToBeSentToDlq", period=FIVE_MINUTES),
            "EventBridge could not deliver an event to the report function, nor send it to the dead-letter queue. "
            "Repair the queue or its policy; the next sweeps announce the search job again",
            section="A failure could not be kept",
        )

    def _add_posture_alarms(self, settings: Settings, poster: Poster) -> None:
        """Add the alarms of the posture.

        CloudWatch looks back for a week where a period is an hour or longer
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
        """
        period = min(poster.interval, A_DAY, key=Duration.to_seconds)
        periods = math.ceil(2 * poster.interval.to_seconds() / period.to_seconds())
        missing = self._alarm(
            "PostureMissing",
            our_metric(Metric.POSTURES, period=period),
            "There was no whole posture for two intervals: it is not known which backups a search could look into. "
            "Look at the log of the posture function, and at the problems in its last summary",
            section="There is no whole posture",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing_data=cloudwatch.TreatMissingData.BREACHING,
            failed=periods,
            of_periods=periods,
        )
        missing.node.add_dependency(poster.schedule)
        self._alarm(
            "PostureErrors",
            poster.function.metric_errors(period=FIVE_MINUTES, statistic=_SUM),
            "The posture could not be taken, its mail could not be sent, or a failed index could not be recorded. "
            "Lambda retries it twice; then the next posture is the retry. Look at the log of the posture function",
            section="A posture failed",
        )
        self._alarm(
            "PostureDeadLetterQueueNotEmpty",
            _length(poster.dead_letter_queue),
            "EventBridge could not hand over to the posture function: its schedule, or an event about an index that "
            "failed. The next posture sees what was missed. Find out why",
            section="A message in the dead-letter queue of the posture",
        )
        if settings.searchable_target:
            self._alarm(
                "SearchableTargetMissed",
                our_metric(Metric.NEWEST_SEARCHABLE_SHARE, period=AN_HOUR, statistic=cloudwatch.Stats.MINIMUM),
                f"Of less than {settings.searchable_target} % of the sources, the newest backup can be searched. Read "
                "the posture: it says what helps most",
                section="The target is missed",
                threshold=settings.searchable_target,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                missing_data=cloudwatch.TreatMissingData.IGNORE,  # between two postures the state stays
            )

    def _alarm(  # noqa: PLR0913  # an alarm has that many parts
        self,
        construct_id: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        section: str,
        failed: int = 1,
        of_periods: int = 1,
        threshold: float = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        missing_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        notifies_at_end: bool = True,
    ) -> cloudwatch.Alarm:
        """Add an alarm that notifies when it starts and, by default, when it ends."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=f"{description}: {RUNBOOK}, section '{section}'.",
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=of_periods,
            datapoints_to_alarm=failed,
            treat_missing_data=missing_data,
        )
        alarm.add_alarm_action(SnsAction(self.topic))
        if notifies_at_end:
            alarm.add_ok_action(SnsAction(self.topic))
        self.alarms.append(alarm)
        return alarm

    def _allow_cloudwatch_to_publish(self, alerts: Alerts) -> None:
        """Allow CloudWatch to use the topic and its key, for alarms of this account only.

        A topic with a policy of its own does not have the default policy that admits the alarms of the account, and
        CloudWatch loses an alarm silently if it cannot use the key
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).
        """
        this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        alarms = {"ArnLike": {"aws:SourceArn": Stack.of(self).format_arn(service="cloudwatch", resource="alarm:*")}}
        self.topic.add_to_resource_policy(
            _to_cloudwatch(["sns:Publish"], on=self.topic.topic_arn, conditions={**this_account, **alarms})
        )
        alerts.key.add_to_resource_policy(  # in the policy of a key, * is this key
            _to_cloudwatch(["kms:Decrypt", "kms:GenerateDataKey*"], on="*", conditions=this_account)
        )


def _to_cloudwatch(actions: list[str], *, on: str, conditions: Mapping[str, Mapping[str, str]]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="AlarmsOfThisAccount",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=actions,
        resources=[on],
        conditions=conditions,
    )


def _length(queue: DeadLetterQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic=cloudwatch.Stats.MAXIMUM)
