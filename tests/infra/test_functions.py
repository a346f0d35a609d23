"""The functions: what runs, what starts them, how long a failed event is retried, and where it is kept."""

import pytest

from infra.settings import Settings
from tests.infra.conftest import ABSENT, CHANGED, TARGET, Json, Promise, SynthesizedStack, promises, synthesized

REPORT, WATCH, POSTURE = "ReporterReportFunction", "WatcherWatchFunction", "PosterPostureFunction"
DAY_SECONDS = 24 * 3600

POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": "search-coverage",
    "POWERTOOLS_METRICS_NAMESPACE": "SearchCoverage",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
SHARED = {
    "REPORT_BUCKET": "<ReportStoreBucket>",
    "EVENT_BUS_NAME": "default",
    "IDEMPOTENCY_TABLE": "<ReporterIdempotencyTable>",
    **POWERTOOLS,
}


def report_variables(notify_on: str, inventory: str, **others: str) -> dict[str, object]:
    variables = {
        "ALERTS_TOPIC_ARN": "<AlertsTopic>",
        "NOTIFY_ON": notify_on,
        "INVENTORY": inventory,
        "KEEP_ITEM_FILTERS": "OFF",
        **others,
    }
    return {"Environment": {"Variables": {**SHARED, **variables}}}


def watch_variables(statuses: str) -> dict[str, object]:
    return {"Environment": {"Variables": {**SHARED, "SEARCH_JOB_STATUSES": statuses}}}


def of_all(sentence: str, properties: dict[str, object]) -> list[Promise]:
    return [Promise(sentence, name, properties) for name in (REPORT, WATCH, POSTURE)]


def posture_variables(mail: str, **others: str) -> dict[str, object]:
    variables = {"ALERTS_TOPIC_ARN": "<AlertsTopic>", "POSTURE_MAIL": mail, **others}
    return {"Environment": {"Variables": {**SHARED, **variables}}}


def sweeps(minutes: int, rate: str, settings: Settings) -> list[Promise]:
    """Return what holds for any interval: no sweep is retried or waits once the next one is due."""
    return [
        Promise(
            f"a sweep runs every {minutes} minutes, exactly, and is not started later than the next",
            "WatcherSchedule",
            {
                "ScheduleExpression": rate,
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "State": "ENABLED",
                "Target": {
                    "Arn": f"<{WATCH}.Arn>",
                    "RoleArn": "<WatcherSchedulerRole.Arn>",
                    "DeadLetterConfig": {"Arn": "<WatcherScheduleDeadLetterQueue.Arn>"},
                    "RetryPolicy": {"MaximumEventAgeInSeconds": 60 * minutes, "MaximumRetryAttempts": 3},
                },
            },
            settings,
        ),
        Promise(
            f"Lambda does not retry a sweep, and drops it after {minutes} minutes",
            f"{WATCH}EventInvokeConfig",
            {
                "FunctionName": f"<{WATCH}>",
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 0,
                "MaximumEventAgeInSeconds": 60 * minutes,
                "DestinationConfig": ABSENT,
            },
            settings,
        ),
    ]


