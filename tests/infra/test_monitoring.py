"""Who is told, and when, if the product does not do its work."""

import re

import pytest

from infra.settings import Settings
from tests.infra.conftest import ROOT, Json, Synthesise, SynthesisedStack

ALARMS = (
    "MonitoringReportErrors",
    "MonitoringReportThrottles",
    "MonitoringReportOverdue",
    "MonitoringReportEventsDropped",
    "MonitoringReportFailuresNotKept",
    "MonitoringRuleEventsNotKept",
    "MonitoringWatchErrors",
    "MonitoringFailureQueueNotEmpty",
    "MonitoringRuleDeadLetterQueueNotEmpty",
    "MonitoringScheduleDeadLetterQueueNotEmpty",
    "MonitoringWatchSilent",
)

HEADINGS = re.findall(r"^## (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)


def section(alarm: Json) -> str:
    """Give the section of the runbook that an alarm's description ends with."""
    found = re.search(r"[a-z]: docs/operations\.md, section '([^']+)'\.$", alarm["AlarmDescription"])
    assert found, alarm["AlarmDescription"]
    return found[1]


def test_there_is_an_alarm_for_each_way_to_fail(stack: SynthesisedStack) -> None:
    assert sorted(stack.resources("AWS::CloudWatch::Alarm")) == sorted(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_mails_when_it_starts_and_when_it_is_over_and_says_what_to_do(
    stack: SynthesisedStack, name: str
) -> None:
    alarm = stack.resource(name)

    assert alarm["AlarmActions"] == alarm["OKActions"] == ["<MonitoringTopic>"]
    assert alarm.get("ActionsEnabled", True) is True
    assert section(alarm)


def test_every_alarm_names_a_section_of_the_runbook_that_there_is(synthesise: Synthesise) -> None:
    alarms = synthesise(Settings(alarm_on_incomplete=True)).resources("AWS::CloudWatch::Alarm")

    assert len(alarms) == len(ALARMS) + 1
    assert {section(alarm) for alarm in alarms.values()} <= set(HEADINGS)


def test_every_alarm_looks_at_one_metric_which_the_embedded_aws_can_deploy(stack: SynthesisedStack) -> None:
    assert all("Metrics" not in alarm for alarm in stack.resources("AWS::CloudWatch::Alarm").values())


def test_one_report_that_fails_is_an_alarm(stack: SynthesisedStack) -> None:
    alarm = stack.resource("MonitoringReportErrors")

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "<ReporterReportFunction>"}]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_report_function_without_room_for_a_quarter_of_an_hour_is_an_alarm(stack: SynthesisedStack) -> None:
    alarm = stack.resource("MonitoringReportThrottles")

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Throttles", "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "<ReporterReportFunction>"}]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (300, 3, 3)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "dimension"),
    [
        (
            "MonitoringReportEventsDropped",
            "AWS/Lambda",
            "AsyncEventsDropped",
            {"Name": "FunctionName", "Value": "<ReporterReportFunction>"},
        ),
        (
            "MonitoringReportFailuresNotKept",
            "AWS/Lambda",
            "DestinationDeliveryFailures",
            {"Name": "FunctionName", "Value": "<ReporterReportFunction>"},
        ),
        (
            "MonitoringRuleEventsNotKept",
            "AWS/Events",
            "InvocationsFailedToBeSentToDlq",
            {"Name": "RuleName", "Value": "<ReporterRule>"},
        ),
    ],
)
def test_one_event_that_was_given_up_or_lost_is_an_alarm(
    stack: SynthesisedStack, name: str, namespace: str, metric: str, dimension: dict[str, str]
) -> None:
    alarm = stack.resource(name)

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (namespace, metric, "Sum")
    assert alarm["Dimensions"] == [dimension]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("poll_minutes", "minutes"), [(1, 15), (15, 45)])
def test_a_report_that_every_sweep_finds_overdue_is_an_alarm(
    synthesise: Synthesise, poll_minutes: int, minutes: int
) -> None:
    alarm = synthesise(Settings(poll_minutes=poll_minutes)).resource("MonitoringReportOverdue")

    assert (alarm["Namespace"], alarm["MetricName"]) == ("SearchCoverage", "SearchJobsOverdue")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "search-coverage"}]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Minimum", 60 * minutes, 1)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert alarm["TreatMissingData"] == "notBreaching"  # silence has an alarm of its own


