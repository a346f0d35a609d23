"""What Lambda hands to a function: the event and the context."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search_coverage.names import SERVICE, STATE_CHANGE

ACCOUNT = "123456789012"  # moto's
REGION = "us-east-1"
CREDENTIALS: Mapping[str, Any] = {
    "region_name": REGION,
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}
"""What a client is made with that talks to no AWS."""


@dataclass
class Context:
    """What the functions read of Lambda's context.

    Attributes:
        seconds_left: What is left of the invocation's time.
        seconds_a_look: How many of them pass with each call.
    """

    function_name: str = "report"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:report"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    seconds_left: float = 900.0
    seconds_a_look: float = 0.0

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left, and reduce it."""
        self.seconds_left -= self.seconds_a_look
        return int(self.seconds_left * 1000)


def state_change(search_job: str, event_id: str = "event-1") -> dict[str, Any]:
    """Return the event that the rule hands to the report function."""
    arn = f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/{search_job}"
    return {
        "version": "0",
        "id": event_id,
        "source": SERVICE,
        "detail-type": STATE_CHANGE,
        "account": ACCOUNT,
        "region": REGION,
        "resources": [arn],
        "detail": {"searchJobIdentifier": search_job, "searchJobArn": arn, "status": "COMPLETED"},
    }
