"""The SNS topic that tells people and machines."""

from typing import TYPE_CHECKING

from search_coverage.aws.errors import doing
from search_coverage.report.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class AlertsTopic:
    """Publishes messages."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, message: Message) -> str:
        """Publish a message and return the id that SNS gave it."""
        with doing(f"Publishing to {self._arn}"):
            answer = self._client.publish(
                TopicArn=self._arn,
                Subject=message.subject,
                Message=message.body,
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": attribute.type, "StringValue": attribute.value}
                    for name, attribute in message.attributes.items()
                },
            )
        return answer["MessageId"]
