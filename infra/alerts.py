"""The topic that publishes the reports to people and machines, its key, and the e-mail subscriptions."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.settings import Settings

DIGEST_ONLY: Final = {"kind": sns.SubscriptionFilter.string_filter(allowlist=["digest"])}
"""A report can take many messages; the one for people has the attribute `kind=digest`. Without the filter, a person
would get all of them, and SNS suspends a subscription at more than 10 mails per second (docs/aws-facts.md §5)."""


class Alerts(Construct):
    """The topic of the reports, encrypted with a customer key and open to TLS only.

    Machines subscribe to all messages; the addresses of `notificationEmails` get one mail per search job. The policy
    of the topic allows no principal: IAM decides who may publish and subscribe in this account.

    Attributes:
        key: The customer key of this topic and of the alarm topic, rotated every year. The topics keep no messages, so
            CloudFormation deletes the key with the stack.
        topic: The topic of the reports.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="Search Coverage: encrypts messages and alarms on their way",
            enable_key_rotation=True,
            pending_window=Duration.days(7),  # the shortest; no stored data needs this key
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(self, "Topic", display_name="Search Coverage", master_key=self.key, enforce_ssl=True)
        for address in settings.notification_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address, filter_policy=DIGEST_ONLY))
