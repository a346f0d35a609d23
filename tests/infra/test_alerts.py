"""What the topic of the reports promises."""

from infra.settings import Settings
from tests.infra.conftest import Synthesise, SynthesisedStack


def test_messages_are_encrypted_with_a_customer_key_that_rotates(stack: SynthesisedStack) -> None:
    assert stack.resource("AlertsTopic")["KmsMasterKeyId"] == "<AlertsKey.Arn>"
    assert stack.resource("AlertsKey")["EnableKeyRotation"] is True


def test_the_topic_takes_messages_over_tls_only_and_its_policy_lets_nobody_in(stack: SynthesisedStack) -> None:
    assert stack.resource("AlertsTopicPolicy")["PolicyDocument"]["Statement"] == [
        {
            "Sid": "AllowPublishThroughSSLOnly",
            "Effect": "Deny",
            "Action": "sns:Publish",
            "Principal": "*",
            "Resource": "<AlertsTopic>",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_a_person_gets_the_digest_and_no_other_part(stack: SynthesisedStack) -> None:
    # Given two people in notificationEmails
    subscriptions = [
        subscription
        for subscription in stack.resources("AWS::SNS::Subscription").values()
        if subscription["TopicArn"] == "<AlertsTopic>"
    ]

    # Then each is subscribed once, by e-mail, to what says kind=digest in its attributes
    assert sorted(subscription["Endpoint"] for subscription in subscriptions) == [
        "backup@example.com",
        "legal@example.com",
    ]
    for subscription in subscriptions:
        assert subscription["Protocol"] == "email"
        assert subscription["FilterPolicy"] == {"kind": ["digest"]}
        assert subscription.get("FilterPolicyScope", "MessageAttributes") == "MessageAttributes"


def test_without_addresses_nobody_is_subscribed(synthesise: Synthesise) -> None:
    assert synthesise(Settings()).resources("AWS::SNS::Subscription") == {}
