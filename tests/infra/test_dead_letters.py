"""What holds for each of the queues that keep what failed."""

import pytest

from tests.infra.conftest import SynthesisedStack

QUEUES = ("ReporterFailureQueue", "ReporterRuleDeadLetterQueue", "WatcherScheduleDeadLetterQueue")


def test_there_is_a_queue_for_each_way_to_fail(stack: SynthesisedStack) -> None:
    assert sorted(stack.resources("AWS::SQS::Queue")) == sorted(QUEUES)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_failure_is_kept_encrypted_for_14_days(stack: SynthesisedStack, queue: str) -> None:
    assert stack.resource(queue)["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert stack.resource(queue)["SqsManagedSseEnabled"] is True
    assert stack.deletion_policy(queue) == ("Delete", "Delete")


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_answers_over_tls_only(stack: SynthesisedStack, queue: str) -> None:
    assert {
        "Effect": "Deny",
        "Action": "sqs:*",
        "Principal": {"AWS": "*"},
        "Resource": f"<{queue}.Arn>",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in stack.resource(f"{queue}Policy")["PolicyDocument"]["Statement"]


def test_only_our_rule_is_let_into_a_queue_by_its_policy(stack: SynthesisedStack) -> None:
    # Given the policies of all queues
    allowed = [
        (name, statement["Principal"], statement["Action"], statement["Condition"])
        for name, policy in stack.resources("AWS::SQS::QueuePolicy").items()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]

    # Then one statement allows something: EventBridge may send, on behalf of our rule
    assert allowed == [
        (
            "ReporterRuleDeadLetterQueuePolicy",
            {"Service": "events.amazonaws.com"},
            "sqs:SendMessage",
            {"ArnEquals": {"aws:SourceArn": "<ReporterRule.Arn>"}},
        )
    ]