@promises(
    *of_all(
        "runs on Python 3.13 for ARM and is traced",
        {"Runtime": "python3.13", "Architectures": ["arm64"], "TracingConfig": {"Mode": "Active"}},
    ),
    *(
        Promise(
            "reserves no concurrency if the account has little", name, {"ReservedConcurrentExecutions": ABSENT}, CHANGED
        )
        for name in (REPORT, WATCH)
    ),
    Promise(
        "a posture has the time, a processor and the space for a million backups, and runs alone",
        POSTURE,
        {
            "Handler": "search_coverage.handlers.posture.handler",
            "Timeout": 900,
            "MemorySize": 1769,
            "EphemeralStorage": {"Size": 4096},
            "ReservedConcurrentExecutions": 1,
        },
    ),
    Promise("the posture function gets the variables", POSTURE, posture_variables("ON_CHANGE")),
    Promise(
        "the settings reach the posture function", POSTURE, posture_variables("NEVER", SEARCHABLE_TARGET="95"), TARGET
    ),
    Promise(
        "a failed posture is retried twice; the next one is the retry of the last",
        f"{POSTURE}EventInvokeConfig",
        {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 6 * 3600, "DestinationConfig": ABSENT},
    ),
    Promise(
        "the posture is taken every day, by an input that says so",
        "PosterSchedule",
        {
            "ScheduleExpression": "rate(1 day)",
            "State": "ENABLED",
            "Target": {
                "Arn": f"<{POSTURE}.Arn>",
                "Input": '{"posture":{}}',
                "RoleArn": "<PosterSchedulerRole.Arn>",
                "DeadLetterConfig": {"Arn": "<PosterDeadLetterQueue.Arn>"},
                "RetryPolicy": {"MaximumEventAgeInSeconds": DAY_SECONDS, "MaximumRetryAttempts": 3},
            },
        },
    ),
    Promise("or as often as somebody chose", "PosterSchedule", {"ScheduleExpression": "rate(12 hours)"}, TARGET),
    Promise(
        "the rule matches AWS's event about an index that failed, of this account and Region only",
        "PosterIndexFailed",
        {
            "EventPattern": {
                "source": ["aws.backup"],
                "detail-type": ["Recovery Point Index State Change"],
                "account": ["<AWS::AccountId>"],
                "region": ["<AWS::Region>"],
                "detail": {"indexStatus": ["FAILED"]},
            },
            "State": "ENABLED",
            "EventBusName": ABSENT,
        },
    ),
    Promise(
        "a report has the time and the space for a million backups",
        REPORT,
        {
            "Handler": "search_coverage.handlers.report.handler",
            "Timeout": 900,
            "MemorySize": 512,
            "EphemeralStorage": {"Size": 4096},
            "ReservedConcurrentExecutions": 10,
        },
    ),
    Promise(
        "sweeps never run at the same time, nor longer than a minute",
        WATCH,
        {
            "Handler": "search_coverage.handlers.watch.handler",
            "Timeout": 60,
            "MemorySize": 256,
            "ReservedConcurrentExecutions": 1,
        },
    ),
    Promise("the report function gets the variables of the contract", REPORT, report_variables("EXCLUDED", "ON")),
    Promise(
        "the settings reach the report function",
        REPORT,
        report_variables(
            "ALWAYS", "OFF", KEEP_ITEM_FILTERS="ON", RESULTS_BUCKET="<ResultsStoreBucket>", MAX_RESULTS="7"
        ),
        CHANGED,
    ),
    Promise("the watch function gets the variables", WATCH, watch_variables("COMPLETED,FAILED,STOPPED")),
    Promise("the settings reach the watch function", WATCH, watch_variables("FAILED,STOPPED"), CHANGED),
    Promise(
        "a failed report is retried twice and then kept in the failure queue",
        f"{REPORT}EventInvokeConfig",
        {
            "FunctionName": f"<{REPORT}>",
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": 6 * 3600,
            "DestinationConfig": {"OnFailure": {"Destination": "<ReporterFailureQueue.Arn>"}},
        },
    ),
    Promise(
        "the rule matches our event of this account and Region only, on the default bus",
        "ReporterRule",
        {
            "EventPattern": {
                "source": ["search-coverage"],
                "detail-type": ["Search Job State Change"],
                "account": ["<AWS::AccountId>"],
                "region": ["<AWS::Region>"],
            },
            "State": "ENABLED",
            "EventBusName": ABSENT,
        },
    ),
    Promise(
        "the table expires its items, costs nothing while idle, and can be restored",
        "ReporterIdempotencyTable",
        {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": "expiration", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    ),
    *sweeps(1, "rate(1 minute)", Settings()),
    *sweeps(15, "rate(15 minutes)", CHANGED),
    *(
        Promise("keeps its log for two years, which CloudWatch counts as 731 days", name, properties, CHANGED)
        for function, logs in ((REPORT, "ReporterReportLogs"), (WATCH, "WatcherWatchLogs"))
        for name, properties in (
            (function, {"LoggingConfig": {"LogGroup": f"<{logs}>"}}),
            (logs, {"RetentionInDays": 731}),
        )
    ),
)
def test_the_functions(promise: Promise) -> None:
    promise.check()


def test_the_rule_delivers_an_event_for_a_day_and_then_keeps_it_in_the_dead_letter_queue(
    stack: SynthesizedStack,
) -> None:
    (target,) = stack.resource("ReporterRule")["Targets"]

    assert target["Arn"] == f"<{REPORT}.Arn>"
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": DAY_SECONDS, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == {"Arn": "<ReporterRuleDeadLetterQueue.Arn>"}


def test_only_its_rule_may_invoke_a_function(stack: SynthesizedStack) -> None:
    assert [(each["FunctionName"], each["SourceArn"]) for each in _permissions(stack)] == [
        ("<PosterPostureFunction.Arn>", "<PosterIndexFailed.Arn>"),
        (f"<{REPORT}.Arn>", "<ReporterRule.Arn>"),
    ]


def _permissions(stack: SynthesizedStack) -> list[Json]:
    found = stack.resources("AWS::Lambda::Permission").values()
    assert {(each["Action"], each["Principal"]) for each in found} == {
        ("lambda:InvokeFunction", "events.amazonaws.com")
    }
    return sorted(found, key=lambda each: str(each["FunctionName"]))


def test_the_stack_has_our_three_functions_with_one_asset_and_no_custom_resource(stack: SynthesizedStack) -> None:
    functions = stack.resources("AWS::Lambda::Function")

    assert sorted(functions) == [POSTURE, REPORT, WATCH]
    assert functions[REPORT]["Code"] == functions[WATCH]["Code"] == functions[POSTURE]["Code"]
    assert not [each for each in stack.template["Resources"].values() if each["Type"].startswith("Custom::")]


@pytest.mark.parametrize("name", ["ReporterReportLogs", "WatcherWatchLogs", "ReporterIdempotencyTable"])
def test_logs_and_table_are_deleted_with_the_stack(stack: SynthesizedStack, name: str) -> None:
    assert stack.deletion_policy(name) == ("Delete", "Delete")


def test_without_a_posture_there_is_nothing_of_it() -> None:
    template = synthesized(Settings(posture_schedule=None)).text

    assert "Poster" not in template
    assert "backup:GetBackupPlan" not in template
    assert '"postures"' not in template
