"""The topics and the queues: encrypted, open to TLS only, and closed to every principal that is not named here."""

import pytest

from infra.settings import Settings
from tests.infra.conftest import Json, Promise, SynthesizedStack, promises, synthesized

QUEUES = (
    "PosterDeadLetterQueue",
    "ReporterFailureQueue",
    "ReporterRuleDeadLetterQueue",
    "WatcherScheduleDeadLetterQueue",
)
IS_PLAIN = {"Bool": {"aws:SecureTransport": "false"}}
IN_THIS_ACCOUNT = {"aws:SourceAccount": "<AWS::AccountId>"}


def only_tls(topic: str) -> Json:
    """Return the statement that closes a topic to requests without TLS."""
    return {
        "Sid": "AllowPublishThroughSSLOnly",
        "Effect": "Deny",
        "Action": "sns:Publish",
        "Principal": "*",
        "Resource": f"<{topic}>",
        "Condition": IS_PLAIN,
    }


def policy(*statements: Json) -> Json:
    return {"PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


@promises(
    Promise("messages are encrypted with a customer key", "AlertsTopic", {"KmsMasterKeyId": "<AlertsKey.Arn>"}),
    Promise("alarms are encrypted with a customer key", "MonitoringTopic", {"KmsMasterKeyId": "<AlertsKey.Arn>"}),
    Promise("the key rotates", "AlertsKey", {"EnableKeyRotation": True}),
    Promise("the policy of the topic allows no principal", "AlertsTopicPolicy", policy(only_tls("AlertsTopic"))),
    Promise(
        "the alarm topic admits the alarms of this account",
        "MonitoringTopicPolicy",
        policy(
            only_tls("MonitoringTopic"),
            {
                "Sid": "AlarmsOfThisAccount",
                "Effect": "Allow",
                "Action": "sns:Publish",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Resource": "<MonitoringTopic>",
                "Condition": {
                    "StringEquals": IN_THIS_ACCOUNT,
                    "ArnLike": {
                        "aws:SourceArn": "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*"
                    },
                },
            },
        ),
    ),
    *(
        Promise(
            "a failure is kept encrypted for 14 days",
            queue,
            {"MessageRetentionPeriod": 14 * 24 * 3600, "SqsManagedSseEnabled": True},
        )
        for queue in QUEUES
    ),
)
def test_the_topics_and_the_queues(promise: Promise) -> None:
    promise.check()


def test_the_policy_of_the_key_names_cloudwatch_for_alarms_of_this_account_and_no_other_service(
    stack: SynthesizedStack,
) -> None:
    account, cloudwatch = stack.resource("AlertsKey")["KeyPolicy"]["Statement"]

    assert account["Principal"] == {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"}
    assert cloudwatch == {
        "Sid": "AlarmsOfThisAccount",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": "*",
        "Condition": {"StringEquals": IN_THIS_ACCOUNT},
    }


def test_a_person_gets_the_digest_and_no_other_part_and_the_alarms_without_a_filter(stack: SynthesizedStack) -> None:
    # Given two notification addresses and one alarm address
    found = [
        (each["TopicArn"], each["Endpoint"], each["Protocol"], each.get("FilterPolicy"))
        for each in stack.resources("AWS::SNS::Subscription").values()
        if each.get("FilterPolicyScope", "MessageAttributes") == "MessageAttributes"
    ]

    # Then each is subscribed once, those of the reports to messages with the attribute kind=digest
    digest = {"kind": ["digest"]}
    assert sorted(found) == [
        ("<AlertsTopic>", "backup@example.com", "email", digest),
        ("<AlertsTopic>", "legal@example.com", "email", digest),
        ("<MonitoringTopic>", "on-call@example.com", "email", None),
    ]


def test_without_addresses_there_are_no_subscriptions() -> None:
    assert synthesized(Settings()).resources("AWS::SNS::Subscription") == {}


def test_there_is_a_queue_for_each_way_to_fail(stack: SynthesizedStack) -> None:
    assert sorted(stack.resources("AWS::SQS::Queue")) == sorted(QUEUES)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_open_to_tls_only_and_deleted_with_the_stack(stack: SynthesizedStack, queue: str) -> None:
    assert stack.deletion_policy(queue) == ("Delete", "Delete")
    assert {
        "Effect": "Deny",
        "Action": "sqs:*",
        "Principal": {"AWS": "*"},
        "Resource": f"<{queue}.Arn>",
        "Condition": IS_PLAIN,
    } in stack.resource(f"{queue}Policy")["PolicyDocument"]["Statement"]


def test_only_our_rule_may_send_to_a_queue_by_its_policy(stack: SynthesizedStack) -> None:
    allowed = [
        (name, statement["Principal"], statement["Action"], statement["Condition"])
        for name, policy in stack.resources("AWS::SQS::QueuePolicy").items()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]

    assert sorted(allowed, key=str) == [
        (
            f"{queue}Policy",
            {"Service": "events.amazonaws.com"},
            "sqs:SendMessage",
            {"ArnEquals": {"aws:SourceArn": f"<{rule}.Arn>"}},
        )
        for queue, rule in (
            ("PosterDeadLetterQueue", "PosterIndexFailed"),
            ("ReporterRuleDeadLetterQueue", "ReporterRule"),
        )
    ]
