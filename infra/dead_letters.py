"""The queues for what could not be done: nothing gets lost without a trace, and each has an alarm."""

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetterQueue(sqs.Queue):
    """A queue that keeps what failed for 14 days, the most that SQS offers, so that a holiday loses nothing.

    It is encrypted by SQS itself, since a message holds no more than a search job's identifier, and open to TLS only.
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
                    "This is itself the last stop of a message. Nothing consumes it by program: an alarm calls a "
                    "person, who reads it and runs the report again (docs/operations.md)."
                ),
            )
        )
