"""The SNS topic that people and machines subscribe to."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from search_coverage.aws.errors import reading
from search_coverage.report.mail.messages import Message
from search_coverage.use_cases.ports import NotPublished

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class AlertsTopic:
    """Implements `ports.AlertsTopic`."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        client.meta.events.register("before-call.sns.Publish", _encode_form)
        self._arn = arn

    def publish(self, message: Message) -> str:
        """Publish a message and return the id that SNS gave it."""
        attributes: Any = {
            name: {"DataType": attribute.type, "StringValue": attribute.value}
            for name, attribute in message.attributes.items()
        }
        with reading(f"Publishing to {self._arn}", NotPublished):
            answer = self._client.publish(
                TopicArn=self._arn,
                Subject=message.subject,
                Message=message.body,
                MessageStructure="json",
                MessageAttributes=attributes,
            )
            return answer["MessageId"]


# botocore percent-encodes a message character by character, and twice: in a large report that is most of the work.
_PERCENT = [(chr(byte), f"%{byte:02X}") for byte in range(128) if not (chr(byte).isalnum() or chr(byte) in "-._~%")]


def _encode_form(params: dict[str, Any], **_: object) -> None:
    """Encode the form of a request at once, as ``urllib.parse.urlencode`` does; a handler of ``before-call``."""
    params["body"] = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in params["body"].items()).encode()


def _quoted(text: str) -> str:
    if not text.isascii():
        return quote(text, safe="")
    text = text.replace("%", "%25")
    for character, escape in _PERCENT:
        text = text.replace(character, escape)
    return text
