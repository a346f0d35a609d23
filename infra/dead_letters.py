"""The queues for events that could not be processed. Each has an alarm."""

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetterQueue(sqs.Queue):
    """A queue that keeps failed events for 14 days, the most that SQS allows, so that a holiday loses nothing.

    SQS encrypts it with its own key, because a message holds only the identifier of a search job. It is open to TLS
    only.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason=(
                    "This is a dead-letter queue itself. No program consumes it: an alarm notifies a person, who reads "
                    "the message and runs the report again (docs/operations.md)."
                ),
            )
        )
