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
from infra.python_function import POWERTOOLS
from infra.reporter import Reporter
from infra.settings import Settings
from infra.watcher import Watcher

ERROR_PERIOD: Final = Duration.minutes(5)
"""A report that failed is retried after one and two minutes: its errors fall into one or two periods, one mail."""

QUEUE_PERIOD: Final = Duration.minutes(5)
"""SQS reports the length of a queue every minute, and up to 15 minutes late for a queue that was idle."""

SWEEPS_LOOKED_AT: Final = 5
SWEEPS_FAILED: Final = 3
"""One sweep may fail without harm, the next does its work; three of five is no accident."""

SILENT_MINUTES: Final = 15
SILENT_SWEEPS: Final = 3
"""How long the watch function may say nothing, and how many sweeps that are at least."""


class Monitoring(Construct):
    """The alarm topic and the alarms.

    An alarm says in its description what happened and which section of docs/operations.md says what to do. It tells
    when it starts and when it is over. The silence alarm may start once right after the first deployment, before the
    first sweep: CloudWatch cannot tell "not yet" from "no longer".

    Attributes:
        topic: The topic of the alarms, encrypted with the key of the alerts.
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

        self._alarm(
            "ReportErrors",
            reporter.function.metric_errors(period=ERROR_PERIOD, statistic=cloudwatch.Stats.SUM),
            "A report could not be written; Lambda tries it twice more, then it goes to the failure queue. "
            "Look at the report function's log: docs/operations.md, section 'A report failed'.",
        )
        self._alarm(
            "WatchErrors",
            watcher.function.metric_errors(
                period=Duration.minutes(settings.poll_minutes), statistic=cloudwatch.Stats.SUM
            ),
            f"At least {SWEEPS_FAILED} of the last {SWEEPS_LOOKED_AT} sweeps failed, so that search jobs that end are "
            "not noticed; once sweeps succeed again they catch up by themselves. Look at the watch function's log: "
            "docs/operations.md, section 'Sweeps fail'.",
            evaluation_periods=SWEEPS_LOOKED_AT,
            datapoints_to_alarm=SWEEPS_FAILED,
        )
        self._queue_alarm(
            "FailureQueueNotEmpty",
            reporter.failure_queue,
            "A report failed for good, or waited for more than six hours. Read the message in the failure queue, "
            "remove the cause and run the report again: docs/operations.md, section 'A message in the failure queue'.",
        )
        self._queue_alarm(
            "RuleDeadLetterQueueNotEmpty",
            reporter.rule_dead_letter_queue,
            "EventBridge could not hand an event to the report function. The next sweeps announce the search job "
            "again; find out why: docs/operations.md, section 'A message in the dead-letter queue of the rule'.",
        )
        self._queue_alarm(
            "ScheduleDeadLetterQueueNotEmpty",
            watcher.schedule_dead_letter_queue,
            "EventBridge Scheduler could not start a sweep. If it does not start the next ones either, reports stay "
            "away: docs/operations.md, section 'A message in the dead-letter queue of the schedule'.",
        )
        self._silence_alarm(max(SILENT_MINUTES, SILENT_SWEEPS * settings.poll_minutes))

    def _queue_alarm(self, construct_id: str, queue: DeadLetterQueue, description: str) -> None:
        """Tell when a queue that should be empty is not."""
        metric = queue.metric_approximate_number_of_messages_visible(
            period=QUEUE_PERIOD, statistic=cloudwatch.Stats.MAXIMUM
        )
        self._alarm(construct_id, metric, description)

    def _silence_alarm(self, minutes: int) -> None:
        """Tell when no sweep succeeded for a while, whatever the cause: nothing else would notice that."""
        self._alarm(
            "WatchSilent",
            cloudwatch.Metric(
                namespace=POWERTOOLS["POWERTOOLS_METRICS_NAMESPACE"],
                metric_name="Sweeps",
                dimensions_map={"service": POWERTOOLS["POWERTOOLS_SERVICE_NAME"]},
                period=Duration.minutes(minutes),
                statistic=cloudwatch.Stats.SUM,
            ),
            f"No sweep succeeded for {minutes} minutes: search jobs that end are not noticed. See whether the "
            "schedule is enabled and the watch function runs: docs/operations.md, section 'The watch is silent'.",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _alarm(  # noqa: PLR0913  # an alarm has that many parts
        self,
        construct_id: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        evaluation_periods: int = 1,
        datapoints_to_alarm: int = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        missing_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Make an alarm with the threshold one that mails when it starts and when it ends."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=description,
            threshold=1,
            comparison_operator=comparison,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            treat_missing_data=missing_data,
        )
        alarm.add_alarm_action(SnsAction(self.topic))
        alarm.add_ok_action(SnsAction(self.topic))

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