def test_a_report_that_is_not_complete_is_an_alarm_only_if_asked_for(
    stack: SynthesisedStack, synthesise: Synthesise
) -> None:
    alarm = synthesise(Settings(alarm_on_incomplete=True)).resource("MonitoringReportIncomplete")

    assert "MonitoringReportIncomplete" not in stack.template["Resources"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("SearchCoverage", "ReportsIncomplete")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "search-coverage"}]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 300, 1)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert alarm["AlarmActions"] == ["<MonitoringTopic>"]
    assert "OKActions" not in alarm  # nothing is over when five minutes have passed


def test_the_silence_alarm_is_made_after_the_schedule_that_ends_the_silence(stack: SynthesisedStack) -> None:
    (made_before,) = stack.template["Resources"]["MonitoringWatchSilent"]["DependsOn"]

    assert made_before.startswith("WatcherSchedule")


@pytest.mark.parametrize("minutes", [1, 15])
def test_three_of_five_failed_sweeps_are_an_alarm_at_any_interval(synthesise: Synthesise, minutes: int) -> None:
    alarm = synthesise(Settings(poll_minutes=minutes)).resource("MonitoringWatchErrors")

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "<WatcherWatchFunction>"}]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (60 * minutes, 5, 3)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("name", "queue"),
    [
        ("MonitoringFailureQueueNotEmpty", "ReporterFailureQueue"),
        ("MonitoringRuleDeadLetterQueueNotEmpty", "ReporterRuleDeadLetterQueue"),
        ("MonitoringScheduleDeadLetterQueueNotEmpty", "WatcherScheduleDeadLetterQueue"),
    ],
)
def test_one_message_in_a_queue_is_an_alarm(stack: SynthesisedStack, name: str, queue: str) -> None:
    alarm = stack.resource(name)

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"<{queue}.QueueName>"}]
    assert (alarm["Statistic"], alarm["EvaluationPeriods"], alarm["Threshold"]) == ("Maximum", 1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("poll_minutes", "silent_minutes"), [(1, 15), (5, 15), (15, 45)])
def test_a_watch_that_says_nothing_is_an_alarm(synthesise: Synthesise, poll_minutes: int, silent_minutes: int) -> None:
    alarm = synthesise(Settings(poll_minutes=poll_minutes)).resource("MonitoringWatchSilent")

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("SearchCoverage", "Sweeps", "Sum")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "search-coverage"}]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60 * silent_minutes, 1)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"


def test_alarms_go_to_the_alarm_addresses_without_a_filter(stack: SynthesisedStack) -> None:
    assert [
        subscription
        for subscription in stack.resources("AWS::SNS::Subscription").values()
        if subscription["TopicArn"] == "<MonitoringTopic>"
    ] == [{"Protocol": "email", "Endpoint": "on-call@example.com", "TopicArn": "<MonitoringTopic>"}]


def test_the_alarm_topic_is_encrypted_and_takes_alarms_of_this_account_over_tls(stack: SynthesisedStack) -> None:
    assert stack.resource("MonitoringTopic")["KmsMasterKeyId"] == "<AlertsKey.Arn>"
    assert stack.resource("MonitoringTopicPolicy")["PolicyDocument"]["Statement"] == [
        {
            "Sid": "AllowPublishThroughSSLOnly",
            "Effect": "Deny",
            "Action": "sns:Publish",
            "Principal": "*",
            "Resource": "<MonitoringTopic>",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "AlarmsOfThisAccount",
            "Effect": "Allow",
            "Action": "sns:Publish",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Resource": "<MonitoringTopic>",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
                "ArnLike": {"aws:SourceArn": "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*"},
            },
        },
    ]


def test_cloudwatch_may_use_the_key_for_alarms_of_this_account_and_nobody_else_is_named(
    stack: SynthesisedStack,
) -> None:
    account, cloudwatch = stack.resource("AlertsKey")["KeyPolicy"]["Statement"]

    assert account["Principal"] == {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"}
    assert cloudwatch == {
        "Sid": "AlarmsOfThisAccount",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"}},
    }
