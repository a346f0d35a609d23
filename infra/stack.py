"""The stack: it wires the constructs and defines the outputs. It defines no other resource."""

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra.alerts import Alerts
from infra.analytics import Analytics
from infra.dashboard import Dashboard, Shown
from infra.log_queries import LogQueries
from infra.monitoring import Monitoring
from infra.poster import Poster
from infra.report_store import ReportStore
from infra.reporter import Reporter
from infra.results_store import ResultsStore
from infra.settings import Settings
from infra.watcher import Watcher
from search_coverage.names import SERVICE, STACK


class SecondStackError(ValueError):
    """The stack would get another name; the message is one sentence for the person who deploys it."""


class SearchCoverageStack(Stack):
    """Search Coverage in one account and Region, those of the credentials at deployment.

    An account has one stack per Region, which therefore has one name. A second stack would write its own reports of the
    same search jobs: it would receive the events of the first, publish to the same metrics, and start the same alarms.

    Raises:
        SecondStackError: The stack would get another name.
    """

    def __init__(self, scope: Construct, construct_id: str = STACK, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Search Coverage: what an AWS Backup search job did not look at, why, and what to do about it",
        )
        if self.stack_name != STACK:
            raise SecondStackError(
                f"The stack is named {STACK}, and not {self.stack_name}: an account has one in each Region, since "
                "the events, the metrics and the search jobs that it is about are the same for every stack there."
            )
        Tags.of(self).add("application", SERVICE)

        store = ReportStore(self, "ReportStore", settings=settings)
        results = ResultsStore(self, "ResultsStore", settings=settings) if settings.keep_results else None
        alerts = Alerts(self, "Alerts", settings=settings)
        analytics = Analytics(self, "Analytics", settings=settings, store=store, results=results)
        reporter = Reporter(self, "Reporter", settings=settings, store=store, results=results, alerts=alerts)
        watcher = Watcher(self, "Watcher", settings=settings, store=store, table=reporter.table)
        poster = (
            Poster(
                self,
                "Poster",
                settings=settings,
                rate=settings.posture_schedule,
                store=store,
                table=reporter.table,
                alerts=alerts,
            )
            if settings.posture_schedule
            else None
        )
        store.allow_postures_only_by(poster.role if poster else None)
        monitoring = Monitoring(
            self, "Monitoring", settings=settings, alerts=alerts, reporter=reporter, watcher=watcher, poster=poster
        )
        shown = Shown(settings, store, reporter, watcher, poster, monitoring)
        dashboard = Dashboard(self, "Dashboard", shown)
        LogQueries(self, "LogQueries", report_log=reporter.function.log_group, watch_log=watcher.function.log_group)
        self._outputs(
            ReportBucketName=store.bucket.bucket_name,
            AlertsTopicArn=alerts.topic.topic_arn,
            AlarmTopicArn=monitoring.topic.topic_arn,
            ReportFunctionName=reporter.function.function_name,
            WatchFunctionName=watcher.function.function_name,
            IdempotencyTableName=reporter.table.table_name,
            ScheduleName=watcher.schedule.schedule_name,
            FailureQueueUrl=reporter.failure_queue.queue_url,
            RuleDeadLetterQueueUrl=reporter.rule_dead_letter_queue.queue_url,
            ScheduleDeadLetterQueueUrl=watcher.schedule_dead_letter_queue.queue_url,
            DashboardName=dashboard.name,
            DashboardUrl=dashboard.url,
            AthenaWorkGroupName=analytics.workgroup.ref,
            AthenaResultsBucketName=analytics.results.bucket_name,
            GlueDatabaseName=analytics.tables.database.ref,
            **({"ResultsBucketName": results.bucket.bucket_name} if results else {}),
            **(_of_postures(poster) if poster else {}),
        )

    def _outputs(self, **values: str) -> None:
        for name, value in values.items():
            CfnOutput(self, name, value=value)


def _of_postures(poster: Poster) -> dict[str, str]:
    return {
        "PostureFunctionName": poster.function.function_name,
        "PostureScheduleName": poster.schedule.schedule_name,
        "PostureDeadLetterQueueUrl": poster.dead_letter_queue.queue_url,
    }
