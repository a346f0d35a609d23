"""What holds between the end of a search job and its report."""

from infra.settings import Settings
from tests.infra.conftest import Synthesise, SynthesisedStack

FUNCTION = "ReporterReportFunction"
DAY_SECONDS = 24 * 3600


def test_the_rule_hears_our_event_of_this_account_and_region_and_no_other(stack: SynthesisedStack) -> None:
    rule = stack.resource("ReporterRule")

    assert rule["EventPattern"] == {
        "source": ["search-coverage"],
        "detail-type": ["Search Job State Change"],
        "account": ["<AWS::AccountId>"],
        "region": ["<AWS::Region>"],
    }
    assert rule["State"] == "ENABLED"
    assert "EventBusName" not in rule  # the default bus


def test_an_event_is_handed_over_for_a_day_and_then_kept_in_the_dead_letter_queue(stack: SynthesisedStack) -> None:
    (target,) = stack.resource("ReporterRule")["Targets"]

    assert target["Arn"] == f"<{FUNCTION}.Arn>"
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": DAY_SECONDS, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == {"Arn": "<ReporterRuleDeadLetterQueue.Arn>"}


def test_only_the_rule_may_invoke_the_report_function(stack: SynthesisedStack) -> None:
    (permission,) = stack.resources("AWS::Lambda::Permission").values()

    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": f"<{FUNCTION}.Arn>",
        "Principal": "events.amazonaws.com",
        "SourceArn": "<ReporterRule.Arn>",
    }


def test_a_report_that_fails_is_tried_twice_more_and_then_kept_in_the_failure_queue(stack: SynthesisedStack) -> None:
    assert stack.resource(f"{FUNCTION}EventInvokeConfig") == {
        "FunctionName": f"<{FUNCTION}>",
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 6 * 3600,
        "DestinationConfig": {"OnFailure": {"Destination": "<ReporterFailureQueue.Arn>"}},
    }


def test_a_report_has_the_time_and_the_space_for_a_million_backups(stack: SynthesisedStack) -> None:
    function = stack.resource(FUNCTION)

    assert function["Timeout"] == 900
    assert function["MemorySize"] == 512
    assert function["EphemeralStorage"] == {"Size": 4096}
    assert function["ReservedConcurrentExecutions"] == 10


def test_the_report_function_is_told_what_the_contract_says_and_no_more(synthesise: Synthesise) -> None:
    # Given settings that ask for every report, and for the inventory
    stack = synthesise(Settings(notify_on="ALWAYS", inventory=True))

    # Then the function is told so
    assert stack.resource(FUNCTION)["Environment"]["Variables"] == {
        "REPORT_BUCKET": "<ReportStoreBucket>",
        "ALERTS_TOPIC_ARN": "<AlertsTopic>",
        "EVENT_BUS_NAME": "default",
        "IDEMPOTENCY_TABLE": "<ReporterIdempotencyTable>",
        "NOTIFY_ON": "ALWAYS",
        "INVENTORY": "ON",
        "POWERTOOLS_SERVICE_NAME": "search-coverage",
        "POWERTOOLS_METRICS_NAMESPACE": "SearchCoverage",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_table_forgets_by_itself_costs_nothing_idle_and_can_be_restored(stack: SynthesisedStack) -> None:
    assert stack.deletion_policy("ReporterIdempotencyTable") == ("Delete", "Delete")
    assert stack.resource("ReporterIdempotencyTable") == {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "expiration", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "Tags": [{"Key": "application", "Value": "search-coverage"}],
    }
