"""What Lambda hands to a function: the event and the context."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.faults.surroundings import ACCOUNT, REGION


@dataclass
class Context:
    """What the functions read of Lambda's context."""

    function_name: str = "report"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:report"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    seconds_left: float = 900.0

    def get_remaining_time_in_millis(self) -> int:
        """Give it, as if no time passed."""
        return int(self.seconds_left * 1000)


def state_change(search_job: str) -> dict[str, Any]:
    """Give the event that the rule hands to the report function."""
    arn = f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/{search_job}"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "search-coverage",
        "detail-type": "Search Job State Change",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [arn],
        "detail": {"searchJobIdentifier": search_job, "searchJobArn": arn, "status": "COMPLETED"},
    }
