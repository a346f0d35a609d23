"""The alarms: who is notified, and when, if the product does not work."""

import re
from typing import NamedTuple

import pytest

from infra.settings import Settings
from tests.infra.conftest import CHANGED, ROOT, STANDARD, TARGET, Json, SynthesizedStack, synthesized

REPORT = [{"Name": "FunctionName", "Value": "<ReporterReportFunction>"}]
WATCH = [{"Name": "FunctionName", "Value": "<WatcherWatchFunction>"}]
POSTURE = [{"Name": "FunctionName", "Value": "<PosterPostureFunction>"}]
RULE = [{"Name": "RuleName", "Value": "<ReporterRule>"}]
OURS = [{"Name": "service", "Value": "search-coverage"}]
LENGTH = "AWS/SQS ApproximateNumberOfMessagesVisible"
HEADINGS = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))


def queue(name: str) -> Json:
    return [{"Name": "QueueName", "Value": f"<{name}.QueueName>"}]


class Alarm(NamedTuple):
    """When an alarm starts: at this many of the last periods with the statistic of a metric at or above one."""

    name: str
    metric: str
    dimensions: Json
    minutes: int = 5
    statistic: str = "Sum"
    failed: int = 1
    of_periods: int = 1
    settings: Settings = STANDARD
    threshold: float = 1
    missing: str = "notBreaching"


FIVE_MINUTES = Settings(poll_minutes=5)
THIRTY_HOURS = Settings(posture_schedule="rate(30 hours)")
OF_THE_POSTURE = {"MonitoringPostureErrors", "MonitoringPostureMissing", "MonitoringPostureDeadLetterQueueNotEmpty"}

ALARMS = [
    # Name, metric, dimensions                                   # What raises it
    Alarm("ReportErrors", "AWS/Lambda Errors", REPORT),  # one failed report
    Alarm("ReportThrottles", "AWS/Lambda Throttles", REPORT, failed=3, of_periods=3),  # a quarter of an hour
    Alarm("ReportEventsDropped", "AWS/Lambda AsyncEventsDropped", REPORT),  # one event
    Alarm("ReportFailuresNotKept", "AWS/Lambda DestinationDeliveryFailures", REPORT),
    Alarm("RuleEventsNotKept", "AWS/Events InvocationsFailedToBeSentToDlq", RULE),
    Alarm("WatchErrors", "AWS/Lambda Errors", WATCH, minutes=1, failed=3, of_periods=5),
    Alarm("FailureQueueNotEmpty", LENGTH, queue("ReporterFailureQueue"), statistic="Maximum"),
    Alarm("RuleDeadLetterQueueNotEmpty", LENGTH, queue("ReporterRuleDeadLetterQueue"), statistic="Maximum"),
    Alarm("ScheduleDeadLetterQueueNotEmpty", LENGTH, queue("WatcherScheduleDeadLetterQueue"), statistic="Maximum"),
    Alarm("ReportOverdue", "SearchCoverage SearchJobsOverdue", OURS, minutes=15, statistic="Minimum"),
    Alarm("WatchSilent", "SearchCoverage Sweeps", OURS, minutes=15, missing="breaching"),
    Alarm("PostureErrors", "AWS/Lambda Errors", POSTURE),
    Alarm("PostureDeadLetterQueueNotEmpty", LENGTH, queue("PosterDeadLetterQueue"), statistic="Maximum"),
    Alarm("PostureMissing", "SearchCoverage Postures", OURS, 24 * 60, failed=2, of_periods=2, missing="breaching"),
]
WITH_OTHER_SETTINGS = [
    Alarm("WatchErrors", "AWS/Lambda Errors", WATCH, minutes=15, failed=3, of_periods=5, settings=CHANGED),
    Alarm("ReportOverdue", "SearchCoverage SearchJobsOverdue", OURS, 45, "Minimum", settings=CHANGED),
    Alarm("WatchSilent", "SearchCoverage Sweeps", OURS, minutes=15, settings=FIVE_MINUTES, missing="breaching"),
    Alarm("WatchSilent", "SearchCoverage Sweeps", OURS, minutes=45, settings=CHANGED, missing="breaching"),
    *(
        Alarm("PostureMissing", "SearchCoverage Postures", OURS, minutes, "Sum", count, count, settings, 1, "breaching")
        for minutes, count, settings in ((12 * 60, 2, TARGET), (24 * 60, 3, THIRTY_HOURS))
    ),
    Alarm(
        "SearchableTargetMissed",
        "SearchCoverage NewestSearchableShare",
        OURS,
        minutes=60,
        statistic="Minimum",
        settings=TARGET,
        threshold=95,
        missing="ignore",
    ),
    Alarm("ReportIncomplete", "SearchCoverage ReportsIncomplete", OURS, settings=CHANGED),
]


def test_there_is_an_alarm_for_each_way_to_fail_and_one_more_if_asked_for(
    stack: SynthesizedStack, changed_stack: SynthesizedStack
) -> None:
    names = {f"Monitoring{alarm.name}" for alarm in ALARMS}

    assert stack.resources("AWS::CloudWatch::Alarm").keys() == names
    without_posture = {*names, "MonitoringReportIncomplete"} - OF_THE_POSTURE
    assert changed_stack.resources("AWS::CloudWatch::Alarm").keys() == without_posture
    with_target = {*names, "MonitoringSearchableTargetMissed"}
    assert synthesized(TARGET).resources("AWS::CloudWatch::Alarm").keys() == with_target


@pytest.mark.parametrize("alarm", [*ALARMS, *WITH_OTHER_SETTINGS], ids=lambda alarm: f"{alarm.name} {alarm.minutes}")
def test_an_alarm_watches_its_metric_and_notifies_at_its_start_and_its_end(alarm: Alarm) -> None:
    found = synthesized(alarm.settings).resource(f"Monitoring{alarm.name}")

    # One metric, which the embedded AWS of the tests can deploy
    assert (f"{found['Namespace']} {found['MetricName']}", found["Dimensions"]) == (alarm.metric, alarm.dimensions)
    assert (found["Period"], found["Statistic"]) == (60 * alarm.minutes, alarm.statistic)
    assert found["Threshold"] == alarm.threshold
    assert (found["DatapointsToAlarm"], found["EvaluationPeriods"]) == (alarm.failed, alarm.of_periods)
    # Silence has no data, and so has an alarm of its own
    is_above = alarm.missing == "notBreaching"
    assert found["ComparisonOperator"] == ("GreaterThanOrEqualToThreshold" if is_above else "LessThanThreshold")
    assert found["TreatMissingData"] == alarm.missing
    # A report that is not complete does not end when five minutes have passed
    assert found["AlarmActions"] == ["<MonitoringTopic>"]
    assert found.get("OKActions") == (None if alarm.name == "ReportIncomplete" else ["<MonitoringTopic>"])
    assert found.get("ActionsEnabled", True) is True
    # The description ends with a section of the runbook
    section = re.search(r"[a-z]: docs/operations\.md, section '([^']+)'\.$", found["AlarmDescription"])
    assert section, found["AlarmDescription"]
    assert section[1] in HEADINGS


def test_the_silence_alarm_is_created_after_the_schedule_that_ends_the_silence(stack: SynthesizedStack) -> None:
    (created_before,) = stack.template["Resources"]["MonitoringWatchSilent"]["DependsOn"]

    assert created_before.startswith("WatcherSchedule")
