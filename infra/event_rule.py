"""A rule on the default bus that sends events of this account and Region to a function."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.dead_letters import DeadLetterQueue

RULE_RETRIES: Final = 185
RULE_MAX_EVENT_AGE: Final = Duration.hours(24)
"""The most that EventBridge allows (docs/aws-facts.md §5)."""


def event_rule(  # noqa: PLR0913  # a bill of materials
    scope: Construct,
    construct_id: str,
    function: lambda_.Function,
    *,
    description: str,
    source: str,
    detail_type: str,
    dead_letter_queue: DeadLetterQueue,
    detail: Mapping[str, Sequence[Any]] | None = None,
) -> events.Rule:
    """Send the events of a source to a function; what cannot be delivered goes to the queue.

    The pattern has account and Region: another bus can forward events about what this account cannot read.
    """
    return events.Rule(
        scope,
        construct_id,
        description=description,
        event_pattern=events.EventPattern(
            source=[source],
            detail_type=[detail_type],
            account=[Aws.ACCOUNT_ID],
            region=[Aws.REGION],
            detail=detail,
        ),
        targets=[
            targets.LambdaFunction(
                function,
                dead_letter_queue=dead_letter_queue,
                retry_attempts=RULE_RETRIES,
                max_event_age=RULE_MAX_EVENT_AGE,
            )
        ],
    )
