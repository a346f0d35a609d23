"""What holds for the sweeps."""

import pytest

from infra.settings import Settings
from tests.infra.conftest import Synthesise, SynthesisedStack

FUNCTION = "WatcherWatchFunction"


@pytest.mark.parametrize(("minutes", "expression"), [(1, "rate(1 minute)"), (15, "rate(15 minutes)")])
def test_a_sweep_runs_every_poll_minutes_on_the_dot(synthesise: Synthesise, minutes: int, expression: str) -> None:
    schedule = synthesise(Settings(poll_minutes=minutes)).resource("WatcherSchedule")

    assert schedule["ScheduleExpression"] == expression
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"


@pytest.mark.parametrize("minutes", [1, 15])
def test_a_sweep_that_cannot_be_started_is_kept_and_never_tried_beyond_the_next(
    synthesise: Synthesise, minutes: int
) -> None:
    stack = synthesise(Settings(poll_minutes=minutes))

    # Then neither Scheduler nor Lambda holds on to a sweep when the next one is due
    assert stack.resource("WatcherSchedule")["Target"] == {
        "Arn": f"<{FUNCTION}.Arn>",
        "RoleArn": "<WatcherSchedulerRole.Arn>",
        "DeadLetterConfig": {"Arn": "<WatcherScheduleDeadLetterQueue.Arn>"},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 60 * minutes, "MaximumRetryAttempts": 3},
    }
    assert stack.resource(f"{FUNCTION}EventInvokeConfig") == {
        "FunctionName": f"<{FUNCTION}>",
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60 * minutes,
    }


def test_sweeps_never_run_side_by_side_or_longer_than_a_minute(stack: SynthesisedStack) -> None:
    function = stack.resource(FUNCTION)

    assert function["ReservedConcurrentExecutions"] == 1
    assert function["Timeout"] == 60
    assert function["MemorySize"] == 256


def test_the_watch_function_is_told_what_the_contract_says_and_no_more(synthesise: Synthesise) -> None:
    stack = synthesise(Settings(search_job_statuses=("FAILED", "STOPPED")))

    assert stack.resource(FUNCTION)["Environment"]["Variables"] == {
        "REPORT_BUCKET": "<ReportStoreBucket>",
        "EVENT_BUS_NAME": "default",
        "IDEMPOTENCY_TABLE": "<ReporterIdempotencyTable>",
        "SEARCH_JOB_STATUSES": "FAILED,STOPPED",
        "POWERTOOLS_SERVICE_NAME": "search-coverage",
        "POWERTOOLS_METRICS_NAMESPACE": "SearchCoverage",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
