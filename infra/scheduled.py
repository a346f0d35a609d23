"""A schedule that runs a function, with the queue for what could not be handed over."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.dead_letters import DeadLetterQueue
from infra.permissions import SCHEDULE
from infra.roles import make_role

DELIVERY_RETRIES: Final = 3
"""Enough for a short failure of Lambda within the interval; after that, the next run is due."""


def schedule(  # noqa: PLR0913  # a bill of materials
    scope: Construct,
    function: lambda_.Function,
    *,
    interval: Duration,
    description: str,
    dead_letter_queue: DeadLetterQueue,
    payload: Mapping[str, Any] | None = None,
) -> scheduler.Schedule:
    """Run a function at an interval. A run that waits longer than the interval is dropped: the next one is due."""
    return scheduler.Schedule(
        scope,
        "Schedule",
        description=description,
        schedule=scheduler.ScheduleExpression.rate(interval),
        time_window=scheduler.TimeWindow.off(),
        target=targets.LambdaInvoke(
            function,
            input=scheduler.ScheduleTargetInput.from_object(payload) if payload is not None else None,
            role=_role(scope, function, dead_letter_queue).without_policy_updates(),
            dead_letter_queue=dead_letter_queue,
            max_event_age=Duration.seconds(min(interval.to_seconds(), Duration.days(1).to_seconds())),
            retry_attempts=DELIVERY_RETRIES,
        ),
    )


def _role(scope: Construct, function: lambda_.Function, dead_letter_queue: DeadLetterQueue) -> iam.Role:
    """Allow schedules of this account to invoke the function and to send to the queue.

    The role that the CDK makes would also allow each version and alias of the function. AWS documents the schedule
    group as the source, not the schedule
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
    """
    group = Stack.of(scope).format_arn(service="scheduler", resource="schedule-group", resource_name="default")
    return make_role(
        scope,
        "SchedulerRole",
        SCHEDULE,
        {"scheduled_function": function.function_arn, "schedule_queue": dead_letter_queue.queue_arn},
        principal=iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group}},
        ),
        description="Search Coverage: allows the schedule to run its function",
        policy_name="RunTheFunction",
    )
